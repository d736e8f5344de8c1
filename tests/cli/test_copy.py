"""`hpo copy NAME`: a job's spec again, which runs again wherever it is written to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from hpo.spec.moved import moved
from tests.command_line import Hpo

PROGRAM = "cat data/value; echo loss=$HPO_TRIAL"


def ended(hpo: Hpo, **sections: object) -> None:
    """Have a job that has ended, with a program and data that lie beside its spec."""
    (hpo.folder / "data").mkdir()
    hpo.write("data/value", "seen\n")
    hpo.job(PROGRAM, **({"inputs": {"train": "data"}} | sections))
    hpo("run", "spec.yaml")


def values(hpo: Hpo, name: str) -> list[object]:
    return [trial["parameters"] for trial in hpo("trials", name, "--json").json]


def test_in_its_own_folder_it_is_as_it_is_stored(hpo: Hpo) -> None:
    ended(hpo)
    stored = (hpo.home / "jobs/job/spec.yaml").read_text()
    assert hpo("copy", "job").out == stored
    hpo("copy", "job", "-o", "again.yaml")
    assert hpo.text("again.yaml") == stored


def test_acceptance_19_a_copy_has_every_section_as_it_was_written(hpo: Hpo) -> None:
    ended(hpo)
    sections: dict[str, object] = {
        "name": "whole",
        "seed": 3,
        "objective": {"metric": "loss", "goal": "minimize", "take": "best", "step": "epoch"},
        "metrics": {"loss": r"loss=(\S+)", "epoch": r"epoch=(\d+)"},
        "learner": "mlp",
        "parameters": {
            "x": {"type": "continuous", "min": 0.0, "max": 1.0, "scaling": "linear"},
            "n": {"type": "integer", "min": 1, "max": 9, "step": 2, "default": 3},
            "kind": {"type": "categorical", "values": ["a", 1, 1.0, True, "1"], "ordered": True},
            "m": {"type": "continuous", "min": 0.5, "max": 0.999, "when": {"kind": ["a", 1]}},
        },
        "fixed": {"epochs": 3, "note": "two $${y}"},
        "constraints": ["x * n < 8"],
        "initial": [{"x": 0.5, "kind": "a"}],
        "strategy": {"name": "bayesian"},
        "limits": {"max_jobs": 2, "max_parallel_jobs": 2, "max_runtime": "1h", "max_failures": 9},
        "stop_when": {"target": -1.5, "not_improving_for": 9, "converged": True, "running": "finish"},
        "early_stopping": {"rule": "median", "min_trials": 4, "min_steps": 3},
        "retry": {"attempts": 3},
        "warm_start": {"type": "transfer", "parents": ["job"]},
        "inputs": {"train": "data"},
        "launcher": {"kind": "process", "command": ["sh", "train.sh"], "env": {"A": "b"}, "threads": 1},
    }
    hpo.write("spec.yaml", yaml.safe_dump(sections, sort_keys=False))
    hpo("run", "spec.yaml")
    copied = yaml.safe_load(hpo("copy", "whole").out)
    assert repr(copied) == repr(sections)  # 1, 1.0 and true are three values


def test_another_name_is_all_that_changes_and_it_runs(hpo: Hpo) -> None:
    ended(hpo)
    stored = (hpo.home / "jobs/job/spec.yaml").read_text()
    hpo("copy", "job", "--name", "other", "-o", "again.yaml")
    assert hpo.text("again.yaml") == stored.replace("name: job\n", "name: other\n", 1)
    hpo("run", "again.yaml")
    assert values(hpo, "other") == values(hpo, "job")
    assert hpo("logs", "other", "1").out == "seen\nloss=1\n"


def test_in_another_folder_its_paths_are_right(hpo: Hpo) -> None:
    """The program, its data and its secret lie beside the first spec."""
    hpo.write("secret", "hidden")
    launcher = {"command": ["sh", "train.sh"], "env_from": {"TOKEN": {"file": "./secret"}}}
    ended(hpo, launcher=launcher)
    (hpo.folder / "far/away").mkdir(parents=True)
    hpo("copy", "job", "--name", "other", "-o", "far/away/again.yaml")
    copied = yaml.safe_load(hpo.text("far/away/again.yaml"))
    assert copied["inputs"] == {"train": f"{hpo.folder}/data"}
    assert copied["launcher"] == {
        "workdir": str(hpo.folder),
        "command": ["sh", "train.sh"],
        "env_from": {"TOKEN": {"file": f"{hpo.folder}/secret"}},
    }
    hpo("run", "far/away/again.yaml")
    assert hpo("logs", "other", "1").out == "seen\nloss=1\n"


def test_on_standard_output_paths_count_from_the_working_folder(hpo: Hpo) -> None:
    (hpo.folder / "specs").mkdir()
    (hpo.folder / "specs/data").mkdir()
    hpo.write("specs/train.sh", PROGRAM)
    hpo.write("specs/data/value", "seen\n")
    hpo.job(PROGRAM, inputs={"train": "data"})
    (hpo.folder / "spec.yaml").rename(hpo.folder / "specs/spec.yaml")
    hpo("run", "specs/spec.yaml")
    hpo.write("again.yaml", hpo("copy", "job", "--name", "other").out)
    hpo("run", "again.yaml")
    assert hpo("logs", "other", "1").out == "seen\nloss=1\n"


@pytest.mark.parametrize("workdir", ["bin", "./bin", None])
def test_a_working_folder_of_its_own_is_kept(hpo: Hpo, workdir: str | None) -> None:
    (hpo.folder / "bin").mkdir()
    hpo.write("bin/train.sh", "pwd; echo loss=1")
    (hpo.folder / "away").mkdir()
    command = ["sh", "train.sh" if workdir else "bin/train.sh"]
    hpo.job("", launcher={"workdir": workdir, "command": command})
    hpo("run", "spec.yaml")
    hpo("copy", "job", "--name", "other", "-o", "away/again.yaml")
    hpo("run", "away/again.yaml")
    assert hpo("logs", "other", "1").out == hpo("logs", "job", "1").out


def test_values_that_look_like_references_and_comments_stay(hpo: Hpo) -> None:
    folder = hpo.folder / "a ${b} # c: d"
    folder.mkdir()
    ended(hpo, fixed={"note": "$${HOME} # no comment", "day": "2024-01-01", "flag": "no"})
    name = hpo.home / "jobs/job/spec.yaml"
    name.write_text("# written by hand\n" + name.read_text() + "# to the end\n")
    hpo("copy", "job", "--name", "other", "-o", folder / "again.yaml")
    text = (folder / "again.yaml").read_text()
    assert text.startswith("# written by hand\n")
    assert text.endswith("# to the end\n")
    hpo("run", folder / "again.yaml")
    assert hpo("best", "other", "--json").json["fixed"] == hpo("best", "job", "--json").json["fixed"]
    (folder / "deeper").mkdir()
    hpo("copy", "other", "--name", "third", "-o", folder / "deeper/again.yaml")
    hpo("run", folder / "deeper/again.yaml")
    assert values(hpo, "third") == values(hpo, "job")


def test_a_spec_in_a_folder_that_looks_like_a_reference(hpo: Hpo) -> None:
    folder = hpo.folder / "${HOME}"
    folder.mkdir()
    hpo.job("", inputs={"train": "data"}, launcher={"command": [sys.executable, "-c", "print('loss=1')"]})
    (folder / "data").mkdir()
    (hpo.folder / "spec.yaml").rename(folder / "spec.yaml")
    hpo("run", folder / "spec.yaml")
    hpo("copy", "job", "--name", "other", "-o", "again.yaml")
    assert yaml.safe_load(hpo.text("again.yaml"))["inputs"]["train"] == f"{hpo.folder}/$${{HOME}}/data"
    hpo("run", "again.yaml")


def test_an_address_and_a_home_folder_need_no_change(hpo: Hpo) -> None:
    (hpo.folder / "away").mkdir()
    ended(hpo)
    spec = hpo.home / "jobs/job/spec.yaml"
    spec.write_text(spec.read_text().replace("train: data", "train: s3://b/k, test: ~/data, all: /data"))
    assert "s3://b/k" in spec.read_text()
    hpo("copy", "job", "-o", "away/again.yaml")
    copied = yaml.safe_load(hpo.text("away/again.yaml"))
    assert copied["inputs"] == {"train": "s3://b/k", "test": "~/data", "all": "/data"}


def test_what_cannot_be_copied_is_said(hpo: Hpo) -> None:
    assert "there is no job nowhere" in hpo("copy", "nowhere", status=4).err
    ended(hpo)
    hpo.write("mine.yaml", "mine")
    assert "mine.yaml exists already" in hpo("copy", "job", "-o", "mine.yaml", status=2).err
    assert "--name 'a/b'" in hpo("copy", "job", "--name", "a/b", status=2).err
    assert "--region: only for a tuning job" in hpo("copy", "job", "--region", "x", status=2).err
    assert hpo.text("mine.yaml") == "mine"


@pytest.mark.parametrize(
    ("launcher", "moved_launcher"),
    [
        ("{kind: docker, build: .}", "{kind: docker, build: /base}"),
        (
            "{kind: docker, build: {folder: app, dockerfile: ../Dockerfile}, command: [a]}",
            "{kind: docker, build: {folder: /base/app, dockerfile: /base/../Dockerfile}, command: [a]}",
        ),
        (
            "{kind: docker, image: i, mounts: ['./d:/d:ro', 'volume:/v', '/a:/a', '~/h:/h']}",
            "{kind: docker, image: i, mounts: [/base/d:/d:ro, 'volume:/v', '/a:/a', '~/h:/h']}",
        ),
        (
            "{kind: docker, image: i, mounts: [{source: d/e, target: /d}, {source: vol, target: /v}]}",
            "{kind: docker, image: i, mounts: [{source: /base/d/e, target: /d}, {source: vol, target: /v}]}",
        ),
        (
            "{kind: sagemaker, source_dir: src, entry_point: train.py, requirements: r.txt}",
            "{kind: sagemaker, source_dir: /base/src, entry_point: train.py, requirements: /base/r.txt}",
        ),
        ("{kind: sagemaker, source_dir: 's3://b/k'}", "{kind: sagemaker, source_dir: 's3://b/k'}"),
        ("{command: [a]}", "{workdir: /base, command: [a]}"),
        ("{}", "{workdir: /base}"),
    ],
)
def test_the_paths_of_each_launcher(launcher: str, moved_launcher: str) -> None:
    text = f"# first\nname: job\nlauncher: {launcher}  # last\n"
    assert yaml.safe_load(moved(text, Path("/base"))) == {
        "name": "job",
        "launcher": yaml.safe_load(moved_launcher),
    }
    assert moved(text, Path("/base")).startswith("# first\nname: job\nlauncher: {")
    assert moved(text, Path("/base")).endswith("}  # last\n")

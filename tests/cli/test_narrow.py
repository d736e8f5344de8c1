"""`hpo narrow NAME`: a spec for another round, around the best of this one."""

from __future__ import annotations

from typing import Any

import yaml

from tests.command_line import Hpo

PARAMETERS = {
    "lr": {"type": "continuous", "min": 1e-5, "max": 1.0},
    "depth": {"type": "integer", "min": 2, "max": 20, "step": 2},
    "momentum": {"type": "continuous", "min": 0.0, "max": 1.0},
    "kind": {"type": "categorical", "values": ["good", "bad", "worse"]},
    "noise": {"type": "continuous", "min": -5.0, "max": 5.0},
}

PROGRAM = r"""
import argparse, math
parser = argparse.ArgumentParser()
for name in ("lr", "depth", "momentum", "noise"):
    parser.add_argument(f"--{name}", type=float)
parser.add_argument("--kind")
a = parser.parse_args()
loss = abs(math.log10(a.lr) + 2) + abs(a.depth - 10) / 4 + 3 * a.momentum
print(f"loss={loss + {'good': 0, 'bad': 3, 'worse': 6}[a.kind]}")
"""
"""Best at lr 0.01, depth 10, momentum 0, kind good; noise means nothing."""


def job(hpo: Hpo, count: int = 60, **sections: object) -> None:
    hpo.write("train.py", PROGRAM)
    launcher = {"command": ["python", "train.py"]}
    limits = {"max_jobs": count, "max_parallel_jobs": 4}
    given: dict[str, Any] = {"parameters": PARAMETERS, "launcher": launcher, "limits": limits} | sections
    hpo.job("", **given)
    hpo("run", "spec.yaml")


def test_acceptance_19_copy_gives_every_field_and_narrow_proposes_and_flags(hpo: Hpo) -> None:
    job(hpo)
    stored = (hpo.home / "jobs/job/spec.yaml").read_text()
    assert hpo("copy", "job").out == stored
    before = yaml.safe_load(stored)
    narrowed = hpo("narrow", "job", "--top", "6", "-o", "round-2.yaml")
    text = hpo.text("round-2.yaml")
    after = yaml.safe_load(text)
    assert {key: value for key, value in after.items() if key not in {"name", "parameters"}} == {
        key: value for key, value in before.items() if key not in {"name", "parameters"}
    }
    assert after["name"] == "job-2"
    best = hpo("best", "job", "--top", "6", "--json").json
    ranges = after["parameters"]
    for name in ("lr", "depth", "momentum", "noise"):
        for trial in best:
            assert ranges[name]["min"] <= trial["parameters"][name] <= ranges[name]["max"]
    assert ranges["lr"]["min"] > 1e-5
    assert ranges["lr"]["max"] < 1.0
    assert ranges["lr"].get("scaling", "logarithmic") == "logarithmic"
    assert ranges["depth"]["step"] == 2
    assert (ranges["depth"]["max"] - ranges["depth"]["min"]) < 18
    assert (ranges["depth"]["min"] - 2) % 2 == 0
    assert ranges["kind"]["values"][0] == "good"
    assert "worse" not in ranges["kind"]["values"]
    for line in narrowed.err.splitlines():
        assert f"# {line.partition(': ')[2]}" in text or line in text
    assert "lr: max: 1.0 → " in narrowed.err
    assert "kind: values: ['good', 'bad', 'worse'] → ['good'" in narrowed.err
    assert "'worse' in none of the best 6, though tried" in text
    hpo("run", "round-2.yaml")
    assert hpo("status", "job-2", "--json").json["counts"]["completed"] == 60
    assert "name: job-3\n" in hpo("narrow", "job").out


def test_a_range_is_widened_where_the_best_lies_on_its_bound(hpo: Hpo) -> None:
    parameters = {
        "x": {"type": "integer", "min": 1, "max": 12},
        "y": {"type": "continuous", "min": 0.5, "max": 1.0, "step": 0.25},
    }
    hpo.job('echo "loss=-$2$4"', parameters=parameters, strategy="grid", limits={"max_jobs": 36})
    hpo("run", "spec.yaml")
    narrowed = hpo("narrow", "job", "--name", "wider")
    ranges = yaml.safe_load(narrowed.out)["parameters"]
    assert ranges["x"]["max"] > 12
    assert ranges["x"]["min"] > 1
    assert "x: the best value, 12, lies on max, 12\n" in narrowed.err
    assert ranges["y"]["max"] == 1.0
    assert "y: the best value, 1, lies on max, 1, which is not moved" in narrowed.err
    assert "limits.max_jobs: left out" in narrowed.err
    hpo.write("wider.yaml", narrowed.out)
    hpo("plan", "wider.yaml")


def test_too_few_trials_are_refused(hpo: Hpo) -> None:
    hpo.job("echo loss=$HPO_TRIAL", limits={"max_jobs": 9})
    hpo("run", "spec.yaml")
    said = hpo("narrow", "job", status=1)
    assert "9 trials have completed of job, and its ranges can be narrowed from 10 on" in said.err
    assert said.out == ""
    hpo("resume", "job", "--set", "limits.max_jobs=12")
    said = hpo("narrow", "job", "--top", "7", status=2)
    assert "take from 2 to 6 of them" in said.err
    hpo("narrow", "job")
    hpo.write("mine.yaml", "mine")
    assert "exists already" in hpo("narrow", "job", "-o", "mine.yaml", status=2).err


def test_conditions_defaults_and_first_values_stay_right(hpo: Hpo) -> None:
    parameters = {
        "x": {"type": "continuous", "min": 0.0, "max": 1.0, "default": 0.9},
        "optimizer": {"type": "categorical", "values": ["sgd", "adam"]},
        "momentum": {"type": "continuous", "min": 0.1, "max": 0.9, "when": {"optimizer": ["sgd"]}},
    }
    program = 'case "$4" in adam) echo "loss=$2";; *) echo "loss=1$2";; esac'
    initial = [{"x": 0.95}]
    hpo.job(program, parameters=parameters, initial=initial, limits={"max_jobs": 30})
    hpo("run", "spec.yaml")
    narrowed = hpo("narrow", "job", "-o", "again.yaml")
    after = yaml.safe_load(hpo.text("again.yaml"))
    assert after["parameters"]["optimizer"]["values"] == ["sgd", "adam"]
    assert after["parameters"]["momentum"] == parameters["momentum"]
    assert "momentum: left as it is: only 0 of the best 6 trials have it" in narrowed.err
    assert after["parameters"]["x"]["default"] <= after["parameters"]["x"]["max"] < 0.9
    assert after["initial"] == []
    hpo("plan", "again.yaml")


def test_comments_of_the_job_s_own_spec_stay_and_the_next_one_may_begin_with_its_trials(hpo: Hpo) -> None:
    hpo.job('echo "loss=$2"', limits={"max_jobs": 10})
    hpo("run", "spec.yaml")
    path = hpo.home / "jobs/job/spec.yaml"
    path.write_text("# mine\n" + path.read_text() + "# to the end\n")
    (hpo.folder / "away").mkdir()
    hpo("narrow", "job", "--warm-start", "-o", "away/again.yaml")
    text = hpo.text("away/again.yaml")
    assert "# mine\n" in text
    assert text.endswith("# to the end\n")
    after = yaml.safe_load(text)
    assert after["warm_start"] == {"type": "identical", "parents": ["job"]}
    assert after["launcher"]["workdir"] == str(hpo.folder)
    hpo("run", "away/again.yaml")
    assert hpo("status", "job-2", "--json").json["status"] == "completed"

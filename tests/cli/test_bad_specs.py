"""Mistakes in a spec: each gets a message that helps, exit status 2, and nothing is started."""

from __future__ import annotations

import os

import pytest

from tests.command_line import Hpo

X = {"type": "continuous", "min": 0.0, "max": 1.0}


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        pytest.param(
            {"parameters": {"x": X | {"minimum": 1}}},
            [
                "unknown key `minimum` in `parameters.x`",
                "did you mean `min`?",
                "allowed here: type, min, max",
            ],
            id="unknown_key_of_a_parameter",
        ),
        pytest.param(
            {"paramaters": {}},
            ["unknown key `paramaters`", "did you mean `parameters`?"],
            id="unknown_key",
        ),
        pytest.param(
            {"launcher": {"command": "sh train.sh", "comand": 1}},
            ["unknown key `comand` in `launcher`", "did you mean `command`?"],
            id="unknown_key_of_the_launcher",
        ),
        pytest.param(
            {"objective": {"metric": "los", "goal": "minimize"}},
            ["`objective.metric` is `los`", "did you mean `loss`?", "defined are: loss"],
            id="unknown_metric",
        ),
        pytest.param(
            {"metrics": {"loss": r"loss=(\S+"}}, ["spec.yaml:8:9: ", "a ( is never closed"], id="regex_broken"
        ),
        pytest.param(
            {"metrics": {"loss": r"loss=\S+"}},
            ["spec.yaml:8:9: ", "has no group", r"f1: (\S+)"],
            id="regex_without_group",
        ),
        pytest.param(
            {"metrics": {"loss": r"(?<=loss=)(\S+)"}},
            ["look-behind (?<=…) is refused", "linear time"],
            id="regex_with_look_behind",
        ),
        pytest.param(
            {"metrics": {"loss": r"(\S+)=\1"}},
            [r"the back reference \1 is refused", "linear time"],
            id="regex_with_back_reference",
        ),
        pytest.param(
            {"launcher": {"command": ["./trian.sh"]}},
            ["spec.yaml:18:3: `launcher.command`: there is no ", "did you mean train.sh?"],
            id="missing_program",
        ),
        pytest.param(
            {"launcher": {"command": "phyton3 train.sh"}},
            ["no program phyton3 on the PATH", "did you mean "],
            id="missing_program_on_the_path",
        ),
        pytest.param(
            {"launcher": {"command": ["sh", "tarin.sh"]}}, ["did you mean train.sh?"], id="missing_script"
        ),
        pytest.param(
            {"launcher": {"command": ["./train.sh"]}},
            ["train.sh is not executable", "chmod +x"],
            id="program_not_executable",
        ),
        pytest.param({"launcher": {}}, ["`launcher.command` is missing"], id="no_command"),
        pytest.param(
            {"launcher": {"command": False}},
            ["`launcher.command` is false; it must be a list or text", "[python, train.py]"],
            id="command_of_another_type",
        ),
        pytest.param(
            {"launcher": {"command": {"sh": "train.sh"}}},
            ["`launcher.command` is a mapping; it must be a list or text"],
            id="command_as_a_mapping",
        ),
        pytest.param(
            {"inputs": {"train": "./data"}},
            ["spec.yaml:21:10: `inputs.train`: there is no ", "/data"],
            id="missing_input",
        ),
        pytest.param(
            {"inputs": {"train": "~nosuchuser/data"}},
            ["`inputs.train` is `~nosuchuser/data`; no home folder is known for `~nosuchuser`"],
            id="input_of_nobody",
        ),
        pytest.param(
            {"launcher": {"command": ["sh", "train.sh"], "workdir": "~nosuchuser"}},
            ["`launcher.workdir` is `~nosuchuser`; no home folder is known"],
            id="workdir_of_nobody",
        ),
        pytest.param(
            {"launcher": {"command": ["sh", "train.sh"], "env_from": {"A": {"file": "~nosuchuser/a"}}}},
            ["`launcher.env_from.A.file` is `~nosuchuser/a`; no home folder is known"],
            id="secret_of_nobody",
        ),
        pytest.param({"name": "../../etc/cron"}, ["a name is not a path"], id="name_that_is_a_path"),
        pytest.param({"name": "a" * 33}, ["1 to 32 letters"], id="name_too_long"),
        pytest.param(
            {"strategy": "baysian"},
            ["`strategy", "did you mean `bayesian`?", "hyperband"],
            id="unknown_strategy",
        ),
        pytest.param(
            {"strategy": "hyperband"}, ["max_resource", "epochs"], id="hyperband_without_a_resource"
        ),
        pytest.param({"limits": {"max_jobs": 0}}, ["`limits.max_jobs` is 0", "1 or more"], id="no_jobs"),
        pytest.param(
            {"limits": {"max_jobs": 3, "max_runtime": "2 weeks"}}, ["`2 weeks`", "15m, 2h"], id="bad_duration"
        ),
        pytest.param({"limits": {}}, ["`limits.max_jobs` is missing"], id="no_limit"),
        pytest.param(
            {"launcher": {"command": ["sh", "train.sh", "${DATA_ROOT}"]}},
            ["the environment variable DATA_ROOT is not set", "${DATA_ROOT:-default}"],
            id="unset_variable",
        ),
        pytest.param(
            {"launcher": {"command": ["sh", "train.sh"], "env_from": ["SOME_TOKEN"]}},
            ["`launcher.env_from.0`: the variable SOME_TOKEN is not set"],
            id="missing_secret",
        ),
        pytest.param(
            {"launcher": {"command": ["sh", "train.sh"], "gpus": 99}},
            ["`launcher.gpus`: a trial needs 99"],
            id="missing_gpus",
        ),
        (
            {"parameters": {"x": X, "depth": X | {"when": {"y": [1]}}}},
            ["the name `y`: there is no such parameter", "there are: x"],
        ),
        (
            {"parameters": {"x": X, "y": X | {"when": {"x": [0.5]}}}},
            ["the name `x`: a condition on a continuous parameter", "give it a step"],
        ),
        ({"constraints": ["x <"]}, ["`constraints.0` is `x <`; ", "it cannot be read"]),
        ({"constraints": ["x < 0"]}, ["none of 100,000 random configurations", "never held: `x < 0`\n"]),
        ({"parameters": "atuo"}, ["`parameters` is `atuo`; it must be auto, or a", "did you mean `auto`?"]),
        (
            {"initial": [{"x": 2}]},
            ["`initial.0.x` is 2; it is none of the parameter's values", "from 0.0 to 1.0"],
        ),
    ],
)
def test_a_mistake_is_refused_with_words_that_help(
    hpo: Hpo, sections: dict[str, object], words: list[str]
) -> None:
    hpo.job("touch started", **sections)
    said = hpo.refused("run", "spec.yaml")
    assert "spec has 1 mistake; nothing was started" in said
    assert "spec.yaml:" in said
    assert [word for word in words if word not in said] == [], said


NOT_YET = {
    "cross_validation": {"folds": 5},
}


@pytest.mark.parametrize("key", NOT_YET)
def test_what_is_not_available_yet_is_refused_by_name(hpo: Hpo, key: str) -> None:
    hpo.job("touch started", **{key: NOT_YET[key]})
    said = hpo.refused("run", "spec.yaml")
    assert key in said
    assert "is not available yet" in said


@pytest.mark.parametrize("command", ["report", "export", "finish"])
def test_a_command_that_is_not_available_yet_is_refused_by_name(hpo: Hpo, command: str) -> None:
    assert f"`hpo {command}` is not available yet" in hpo(command, "job", status=2).err


def test_a_command_that_does_not_exist_is_refused_with_the_closest(hpo: Hpo) -> None:
    assert "Did you mean 'status'?" in hpo("statsu", "job", status=2).err
    assert "No such option" in hpo("best", "job", "--tpo", "3", status=2).err


BOMB = "\n".join(
    ["name: bomb", "a: &a [x, x, x, x, x, x, x, x, x]"]
    + [f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]" for i in range(12)]
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(BOMB.encode(), ["spec.yaml:", "alias"], id="yaml_bomb"),
        pytest.param(b"name: job\n" + b"# filler\n" * 130_000, ["larger than 1 MiB"], id="huge"),
        pytest.param("name: caf\xe9\n".encode("latin-1"), ["spec.yaml:1:10", "is not UTF-8"], id="latin_1"),
        pytest.param(b"\x7fELF\x02\x01\x01\x00\xff\xfe", ["is not UTF-8"], id="a_program"),
        pytest.param(b"", ["the file is empty"], id="empty"),
        pytest.param(b"name: [job\nseed: 1\n", ["spec.yaml:"], id="not_yaml"),
        pytest.param(b"name: job\nname: other\n", ["spec.yaml:2:1", "name"], id="duplicate_key"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(hpo: Hpo, content: bytes, words: list[str]) -> None:
    (hpo.folder / "spec.yaml").write_bytes(content)
    said = hpo.refused("run", "spec.yaml")
    assert [word for word in words if word not in said] == [], said


def test_a_spec_in_a_folder_whose_name_is_not_utf_8_is_refused(hpo: Hpo) -> None:
    hpo.job("touch started")
    folder = hpo.folder / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (hpo.folder / "spec.yaml").rename(folder / "spec.yaml")
    said = hpo.refused("run", folder / "spec.yaml")
    assert r"/caf\udce9', is not UTF-8" in said
    assert "rename the folder" in said


def test_a_spec_that_is_not_there_is_refused(hpo: Hpo) -> None:
    assert "nowhere.yaml: there is no such file" in hpo.refused("run", "nowhere.yaml")
    assert ".: this is a folder" in hpo.refused("run", ".")


def test_all_mistakes_are_told_at_once_each_with_its_place(hpo: Hpo) -> None:
    hpo.write(
        "spec.yaml",
        "\n".join(
            [
                "name: two words",
                "objective: {metric: f1, goal: upwards}",
                "metrics: {loss: 'loss=(\\S+'}",
                "parameters:",
                "  x: {type: continuous, min: 1, max: 0}",
                "limits: {max_jobs: many}",
                "launcher: {command: [nowhere-to-be-found]}",
            ]
        ),
    )
    said = hpo.refused("run", "spec.yaml")
    for place in ("1:7", "2:21", "2:31", "3:17", "5:38", "6:20"):
        assert f"spec.yaml:{place}: " in said, said


def test_the_place_of_an_override_is_the_override(hpo: Hpo) -> None:
    hpo.job("touch started")
    assert "--set limits.max_jobs=none: " in hpo.refused("run", "spec.yaml", "--set", "limits.max_jobs=none")
    assert "this sets nothing" in hpo.refused("run", "spec.yaml", "--set", "limits.max_jobs")
    hpo.write("over.yaml", "limits: {max_job: 3}\n")
    assert "over.yaml:1:10: unknown key `max_job`" in hpo.refused("run", "spec.yaml", "-c", "over.yaml")


def test_a_name_given_on_the_command_line_is_checked(hpo: Hpo) -> None:
    hpo.job("touch started")
    assert "a name is not a path" in hpo.refused("run", "spec.yaml", "--name", "../up")
    assert "no job name" in hpo("status", "../up", status=2).err


def test_a_pattern_that_is_refused_is_named_and_shown(hpo: Hpo) -> None:
    """As any other value is: with several metrics the place alone is little help."""
    hpo.job("touch started", metrics={"loss": r"loss=(\S+)", "f1": r"f1=\S+"})
    said = hpo.refused("run", "spec.yaml")
    assert "`metrics.f1`" in said
    assert r"f1=\S+" in said


def test_a_state_folder_that_cannot_be_made_is_said(hpo: Hpo) -> None:
    hpo.job("touch started")
    hpo.write("state", "a file where the folder should be")
    said = hpo("run", "spec.yaml", status=1).err
    assert f"{hpo.home}/jobs: Not a directory; jobs are kept in {hpo.home}: make it writable" in said
    assert "or set HPO_HOME to another folder" in said

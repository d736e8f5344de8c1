"""What is found to be missing before anything is started."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hpo.launchers.launcher import Obstacle
from hpo.launchers.process.options import ProcessOptions
from tests.launchers.machine import Machine

COMMAND = ("launcher", "command")
SECRETS = ("launcher", "env_from")


def test_nothing_is_missing(machine: Machine) -> None:
    (machine.base / "train.py").touch()
    (machine.base / "data").mkdir()
    machine.inputs = {"train": "data"}
    assert machine.launcher("sh", "train.py").check() == []


def test_a_program_that_is_not_on_the_path(machine: Machine) -> None:
    (obstacle,) = machine.launcher("pyhton3", "x").check()
    assert obstacle.path == ("launcher", "command")
    assert obstacle.message.startswith("no program pyhton3 on the PATH (")
    assert obstacle.message.endswith("; did you mean python3?")


def test_a_program_of_the_folder_needs_a_dot(machine: Machine) -> None:
    (machine.base / "my-train").touch(0o755)
    (obstacle,) = machine.launcher("my-train", "x").check()
    assert obstacle.message.endswith(f"; `./my-train` is in {machine.base}")


def test_the_spec_s_path_counts(machine: Machine) -> None:
    (machine.base / "bin").mkdir()
    (machine.base / "bin" / "tool").touch(0o755)
    assert machine.launcher("tool", "x", env={"PATH": f"{machine.base}/bin"}).check() == []
    assert machine.launcher("sh", "x", env={"PATH": f"{machine.base}/bin"}).check() != []


def test_a_program_that_is_not_there(machine: Machine) -> None:
    (machine.base / "train.sh").touch(0o755)
    assert machine.launcher("./trian.sh", "x").check() == [
        Obstacle(COMMAND, f"there is no {machine.base}/trian.sh; did you mean train.sh?")
    ]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_program_that_is_not_executable(machine: Machine, kind: str) -> None:
    path = machine.base / "train"
    path.touch(0o644) if kind == "file" else path.mkdir()
    (obstacle,) = machine.launcher("./train", "x").check()
    assert obstacle.message.startswith(f"{path} is not executable")


def test_a_script_that_is_not_there(machine: Machine) -> None:
    (machine.base / "train.py").touch()
    assert machine.launcher("sh", "tarin.py").check() == [
        Obstacle(COMMAND, f"there is no {machine.base}/tarin.py; did you mean train.py?")
    ]


@pytest.mark.parametrize("command", [("sh", "{model}.py"), ("sh", "-c", "train.py"), ("./{model}", "x")])
def test_what_may_be_no_file_is_not_looked_for(machine: Machine, command: tuple[str, ...]) -> None:
    assert machine.launcher(*command).check() == []


def test_a_working_directory_that_is_not_there(machine: Machine) -> None:
    assert machine.launcher("true", workdir="src").check() == [
        Obstacle(("launcher", "workdir"), f"there is no folder {machine.base}/src")
    ]


def test_inputs_that_are_not_there(machine: Machine) -> None:
    machine.inputs = {"train": "data", "test": "gs://bucket/test"}
    assert machine.launcher("true").check() == [
        Obstacle(("inputs", "train"), f"there is no {machine.base}/data"),
        Obstacle(
            ("inputs", "test"),
            "trials on this machine cannot read gs://bucket/test; copy it here and give the path",
        ),
    ]


def test_secrets_that_are_not_there(machine: Machine) -> None:
    sources = {"A": {"env": "HPO_TEST_NO_SUCH"}, "B": {"file": "nowhere"}}
    unset = "the variable HPO_TEST_NO_SUCH is not set"
    assert machine.launcher("true", env_from=sources).check() == [
        Obstacle((*SECRETS, "A"), unset),
        Obstacle((*SECRETS, "B"), "B cannot be read from nowhere: No such file or directory"),
    ]
    assert machine.launcher("true", env_from=["PATH", "HPO_TEST_NO_SUCH"]).check() == [
        Obstacle((*SECRETS, 1), unset)
    ]


@pytest.mark.parametrize(("visible", "found"), [("", "none"), ("3", "only 3"), ("3, 3", "only 3")])
def test_gpus_that_are_not_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, visible: str, found: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine.launcher("true", gpus=2).check() == [
        Obstacle(("launcher", "gpus"), f"a trial needs 2, and {found} can be found here")
    ]


# -- the options


def test_a_command_may_be_one_text() -> None:
    assert ProcessOptions.model_validate({"command": "python 'my train.py' -v"}).command == [
        "python", "my train.py", "-v",
    ]  # fmt: skip


def test_a_grace_period_is_a_duration() -> None:
    assert ProcessOptions.model_validate({"command": "x", "stop_grace": "2m"}).stop_grace == 120


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Field required"),
        ({"command": []}, "at least 1"),
        ({"command": "python 'train"}, "No closing quotation"),
        ({"command": "x", "comand": "x"}, "Extra inputs"),
        ({"command": "x", "gpus": -1}, "greater than or equal to 0"),
        ({"command": "x", "threads": "many"}, "auto"),
        ({"command": "x", "env": {"A=B": "x"}}, "neither white space nor"),
        ({"command": "x", "env_from": {"A": {"path": "x"}}}, "file"),
    ],
)
def test_options_that_are_wrong(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ProcessOptions.model_validate(options)

"""Runs that are processes of this machine: what they are given."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hpo.core.trial import RunState
from hpo.errors import CannotStart
from tests.conformance.following import patiently
from tests.launchers.machine import Machine

Eventually = Callable[[Callable[[], object]], None]
PYTHON = (sys.executable, "-I", "-S", "-c")


# -- what a program is given


def test_arguments_and_paths_arrive_as_they_are(machine: Machine) -> None:
    machine.base = machine.base / "a 'folder' with\nparts — ü"
    machine.base.mkdir()
    params = {"text": 'it\'s "quoted"\nand $HOME `ls` \\ *', "empty": "", "_ünïcode": "värde\t;|&"}
    code = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), os.environ['SM_HPS']]))"
    report, log = patiently(machine.run(machine.launcher(*PYTHON, code), machine.launch(params=params)))
    assert report.state is RunState.SUCCEEDED, report
    argv, folder, hps = json.loads(log)
    assert argv == [part for name, value in params.items() for part in (f"--{name}", value)]
    assert folder == str(machine.base)
    assert json.loads(hps) == params


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_program_has_a_session_of_its_own_and_nothing_of_its_guard(machine: Machine) -> None:
    script = "cat /proc/$$/stat /proc/self/status; ls -l /proc/$$/fd; cat"
    leak = os.open(machine.base, os.O_RDONLY)
    os.set_inheritable(leak, True)
    report, log = patiently(machine.run(machine.launcher(script)))
    os.close(leak)
    assert report.state is RunState.SUCCEEDED, (report, log)
    pid, _, _, _, group, session = log.splitlines()[0].split()[:6]
    assert pid == group == session
    fields = dict(line.split(":\t", 1) for line in log.splitlines() if ":\t" in line)
    ordinary = 2**31 - 1  # the signals that are not the C library's own
    assert int(fields["SigBlk"], 16) & ordinary == int(fields["SigIgn"], 16) & ordinary == 0
    links = [line.split()[-3:] for line in log.splitlines() if " -> " in line]
    assert [(name, target) for name, _, target in links] == [
        ("0", "/dev/null"),
        ("1", str(machine.folder() / "log")),
        ("2", str(machine.folder() / "log")),
    ]


def test_the_environment_is_the_tuner_s_with_the_spec_s(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INHERITED", "from outside")
    monkeypatch.setenv("CHANGED", "before")
    env = {"CHANGED": "after", "FLAG": True, "RATE": 0.5}
    script = 'echo "$INHERITED|$CHANGED|$FLAG|$RATE|$PYTHONUNBUFFERED|$HPO_JOB $HPO_TRIAL $HPO_RUN"'
    _, log = patiently(machine.run(machine.launcher(script, env=env), machine.launch(7, 2)))
    assert log == "from outside|after|true|0.5|1|job 7 2\n"


def test_the_program_runs_in_the_working_directory(machine: Machine) -> None:
    (machine.base / "code").mkdir()
    tool = machine.base / "code" / "tool"
    tool.write_text("#!/bin/sh\npwd\n")
    tool.chmod(0o755)
    _, log = patiently(machine.run(machine.launcher("./tool", "x", workdir="code")))
    assert log == f"{machine.base}/code\n"


def test_a_program_is_looked_for_on_the_path_that_the_spec_sets(machine: Machine) -> None:
    tool = machine.base / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    _, log = patiently(
        machine.run(machine.launcher("tool", "x", env={"PATH": f"{tool.parent}:/usr/bin:/bin"}))
    )
    assert log == "found\n"


@pytest.mark.parametrize(
    ("threads", "parallel", "expected"), [("auto", 10_000, "1 1"), (3, 1, "3 3"), ("off", 1, " ")]
)
def test_numeric_libraries_keep_to_the_trial_s_share(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, threads: str | int, parallel: int, expected: str
) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    machine.parallel = parallel
    script = 'echo "$OMP_NUM_THREADS $MKL_NUM_THREADS"'
    _, log = patiently(machine.run(machine.launcher(script, threads=threads)))
    assert log == f"{expected}\n"


def test_thread_limits_of_the_user_s_own_stay(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    _, log = patiently(machine.run(machine.launcher('echo "$OMP_NUM_THREADS|$MKL_NUM_THREADS"', threads=2)))
    assert log == "7||\n".replace("||", "|")


# -- script mode


SCRIPT_MODE = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float)
parser.add_argument("--epochs", type=int)
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
parser.add_argument("--output", default=os.environ["SM_OUTPUT_DATA_DIR"])
args = parser.parse_args()
data = pathlib.Path(args.train, "data.csv").read_text()
config = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"])
hyperparameters = json.loads((config / "hyperparameters.json").read_text())
assert hyperparameters == {"epochs": "3", "learning-rate": "0.25"}, hyperparameters
assert json.loads((config / "resourceconfig.json").read_text())["hosts"] == json.loads(os.environ["SM_HOSTS"])
assert list(json.loads((config / "inputdataconfig.json").read_text())) == ["train"]
checkpoints = pathlib.Path(args.model_dir).parent / "checkpoints"
print("checkpoints:", sorted(path.name for path in checkpoints.iterdir()))
(checkpoints / os.environ["HPO_RUN"]).write_text("state")
pathlib.Path(args.model_dir, "model.bin").write_text(data)
pathlib.Path(args.output, "extra").touch()
print(f"f1: {args.learning_rate * args.epochs}")
"""


def test_a_script_mode_program_runs_unmodified(machine: Machine) -> None:
    (machine.base / "train.py").write_text(SCRIPT_MODE)
    (machine.base / "data").mkdir()
    (machine.base / "data" / "data.csv").write_text("1,2")
    machine.inputs = {"train": "./data"}
    machine.fixed = {"epochs": 3}
    for run, before in ((1, "[]"), (2, "['1']")):  # the runs of a trial share their checkpoints
        launch = machine.launch(1, run, {"learning-rate": 0.25})
        report, log = patiently(machine.run(machine.launcher(sys.executable, "train.py"), launch))
        assert report.state is RunState.SUCCEEDED, log
        assert log == f"checkpoints: {before}\nf1: 0.75\n"
        assert (machine.folder(1, run) / "ml/model/model.bin").read_text() == "1,2"
        assert (machine.folder(1, run) / "ml/output/data/extra").exists()


# -- secrets


def test_a_secret_reaches_the_program_and_nothing_else(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTSIDE", "s3cret-one")
    monkeypatch.setenv("HOME", str(machine.base))
    (machine.base / "token").write_text("s3cret-two\n")
    sources = {"FIRST": {"env": "OUTSIDE"}, "SECOND": {"file": "token"}, "THIRD": {"file": "~/token"}}
    script = 'echo "${#FIRST} ${#SECOND} ${#THIRD}"; [ "$SECOND" = "$(cat token)" ] && echo same; read x<gate'
    gate = machine.base / "gate"
    os.mkfifo(gate)

    async def test() -> None:
        launcher, launch = machine.launcher(script, env_from=sources), machine.launch(params={"lr": 0.5})
        async with machine.following(launcher, launch) as run:
            await run.until(b"same\n")
            assert run.log == b"10 10 10\nsame\n"
            assert_not_in_sight("s3cret", machine.home)
            assert "s3cret" not in launcher.request(launch)
            assert "FIRST=(from env_from)" in launcher.request(launch).splitlines()
            gate.write_text("\n")
            await run.end()

    patiently(test())


def assert_not_in_sight(secret: str, folder: Path) -> None:
    for path in folder.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes(), path
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            assert secret.encode() not in path.read_bytes()


def test_a_missing_secret_keeps_a_run_from_starting(machine: Machine) -> None:
    launcher = machine.launcher("true", env_from=["HPO_TEST_MISSING"])
    with pytest.raises(CannotStart, match="HPO_TEST_MISSING"):
        patiently(launcher.launch(machine.launch()))
    assert patiently(launcher.find(machine.launch())) is None


def test_the_request_is_what_would_run(machine: Machine) -> None:
    machine.fixed = {"epochs": 3}
    launcher = machine.launcher("python", "train.py", "--tag", "a {lr}", env={"MODE": "fast lane"})
    lines = launcher.request(machine.launch(params={"lr": 0.5})).splitlines()
    assert lines[0] == f"cd {machine.base}"
    assert "MODE='fast lane'" in lines
    assert f"SM_MODEL_DIR={machine.folder()}/ml/model" in lines
    assert lines[-1] == "python train.py --tag 'a 0.5' --epochs 3"

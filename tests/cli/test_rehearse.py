"""Looking ahead: metrics, try and plan."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo

LOG = "epoch 1 f1: 0.5\nepoch 2 f1: 4.2e-05\nval_loss=0.25\n"

METRICS: dict[str, Any] = {
    "objective": {"metric": "f1", "goal": "maximize"},
    "metrics": {"f1": r"f1: (\S+)", "loss": r"train_loss=(\S+)"},
}


def test_metrics_are_tried_on_a_log(hpo: Hpo) -> None:
    hpo.job("", **METRICS)
    hpo.write("train.log", LOG)
    out = hpo("metrics", "spec.yaml", "--log", "train.log").out
    assert r"2 matches in 3 lines for `f1: (\S+)` (f1); the last is 4.2e-05" in out
    assert "line 1: epoch 1 f1: 0.5 → 0.5" in out
    assert r"0 matches in 3 lines for `train_loss=(\S+)` (loss)" in out
    assert "  line 3: val_loss=0.25" in out
    assert "try: '" in out


def test_metrics_are_tried_on_standard_input_as_json(hpo: Hpo) -> None:
    hpo.job("", **METRICS)
    found = hpo("metrics", "spec.yaml", "--log", "-", "--json", text=LOG).json
    f1, loss = found["metrics"]
    assert (found["lines"], f1["count"], f1["last"]) == (3, 2, 4.2e-05)
    assert (loss["count"], loss["suggestion"]["last"]) == (0, 0.25)


MEASURED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(status)
"""
"""Runs a command, and prints the most memory that a process of it held, in MiB."""


def test_standard_input_may_be_longer_than_the_memory(hpo: Hpo) -> None:
    hpo.job("", **METRICS)
    command = shlex.join(hpo.command("metrics", "spec.yaml", "--log", "-"))
    measured = shlex.join([sys.executable, "-c", MEASURED])
    log = "yes 'a line of some length, with a number: 0.125' | head -c 300000000; echo f1: 0.5"
    ran = subprocess.run(
        ["sh", "-c", f"({log}) | {measured} {command}"],
        cwd=hpo.folder,
        env=hpo.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the last is 0.5" in ran.stderr
    assert int(ran.stdout) < 250


def test_metrics_needs_standard_input_to_be_open(hpo: Hpo) -> None:
    hpo.job("", **METRICS)
    command = f"{shlex.join(hpo.command('metrics', 'spec.yaml', '--log', '-'))} <&-"
    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=hpo.folder,
        env=hpo.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "--log - reads standard input, which is closed" in ran.stderr


def test_metrics_exits_with_1_where_the_objective_is_not_read(hpo: Hpo) -> None:
    hpo.job("", **METRICS)
    assert "no line comes close" in hpo("metrics", "spec.yaml", "--log", "-", text="bye\n", status=1).out
    assert "the log is empty" in hpo("metrics", "spec.yaml", "--log", "-", status=1).out


def test_metrics_needs_neither_the_program_nor_a_log_that_is_there(hpo: Hpo) -> None:
    hpo.job("", **METRICS, launcher={"command": ["not-here-yet"]})
    hpo("metrics", "spec.yaml", "--log", "-", text="f1: 1\n")
    missing = hpo("metrics", "spec.yaml", "--log", "gone.log", status=2)
    assert "--log gone.log cannot be read: No such file or directory" in missing.err


def test_try_runs_one_trial_and_keeps_nothing(hpo: Hpo) -> None:
    hpo.job('echo "$1 $2"; echo "loss=$2"; echo "warning" >&2')
    tried = hpo("try", "spec.yaml")
    assert "trying --x 0.5" in tried.err
    assert "  | --x 0.5\n  | loss=0.5\n  | warning\n" in tried.err
    assert "loss  0.5, the only match" in tried.out
    assert "a trial like this would complete with loss = 0.5" in tried.out
    assert not hpo.home.exists()


def test_try_as_json(hpo: Hpo) -> None:
    hpo.job('echo "loss=1"; echo "loss=$2"')
    assert hpo("try", "spec.yaml", "--json").json == {
        "algorithm": None,
        "ended": "succeeded",
        "detail": "",
        "parameters": {"x": 0.5},
        "value": 0.5,
        "values": {"loss": 0.5},
        "violations": [],
        "metrics": {"loss": 0.5},
        "lines": 2,
    }


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("echo 'Loss: 0.5'", r"try: 'Loss: (\S+)'"),
        ("true", "the log is empty"),
        ("echo loss=nan", "loss  not finite, the only match"),
        ("echo loss=1; exit 4", "exit status 4"),
    ],
)
def test_try_says_why_a_trial_would_fail(hpo: Hpo, program: str, words: str) -> None:
    hpo.job(program)
    tried = hpo("try", "spec.yaml", status=1)
    assert "a trial like this would fail" in tried.out
    assert words in tried.out


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_try_leaves_nothing_when_it_is_interrupted(
    hpo: Hpo, number: signal.Signals, status: int, eventually: Callable[[Callable[[], object]], None]
) -> None:
    hpo.job("touch started; exec sleep 1000")
    process = hpo.start("try", "spec.yaml")
    eventually((hpo.folder / "started").exists)
    process.send_signal(number)
    assert process.wait(PATIENCE) == status
    assert hpo.left_behind() == []
    assert "Traceback" not in hpo.text("err")


GPU = {"command": ["sh", "train.sh"], "gpus": 1}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock as another process does that uses, or chooses, GPUs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDONLY) if path.is_dir() else os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    yield
    os.close(file)


def test_try_that_is_interrupted_while_it_launches_leaves_nothing(
    hpo: Hpo, eventually: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    hpo.job("touch started; exec sleep 1000", launcher=GPU)
    (hpo.home / "gpus").mkdir(parents=True)
    with locked(hpo.home / "gpus"):  # so that the guard waits
        process = hpo.start("try", "spec.yaml")
        eventually(lambda: any("guard" in line for line in hpo.processes()))
        process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert hpo.left_behind() == []


def test_try_uses_no_gpu_that_a_job_has(hpo: Hpo) -> None:
    hpo.job("echo loss=1", launcher=GPU)
    visible = {"CUDA_VISIBLE_DEVICES": "0"}
    hpo("try", "spec.yaml", env=visible)
    with locked(hpo.home / "gpus/0"):
        refused = hpo("try", "spec.yaml", env=visible, status=1)
    assert "hpo: waiting for a GPU: 0 is used by job-0001-1" in refused.err
    assert hpo.left_behind() == []


def test_plan_tells_no_more_trials_at_a_time_than_there_are(hpo: Hpo) -> None:
    hpo.job("touch started", limits={"max_jobs": 2, "max_parallel_jobs": 8})
    assert "trials    2, 2 at a time" in hpo("plan", "spec.yaml").out


def test_plan_shows_what_would_run_and_starts_nothing(hpo: Hpo) -> None:
    hpo.job(
        "touch started",
        limits={"max_jobs": 8, "max_parallel_jobs": 2, "max_job_runtime": "15m"},
        fixed={"epochs": 3},
    )
    out = hpo("plan", "spec.yaml").out
    for words in ("job: minimize loss", "random, in a space of 1 parameter,", "8, 2 at a time", "1h 00m"):
        assert words in out
    request = out.partition("trial 1 would be launched as\n")[2]
    assert f"cd {hpo.folder}" in request
    assert "sh train.sh --epochs 3 --x " in request
    assert "SM_MODEL_DIR" not in request
    assert "SM_MODEL_DIR=" in hpo("plan", "spec.yaml", "--full").out
    assert not (hpo.folder / "started").exists()
    assert not hpo.home.exists()


def test_a_plan_as_json_is_what_the_job_then_does(hpo: Hpo) -> None:
    hpo.job('echo "loss=$2"', limits={"max_jobs": 4})
    plan = hpo("plan", "spec.yaml", "--json").json
    trials = plan.pop("trials")
    assert plan.pop("request").endswith(f"sh train.sh --x {trials[0]['parameters']['x']}")
    assert plan == {
        "job": "job",
        "strategy": "random",
        "model": None,
        "objectives": [{"metric": "loss", "goal": "minimize"}],
        "require": [],
        "max_jobs": 4,
        "max_parallel_jobs": 1,
        "configurations": None,
        "algorithms": [],
        "longest_seconds": None,
        "repeats": None,
        "cost": None,
        "warnings": [],
        "warm_start": [],
        "autotune": None,
        "examples": False,
    }
    hpo("run", "spec.yaml")
    ran = hpo("trials", "job", "--json").json
    keys = ("trial", "algorithm", "parameters", "proposed_by")
    assert [{key: trial[key] for key in keys} for trial in ran] == trials


@pytest.mark.parametrize(("strategy", "are_examples"), [("random", True), ("grid", False)])
def test_a_plan_without_a_seed_says_that_it_shows_examples(
    hpo: Hpo, strategy: str, are_examples: bool
) -> None:
    x = {"type": "integer", "min": 1, "max": 9}
    limits = {} if strategy == "grid" else {"max_jobs": 9}
    hpo.job("echo loss=1", seed=None, strategy=strategy, parameters={"x": x}, limits=limits)
    assert hpo("plan", "spec.yaml", "--json").json["examples"] == are_examples
    shown = hpo("plan", "spec.yaml").out
    assert ("5 examples of trials (without `seed` the job draws one of its own):" in shown) == are_examples
    assert ("the first 5 trials:" in shown) != are_examples


def test_plan_and_run_warn_of_what_is_probably_not_meant(hpo: Hpo) -> None:
    hpo.job(
        "echo f1: 0.5",
        metrics={"loss": r"f1: ([0-9\.]+)"},
        parameters={"n": {"type": "integer", "min": 1, "max": 2}},
    )
    for command in ("plan", "run"):
        said = hpo(command, "spec.yaml").err
        assert "warning: metrics.loss: " in said
        assert "the space has 2 configurations" in said
    assert json.dumps(hpo("plan", "spec.yaml", "--json").json["warnings"]).count("metrics.loss") == 1


def test_overlays_and_overrides_are_laid_over_the_spec_in_order(hpo: Hpo) -> None:
    hpo.job('echo "loss=$2"', limits={"max_jobs": 1})
    hpo.write("one.yaml", "limits: {max_jobs: 2, max_parallel_jobs: 2}\nstrategy: bayesian\n")
    hpo.write("two.yaml", "limits: {max_jobs: ${JOBS:-3}}\n")
    over = ("-c", "one.yaml", "-c", "two.yaml")
    plan = hpo("plan", "spec.yaml", *over, "--json", env={"JOBS": "7"}).json
    assert (plan["strategy"], plan["max_jobs"], plan["max_parallel_jobs"]) == ("bayesian", 7, 2)
    last = hpo("plan", "spec.yaml", *over, "--set", "limits.max_jobs=4", "--json").json
    assert (last["max_jobs"], last["max_parallel_jobs"]) == (4, 2)

"""Looking ahead: metrics, try and plan."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
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
    assert "loss  0.5, the last of 1 matches" in tried.out
    assert "a trial like this would complete with loss = 0.5" in tried.out
    assert not hpo.home.exists()


def test_try_as_json(hpo: Hpo) -> None:
    hpo.job('echo "loss=1"; echo "loss=$2"')
    assert hpo("try", "spec.yaml", "--json").json == {
        "ended": "succeeded",
        "detail": "",
        "parameters": {"x": 0.5},
        "value": 0.5,
        "metrics": {"loss": 0.5},
        "lines": 2,
    }


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("echo 'Loss: 0.5'", r"try: 'Loss: (\S+)'"),
        ("true", "the log is empty"),
        ("echo loss=nan", "loss  not finite, the last of 1 matches"),
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


def test_plan_shows_what_would_run_and_starts_nothing(hpo: Hpo) -> None:
    hpo.job(
        "touch started",
        limits={"max_jobs": 8, "max_parallel_jobs": 2, "max_job_runtime": "15m"},
        fixed={"epochs": 3},
    )
    out = hpo("plan", "spec.yaml").out
    for words in ("job: minimize loss", "random, in a space of 1 parameters", "8, 2 at a time", "1h 00m"):
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
        "max_jobs": 4,
        "max_parallel_jobs": 1,
        "configurations": None,
        "longest_seconds": None,
        "cost": None,
        "warnings": [],
    }
    hpo("run", "spec.yaml")
    ran = hpo("trials", "job", "--json").json
    keys = ("trial", "parameters", "proposed_by")
    assert [{key: trial[key] for key in keys} for trial in ran] == trials


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

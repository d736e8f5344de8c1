"""Acceptance lines 6 and 7, and `hpo why`: what ends jobs and trials early, through the real command line."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo

PROGRAM = """
[ "$HPO_TRIAL" -lt 4 ] && offset=0 || offset=5
for step in 1 2 3 4 5; do
  echo "loss=$((offset + 10 - step))"
  [ "$HPO_TRIAL" -lt 4 ] || while [ ! -e go ] && [ $step -ge 2 ]; do sleep 0.05; done
done
"""
"""The first three trials print 9, 8, 7, 6, 5; the others are worse by 5, and wait after the second step."""

MEDIAN = {"early_stopping": "median", "limits": {"max_jobs": 5, "max_parallel_jobs": 1}}


def trials(hpo: Hpo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", "job", "--json").json
    return found


def test_acceptance_7_a_trial_worse_than_the_median_is_stopped_marked_and_never_best(hpo: Hpo) -> None:
    """At step 2 the running averages of trials 1 to 3 are (9 + 8) / 2 = 8.5; trial 4 has 13 there."""
    hpo.job(PROGRAM, **MEDIAN)
    said = hpo("run", "spec.yaml").err
    verdict = "step 2: 13 is worse than 8.5, the median of the running averages of 3 trials"
    assert [trial["status"] for trial in trials(hpo)] == ["completed"] * 3 + ["pruned"] * 2
    assert [trial["detail"] for trial in trials(hpo)[3:]] == [verdict] * 2
    assert "pruned     loss = 13" in said
    shown = hpo("trials", "job").out
    for lines in (said.splitlines(), shown.splitlines()):
        pruned = [line for line in lines if line.endswith(f"  {verdict}")]
        assert [line.count("pruned") for line in pruned] == [1, 1]
    assert hpo("best", "job", "--json").json["trial"] == 1

    status = hpo("status", "job", "--json").json
    saved = status["saved_by_early_stopping"]
    assert (saved["trials"], saved["steps"]) == (2, 6.0)
    assert saved["seconds"] >= 0.0
    assert status["warnings"] == []
    assert " and 6 steps, by stopping early: 2 pruned" in hpo("status", "job").out
    assert " and 6 steps, by stopping early: 2 pruned" in said


def test_a_trial_that_is_not_among_the_best_percentile_is_stopped(hpo: Hpo) -> None:
    """At step 2 the best values of trials 1 to 3 are 8; trial 4 has come to 13 there."""
    hpo.job(PROGRAM, **{**MEDIAN, "early_stopping": {"rule": "percentile", "percentile": 25}})
    hpo("run", "spec.yaml")
    assert [trial["status"] for trial in trials(hpo)] == ["completed"] * 3 + ["pruned"] * 2
    (decision,) = hpo("why", "job", "5", "--json").json["decisions"]
    assert (decision["rule"], decision["value"], decision["threshold"]) == ("percentile", 13.0, 8.0)
    assert decision["against"] == [{"trial": number, "value": 8.0} for number in (1, 2, 3)]
    said = "step 2: the best so far, 13, is worse than 8, what the best 25% of 3 trials had by then"
    assert said in hpo("why", "job", "5").out


def test_why_tells_what_a_stopped_trial_was_compared_with(hpo: Hpo) -> None:
    hpo.job(PROGRAM, **MEDIAN)
    hpo("run", "spec.yaml")
    why = hpo("why", "job", "5", "--json").json
    assert (why["job"], why["trial"], why["status"], why["proposed_by"]) == ("job", 5, "pruned", "random")
    (decision,) = why["decisions"]
    assert decision == {
        "rule": "median",
        "step": 2.0,
        "value": 13.0,
        "threshold": 8.5,
        "rank": None,
        "of": 3,
        "stopped": True,
        "why": "step 2: 13 is worse than 8.5, the median of the running averages of 3 trials",
        "against": [{"trial": number, "value": 8.5} for number in (1, 2, 3)],
    }
    assert why["evidence"] == {"completed": 3, "pruned": 1, "failed": 0, "cancelled": 0, "pending": 0}
    assert why["best"] == {"origin": "job", "trial": 1, "value": 5.0}
    best = hpo("best", "job", "--json").json["parameters"]["x"]
    assert why["parameters"]["x"] == {"value": trials(hpo)[4]["parameters"]["x"], "best": best}
    (run,) = why["runs"]
    assert (run["run"], run["state"], run["launcher"]) == (1, "stopped", "process")
    text = hpo("why", "job", "5").out
    assert text.startswith("trial 5 of job: pruned, ")
    assert "then were 3 completed, 1 pruned\n" in text
    assert "compared: trial 1 8.5, trial 2 8.5, trial 3 8.5\n" in text


def test_why_tells_of_each_rung_of_hyperband(hpo: Hpo) -> None:
    """Six trials with the losses 1 to 6; whoever comes third to a rung, or later, must be the best third."""
    program = 'for step in 1 2 3 4; do echo "loss=$HPO_TRIAL"; [ $HPO_TRIAL -lt 3 ] || sleep 0.7; done'
    strategy = {"name": "hyperband", "min_resource": 1, "max_resource": 3}
    hpo.job(program, strategy=strategy, limits={"max_jobs": 8})
    hpo("run", "spec.yaml")
    found = [hpo("why", "job", str(number), "--json").json for number in range(1, 9)]
    assert {why["trial"] for why in found if why["decisions"][-1:] and why["decisions"][-1]["stopped"]} == {
        trial["trial"] for trial in trials(hpo) if trial["status"] == "pruned"
    }
    stopped = next(why for why in found if why["status"] == "pruned")
    decision = stopped["decisions"][-1]
    assert (decision["rule"], decision["step"], decision["value"]) == ("hyperband", 1, stopped["trial"])
    assert decision["rank"] == decision["of"] == len(decision["against"])
    assert decision["threshold"] < decision["value"]
    assert decision["against"][-1] == {"trial": stopped["trial"], "value": stopped["trial"]}
    first = found[0]["decisions"][0]
    assert (first["stopped"], first["of"], first["threshold"]) == (False, 1, None)
    assert "of fewer than 3 all go on" in hpo("why", "job", "1").out


def test_why_tells_of_every_run_and_failure(hpo: Hpo) -> None:
    hpo.job('[ "$HPO_TRIAL" = 2 ] && exit 3; echo "loss=1"')
    hpo("run", "spec.yaml")
    why = hpo("why", "job", "2", "--json").json
    assert (why["status"], why["reason"], why["decisions"]) == ("failed", "exit status", [])
    assert why["runs"][0]["reason"] == "exit status"
    assert "exit status 3" in hpo("why", "job", "2").out
    assert "it is the best trial" in hpo("why", "job", "1").out
    assert "its trials are 1 to 3" in hpo("why", "job", "9", status=4).err


def test_the_time_that_nobody_ran_the_job_is_no_waiting(hpo: Hpo) -> None:
    hpo.job("[ -e mended ] || exit 3; echo loss=1", limits={"max_jobs": 1, "max_failures": 5})
    hpo("run", "spec.yaml", status=1)
    with closing(sqlite3.connect(hpo.home / "jobs" / "job" / "job.db")) as db, db:
        db.execute("update run set started = started - 5000, ended = ended - 5000")
        db.execute("update trial set created = created - 5000")
        db.execute("update session set started = started - 5000")
    hpo.write("mended", "")
    hpo("retry", "job")
    first, second = hpo("why", "job", "1", "--json").json["runs"]
    assert (first["state"], second["state"]) == ("failed", "succeeded")
    assert second["waited_seconds"] < 1000


def test_acceptance_7_hyperband_with_median_stopping_is_refused(hpo: Hpo) -> None:
    strategy = {"name": "hyperband", "max_resource": 9}
    hpo.job("touch started", strategy=strategy, early_stopping="median")
    said = hpo.refused("run", "spec.yaml")
    assert "`early_stopping` is `median`; the strategy hyperband stops trials early by itself" in said


@pytest.mark.parametrize("strategy", ["random", "hyperband"])
def test_early_stopping_that_could_do_nothing_is_told(hpo: Hpo, strategy: str) -> None:
    sections: dict[str, object] = {"early_stopping": "median"} if strategy == "random" else {}
    hpo.job('echo "loss=$2"', strategy=strategy, fixed={"epochs": 9}, **sections)
    warning = (
        "early stopping did nothing: no trial gave loss more than once; "
        "print it after every epoch, or do without early stopping, and without Hyperband"
    )
    assert warning in hpo("run", "spec.yaml").err
    assert f"\nwarning   {warning}" in hpo("status", "job").out
    assert warning in hpo("status", "job", "--json").json["warnings"][0]


def test_without_early_stopping_nothing_is_saved_and_nothing_warned(hpo: Hpo) -> None:
    hpo.job('echo "loss=$2"')
    hpo("run", "spec.yaml")
    status = hpo("status", "job", "--json").json
    assert (status["saved_by_early_stopping"], status["warnings"]) == (None, [])


def test_acceptance_6_convergence_ends_the_job_and_is_named(hpo: Hpo) -> None:
    """The values are 4, 3, 2, 1.001, 1, 1, …: the last gain above 1% is that of trial 4."""
    program = 'case $HPO_TRIAL in 1) v=4;; 2) v=3;; 3) v=2;; 4) v=1.001;; *) v=1;; esac; echo "loss=$v"'
    hpo.job(program, stop_when={"converged": True}, limits={"max_jobs": 50})
    said = hpo("run", "spec.yaml").err
    status = hpo("status", "job", "--json").json
    reason = "in the last 10 trials the best value gained no more than 1%"
    assert (status["status"], status["reason"], status["counts"]["completed"]) == ("completed", reason, 14)
    assert reason in said
    assert "--set stop_when.converged=VALUE" in hpo("resume", "job").err


FINISHING = """
case $HPO_TRIAL in
  1) while [ ! -e second ]; do sleep 0.02; done; echo "loss=1" ;;
  2) touch second; while [ ! -e third ]; do sleep 0.02; done; echo "loss=0.5" ;;
  *) echo "loss=9" ;;
esac
"""


@pytest.mark.parametrize(("running", "best"), [("finish", 0.5), ("stop", 1.0)])
def test_what_runs_when_the_target_is_reached_is_finished_or_stopped(
    hpo: Hpo, running: str, best: float
) -> None:
    """Trial 2 ends by itself only after `third` is there, when trial 1 has long reached the target."""
    limits = {"max_jobs": 50, "max_parallel_jobs": 2}
    hpo.job(FINISHING, stop_when={"target": 1, "running": running}, limits=limits)
    tuner = hpo.start("run", "spec.yaml")
    while "1/50" not in hpo.text("err"):
        time.sleep(0.02)
    if running == "finish":
        hpo.write("third", "")
    assert tuner.wait(PATIENCE) == 0
    status = hpo("status", "job", "--json").json
    assert status["reason"] == "1.0 reached the target 1.0"
    assert hpo("best", "job", "--json").json["value"] == best
    assert len(trials(hpo)) == 2

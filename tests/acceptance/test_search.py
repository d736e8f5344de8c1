"""Acceptance lines 1 to 6: search, through the real command line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.command_line import Hpo

NINE: dict[str, Any] = {
    "parameters": {
        "n": {"type": "integer", "min": 1, "max": 3},
        "kind": {"type": "categorical", "values": ["a", "b", "c"]},
    },
    "fixed": {"epochs": 3},
    "limits": {"max_jobs": 9, "max_parallel_jobs": 3},
}
"""A space of nine configurations, each of which a job tries once."""

STRATEGIES = ["random", "grid", "bayesian", "hyperband"]


def trials(hpo: Hpo, name: str = "job") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", name, "--json").json
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_acceptance_1_every_strategy_runs_from_one_spec(hpo: Hpo, strategy: str) -> None:
    hpo.job('echo "loss=$4"', **NINE, strategy=strategy)
    hpo("run", "spec.yaml")
    status = hpo("status", "job", "--json").json
    assert (status["strategy"], status["status"]) == (strategy, "completed")
    assert {(t["parameters"]["n"], t["parameters"]["kind"]) for t in trials(hpo)} == {
        (n, kind) for n in (1, 2, 3) for kind in "abc"
    }
    assert status["best"]["parameters"]["n"] == 1
    assert status["best"]["value"] == 1.0


def test_acceptance_1_a_grid_is_refused_where_it_cannot_be_one(hpo: Hpo) -> None:
    hpo.job("touch started", strategy="grid")
    said = hpo.refused("run", "spec.yaml")
    assert "`parameters.x" in said
    assert "a grid cannot list the values of a continuous parameter without a step" in said
    hpo.job("touch started", **{**NINE, "limits": {"max_jobs": 5}}, strategy="grid")
    assert "the grid has 9 combinations" in hpo.refused("run", "spec.yaml")


RUNGS = """
echo "loss=$HPO_TRIAL"
[ "$HPO_TRIAL" -lt 3 ] || sleep 1.5
echo "loss=1$HPO_TRIAL"
echo "loss=10$HPO_TRIAL"
"""
"""Trials worsen, and from the third one on leave the time to be stopped after their first step."""


def test_acceptance_1_hyperband_prunes_and_the_best_was_never_pruned(hpo: Hpo) -> None:
    hpo.job(RUNGS, strategy="hyperband", fixed={"epochs": 3}, limits={"max_jobs": 6, "max_parallel_jobs": 6})
    hpo("run", "spec.yaml")
    pruned = [trial for trial in trials(hpo) if trial["status"] == "pruned"]
    assert {trial["reason"] for trial in pruned} == {"pruned"}
    best = hpo("best", "job", "--json").json
    assert min(trial["value"] for trial in pruned) < best["value"]
    assert best["status"] == "completed"
    assert hpo("status", "job", "--json").json["counts"]["pruned"] == len(pruned)


X = {"type": "continuous", "min": 0.0, "max": 1.0}


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"min": 2.0}, "max", "it must be more than min, which is 2"),
        ({"max": 0.0}, "max", "it must be more than min, which is 0"),
        ({"scaling": "logarithmic"}, "scaling", "logarithm"),
        ({"scaling": "reverse-logarithmic"}, "scaling", "it needs 0 <= min and max < 1"),
        ({"step": 0.3}, "step", "0.9"),
    ],
    ids=["min_above_max", "min_is_max", "log_of_zero", "reverse_log_of_one", "step_beside_max"],
)
def test_acceptance_2_an_illegal_range_is_refused_before_anything_is_launched(
    hpo: Hpo, change: dict[str, object], key: str, words: str
) -> None:
    hpo.job("touch started", parameters={"x": X | change})
    said = hpo.refused("run", "spec.yaml")
    assert f"`parameters.x.{key}` is " in said
    assert words in said


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_acceptance_3_the_same_seed_is_the_same_sequence_in_two_processes(hpo: Hpo, strategy: str) -> None:
    limits = {"max_jobs": 9, "max_parallel_jobs": 1}
    hpo.job('echo "loss=$4"', **{**NINE, "limits": limits}, strategy=strategy)
    for name in ("one", "two"):
        hpo("run", "spec.yaml", "--name", name)
    assert [t["parameters"] for t in trials(hpo, "one")] == [t["parameters"] for t in trials(hpo, "two")]


def test_acceptance_4_the_trials_that_the_model_chose_are_told(hpo: Hpo) -> None:
    hpo.job('echo "loss=$2"', strategy="bayesian", limits={"max_jobs": 9})
    hpo("run", "spec.yaml")
    chosen = [trial["proposed_by"] for trial in trials(hpo)]
    assert [by for by in chosen if not by.startswith("random")] == chosen[-5:]
    assert hpo("status", "job", "--json").json["chosen_by"] == {"random": 4, "model": 5}
    assert "\nchosen by 4 random, 5 model\n" in hpo("status", "job").out


@pytest.mark.parametrize(
    ("section", "reason", "ended"),
    [
        ({"limits": {"max_jobs": 4}}, "all 4 trials have ended", 4),
        ({"limits": {"max_jobs": 50, "max_runtime": "1s"}}, "the job ran for 1 second", None),
        ({"stop_when": {"target": 6}}, "6.0 reached the target 6.0", 4),
        ({"stop_when": {"not_improving_for": 3}}, "no better value in the last 3 trials", 12),
    ],
    ids=["max_jobs", "max_runtime", "target", "not_improving_for"],
)
def test_acceptance_6_each_criterion_ends_the_job_and_is_named(
    hpo: Hpo, section: dict[str, object], reason: str, ended: int | None
) -> None:
    """The values are 9, 8, 7, … and from trial 9 on always 1."""
    pause = "sleep 0.3; " if ended is None else ""
    program = f'{pause}value=$((10 - HPO_TRIAL)); [ $value -ge 1 ] || value=1; echo "loss=$value"'
    hpo.job(program, **{"limits": {"max_jobs": 50}, **section})
    said = hpo("run", "spec.yaml").err
    status = hpo("status", "job", "--json").json
    assert status["status"] == "completed"
    assert reason in status["reason"]
    assert reason in said
    assert ended in {None, status["counts"]["completed"]}


def test_acceptance_6_too_many_failures_end_the_job_and_are_named(hpo: Hpo) -> None:
    hpo.job('[ "$HPO_TRIAL" -lt 3 ] || exit 3; echo "loss=1"', limits={"max_jobs": 50, "max_failures": 2})
    said = hpo("run", "spec.yaml", status=1).err
    status = hpo("status", "job", "--json").json
    assert (status["status"], status["reason"]) == ("failed", "2 trials failed")
    assert (status["counts"]["completed"], status["counts"]["failed"]) == (2, 2)
    assert "job failed: 2 trials failed" in said

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Reason, Trial, TrialStatus
from hpo.search.registry import build
from hpo.spec.conditions import Condition
from hpo.spec.constraint import Domain
from hpo.spec.expression import parse
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space, Values

Rehearse = Callable[..., Any]

PLANE = Space((Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0)))
MIXED = Space(
    (
        Continuous("rate", 1e-5, 1.0, Scaling.LOGARITHMIC),
        Continuous("decay", 0.0, 0.999, Scaling.REVERSE_LOGARITHMIC),
        Continuous("drop", 0.0, 1.0, step=0.3),  # 0, 0.3, 0.6, 0.9
        Integer("width", 8, 1024, Scaling.LOGARITHMIC, step=8),
        Categorical("kind", (1, 1.0, True, "1", None)),
    )
)


def number(value: object) -> float:
    assert isinstance(value, int | float)
    return value


def bowl(values: Values) -> float:
    return (number(values["x"]) - 0.3) ** 2 + (number(values["y"]) - 0.8) ** 2


def mixed(values: Values) -> float:
    rate, decay = math.log10(number(values["rate"])), math.log10(1 - number(values["decay"]))
    shape = abs(number(values["drop"]) - 0.3) + abs(math.log2(number(values["width"]) / 128))
    return (rate + 2) ** 2 + (decay + 1.5) ** 2 + shape + (values["kind"] is not True)


@pytest.mark.parametrize("max_jobs", [9, 10, 50])
def test_acceptance_4_the_model_chooses_well_before_the_tenth_trial(
    rehearse: Rehearse, max_jobs: int
) -> None:
    trials = rehearse("bayesian", PLANE, bowl, max_jobs=max_jobs).run(9).trials
    origins = [trial.proposed_by for trial in trials]
    start = sum(origin.startswith("random start") for origin in origins)
    assert 3 <= start <= 8
    assert origins[0] == f"random start 1 of {start}"
    assert all(origin.startswith("model of ") for origin in origins[start:])
    if max_jobs == 9:
        assert len(origins[start:]) >= 4


@pytest.mark.parametrize(("space", "function"), [(PLANE, bowl), (MIXED, mixed)], ids=["bowl", "mixed"])
def test_it_finds_better_values_than_random_search(
    rehearse: Rehearse, space: Space, function: Callable[[Values], float]
) -> None:
    def typical(name: str) -> float:
        jobs = [rehearse(name, space, function, seed=seed).run(24) for seed in range(5)]
        return float(median(job.best for job in jobs))

    assert typical("bayesian") < 0.5 * typical("random")


BRANCHES = Space(
    (
        Categorical("kind", ("a", "b", "c")),
        Continuous("x", 0.0, 1.0),
        Continuous("of-a", 0.0, 1.0),
        Continuous("of-b", 0.0, 1.0),
        Categorical("size", (1, 2, 4, 8, 16, 32, 64), ordered=True),
    ),
    {"of-a": (Condition("kind", ("a",)),), "of-b": (Condition("kind", ("b", "c")),)},
)


def branches(values: Values) -> float:
    own = (
        (number(values["of-a"]) - 0.2) ** 2 + 0.3 if "of-a" in values else (number(values["of-b"]) - 0.7) ** 2
    )
    size = abs(math.log2(number(values["size"])) - 4) / 10
    return own + size + (number(values["x"]) - 0.5) ** 2 + (values["kind"] == "c") * 0.2


def test_it_learns_where_parameters_are_active_and_what_is_beside_what(rehearse: Rehearse) -> None:
    def typical(name: str) -> float:
        jobs = [rehearse(name, BRANCHES, branches, seed=seed).run(24) for seed in range(5)]
        assert all(BRANCHES.contains(trial.params) for job in jobs for trial in job.trials)
        return float(median(job.best for job in jobs))

    assert typical("bayesian") < 0.5 * typical("random")


@pytest.mark.parametrize("width", [0.25, 0.01])
def test_constraints_are_kept_to_and_the_model_still_learns(rehearse: Rehearse, width: float) -> None:
    """Of random configurations 44 % fit, or 2 %."""
    band = replace(PLANE, constraints=(parse(f"abs(x - y) < {width}", {"x": Domain(), "y": Domain()}),))

    def away(values: Values) -> float:
        return (number(values["x"]) - 0.3) ** 2 + (number(values["y"]) - 0.3) ** 2

    def typical(name: str) -> float:
        jobs = [rehearse(name, band, away, seed=seed).run(14) for seed in range(5)]
        assert all(band.contains(trial.params) for job in jobs for trial in job.trials)
        return float(median(job.best for job in jobs))

    assert typical("bayesian") < 0.5 * typical("random")


@pytest.mark.parametrize("parallel", [4, 8])
@pytest.mark.parametrize("dimensions", [1, 2, 4])
def test_acceptance_5_nothing_near_a_pending_trial_is_proposed(
    rehearse: Rehearse, parallel: int, dimensions: int
) -> None:
    space = Space(tuple(Continuous(f"x-{index}", 0.0, 1.0) for index in range(dimensions)))
    job = rehearse("bayesian", space, lambda values: sum((x - 0.3) ** 2 for x in values.values()))
    trials = job.run(36, parallel=parallel).trials
    for index, trial in enumerate(trials):
        for pending in trials[max(0, index - parallel + 1) : index]:
            distances = [abs(trial.params[name] - pending.params[name]) for name in trial.params]
            assert max(distances) >= 0.01, (pending, trial)


@pytest.mark.parametrize("seed", range(4))
def test_a_failing_region_beside_the_optimum_is_avoided(rehearse: Rehearse, seed: int) -> None:
    def half(values: Values) -> float | None:
        x, y = number(values["x"]), number(values["y"])
        return None if x > 0.6 else (y - 0.5) ** 2 - x

    trials = rehearse("bayesian", PLANE, half, seed=seed, max_jobs=40).run(40).trials
    assert sum(trial.status is TrialStatus.FAILED for trial in trials) <= 12


def test_values_keep_their_types_and_steps_are_exact(rehearse: Rehearse) -> None:
    trials = rehearse("bayesian", MIXED, mixed, max_jobs=40).run(40).trials
    for trial in trials:
        assert MIXED.contains(trial.params)
        assert trial.params["drop"] in {0.0, 0.3, 0.6, 0.9}
        assert type(trial.params["width"]) is int
    kinds = [trial.params["kind"] for trial in trials]
    ones = sum(type(kind) is int or type(kind) is float for kind in kinds)
    assert sum(kind is True for kind in kinds) > ones  # the best one, which equals 1 and 1.0


def ended(trial_number: int, x: float, status: TrialStatus, reason: Reason | None = None) -> Trial:
    value = x if status is TrialStatus.COMPLETED else None
    return Trial(trial_number, {"x": x, "y": x}, "test", status, reason, value=value)


@pytest.mark.parametrize("reason", Reason)
def test_only_failures_of_the_program_tell_the_model_something(reason: Reason) -> None:
    """The strategy says what it rests on, and what says nothing changes no proposal."""
    objective = Objective("loss", Goal.MINIMIZE)
    known = [ended(n, n / 10, TrialStatus.COMPLETED) for n in range(1, 8)]
    proposals = {}
    for last in (
        ended(8, 0.05, TrialStatus.FAILED, reason),
        ended(8, 0.95, TrialStatus.CANCELLED, Reason.STOPPED),
    ):
        under = build("bayesian", space=PLANE, seed=1, objective=objective, max_jobs=50)
        proposals[last.status] = under.propose(History.of(objective, [*known, last]), 9)
    failed, cancelled = proposals[TrialStatus.FAILED], proposals[TrialStatus.CANCELLED]
    assert failed is not None
    assert cancelled is not None
    says_nothing = {
        Reason.LOST,
        Reason.NO_CAPACITY,
        Reason.COULD_NOT_START,
        Reason.PRUNED,
        Reason.JOB_ENDED,
        Reason.STOPPED,
        Reason.INTERRUPTED,
    }
    assert cancelled.proposed_by == "model of 7 trials (0 pending, 0 failed)"
    if reason in says_nothing:
        assert failed == cancelled
    else:
        assert failed.proposed_by == "model of 7 trials (0 pending, 1 failed)"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_counts_as_a_failure(value: float) -> None:
    objective = Objective("loss", Goal.MINIMIZE)
    trials = [ended(n, n / 10, TrialStatus.COMPLETED) for n in range(1, 8)]
    trials.append(replace(ended(8, 0.8, TrialStatus.COMPLETED), value=value))
    under = build("bayesian", space=PLANE, seed=1, objective=objective, max_jobs=50)
    proposal = under.propose(History.of(objective, trials), 9)
    assert proposal is not None
    assert proposal.proposed_by == "model of 7 trials (0 pending, 1 failed)"


def test_a_pruned_trial_counts_by_its_curve() -> None:
    objective = Objective("loss", Goal.MINIMIZE)
    trials = [ended(n, n / 22, TrialStatus.PRUNED, Reason.PRUNED) for n in range(1, 22)]

    def typical(direction: int) -> float:
        under = build("bayesian", space=PLANE, seed=1, objective=objective, max_jobs=50)
        values = {n: direction * float(n) for n in range(1, 22)} | {11: math.nan}
        points = [Point(n, 1, "loss", 1.0, value, 0.0) for n, value in values.items()]
        history = History.of(objective, trials, points)
        proposals = [under.propose(history, number) for number in range(22, 43)]
        assert {p.proposed_by for p in proposals if p} == {"model of 20 trials (0 pending, 1 failed)"}
        return median(number(p.params["x"]) for p in proposals if p)

    assert typical(1) < 0.3
    assert typical(-1) > 0.7


def test_without_values_the_model_is_not_asked() -> None:
    objective = Objective("loss", Goal.MINIMIZE)
    running = [ended(n, n / 20, TrialStatus.RUNNING) for n in range(1, 12)]
    under = build("bayesian", space=PLANE, seed=1, objective=objective, max_jobs=50)
    proposal = under.propose(History.of(objective, running), 12)
    assert proposal is not None
    assert proposal.proposed_by == "random, with 0 of the 3 results that a model needs"


QUIET_JOB = """
import sys
from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Trial, TrialStatus
from hpo.search.registry import build
from hpo.spec.space import Continuous, Space

objective = Objective("loss", Goal.MINIMIZE)
space = Space((Continuous("x", 0.0, 1.0),))
strategy = build("bayesian", space=space, seed=1, objective=objective, max_jobs=50)
history = History(objective)
imported = []
for number in range(1, 11):
    params = strategy.propose(history, number).params
    history.record(Trial(number, params, "", TrialStatus.COMPLETED, value=params["x"]))
    imported.append("numpy" in sys.modules)
assert imported == [False] * 8 + [True] * 2, imported
"""


def test_the_first_trials_do_not_wait_for_the_library_and_it_prints_nothing() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", QUIET_JOB], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")

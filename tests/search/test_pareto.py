"""Search for several objectives: that the model learns from all of them, and from what is required."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Trial, TrialStatus
from hpo.report.pareto import hypervolume
from hpo.search.chebyshev import weights
from hpo.search.registry import build
from hpo.spec.space import Continuous, Space, Values

SPACE = Space(tuple(Continuous(f"x{index}", 0.0, 1.0) for index in range(6)))
FIRST, SECOND = Objective("near-0", Goal.MINIMIZE), Objective("near-1", Goal.MAXIMIZE)
SEEDS = range(5)

Results = Callable[[Values], tuple[float, float, float]]
"""The two objectives of a configuration, and how far it misses what is required."""


def two_ends(values: Values) -> tuple[float, float, float]:
    """Between (0, 0, …) and (1, 0, …) lies what is best in both; every other parameter is best at 0."""
    first, *rest = (float(value) for value in values.values() if isinstance(value, float))
    away = sum(value**2 for value in rest)
    return first**2 + away, -((1 - first) ** 2) - away, 0.0


def half_is_required(values: Values) -> tuple[float, float, float]:
    """As before, and only half of the space is allowed, away from what is best."""
    loss, gain, _ = two_ends(values)
    second = values["x1"]
    assert isinstance(second, float)
    return loss, gain, max(0.0, 0.5 - second)


def run(name: str, function: Results, *, seed: int, count: int = 60, parallel: int = 2) -> list[Trial]:
    under = build(name, space=SPACE, seed=seed, objective=FIRST, others=[SECOND], max_jobs=count)
    history = History(FIRST)

    def end(number: int) -> None:
        trial = history.trials[number]
        loss, gain, violation = function(trial.params)
        done = replace(trial, status=TrialStatus.COMPLETED, value=loss, others=(gain,), violation=violation)
        history.record(done)

    for number in range(1, count + 1):
        proposal = under.propose(history, number)
        assert proposal is not None
        history.record(Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING))
        if number >= parallel:
            end(number - parallel + 1)
    for number in range(count - parallel + 2, count + 1):
        end(number)
    return list(history.trials.values())


def covered(trials: Sequence[Trial]) -> float:
    points = [[value or 0.0 for value in trial.values] for trial in trials if trial.is_result]
    return hypervolume(points, [FIRST.goal, SECOND.goal], (6.0, -6.0))


@pytest.mark.parametrize("function", [two_ends, half_is_required])
def test_the_model_covers_more_than_random_draws(function: Results) -> None:
    model = [covered(run("bayesian", function, seed=seed)) for seed in SEEDS]
    random = [covered(run("random", function, seed=seed)) for seed in SEEDS]
    assert fmean(model) > fmean(random)
    assert sum(one > other for one, other in zip(model, random, strict=True)) >= 4


def test_what_is_required_is_met_ever_more_often() -> None:
    shares = []
    for seed in SEEDS:
        trials = run("bayesian", half_is_required, seed=seed)
        shares.append(fmean(trial.is_result for trial in trials[30:]))
    assert fmean(shares) > 0.7  # of random draws a half


def test_it_says_what_chose_and_from_what() -> None:
    chosen = [trial.proposed_by for trial in run("bayesian", half_is_required, seed=1, count=15)]
    assert chosen[0] == "random start 1 of 7"
    assert chosen[6] == "random start 7 of 7"
    first, second = weights(2, 8)
    weighed = f"where the objectives weigh {first:.2f}, {second:.2f}"
    assert chosen[7] == f"model of 6 trials {weighed} (1 pending, 0 failed)"

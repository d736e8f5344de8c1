"""How trials are shared out among several algorithms by several objectives, measured on functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean, median

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Reason, Trial, TrialStatus
from hpo.report.pareto import hypervolume
from hpo.search.algorithms import Algorithms, Searched
from hpo.search.chebyshev import weights
from hpo.search.registry import build
from hpo.search.strategy import Strategy
from hpo.spec.space import Continuous, Space

LINE = Space((Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0)))
COUNT = 40
SEEDS = range(6)

Point = tuple[float, ...] | None
"""A trial's values; None is a failed one."""

Function = Callable[[float, float], Point]


def accurate(x: float, y: float) -> Point:
    """Return few errors, in a long time."""
    return 0.1 + 0.1 * x + 0.2 * y, 50.0 + 20.0 * (1.0 - x) + 20.0 * y


def fast(x: float, y: float) -> Point:
    """Return many errors, in a short time."""
    return 0.5 + 0.1 * x + 0.2 * y, 5.0 + 10.0 * (1.0 - x) + 20.0 * y


def behind(x: float, y: float) -> Point:
    """Return more errors than the first in more time than the second, and so nothing of a front."""
    return 0.6 + 0.1 * x + 0.2 * y, 75.0 + 20.0 * (1.0 - x) + 20.0 * y


THREE: dict[str, Function] = {"behind": behind, "accurate": accurate, "fast": fast}


def under(name: str, algorithms: Sequence[str], seed: int, goals: Sequence[Goal]) -> Strategy:
    objectives = [Objective(f"m{place}", goal) for place, goal in enumerate(goals)]
    own = build(name, space=LINE, seed=seed, objective=objectives[0], max_jobs=COUNT, others=objectives[1:])
    return Algorithms({each: Searched(own) for each in algorithms}, max_jobs=COUNT, others=goals[1:])


def ran(
    name: str,
    functions: dict[str, Function],
    seed: int = 1,
    goals: Sequence[Goal] = (Goal.MINIMIZE, Goal.MINIMIZE),
    parallel: int = 4,
) -> History:
    """Return the history of a job on the functions; the oldest of those that run ends first."""
    strategy, history = under(name, list(functions), seed, goals), History(Objective("m0", goals[0]))
    for number in range(1, COUNT + 1):
        proposal = strategy.propose(history, number)
        assert proposal == under(name, list(functions), seed, goals).propose(history, number)
        assert proposal is not None
        trial = Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING)
        history.record(replace(trial, algorithm=proposal.algorithm))
        if number >= parallel:
            history.record(ended(history.trials[number - parallel + 1], functions))
    return history


def ended(trial: Trial, functions: dict[str, Function]) -> Trial:
    x, y = trial.params["x"], trial.params["y"]
    assert isinstance(x, float)
    assert isinstance(y, float)
    values = functions[trial.algorithm or ""](x, y)
    if values is None:
        return replace(trial, status=TrialStatus.FAILED, reason=Reason.EXIT_STATUS)
    return replace(trial, status=TrialStatus.COMPLETED, value=values[0], others=values[1:])


def shares(history: History) -> Counter[str | None]:
    return Counter(trial.algorithm for trial in history.trials.values())


def covered(history: History) -> float:
    """Return the hypervolume of a job's results, from what is worse than all of the functions."""
    points = [tuple(map(float, t.values)) for t in history.trials.values() if None not in t.values]  # type: ignore[arg-type]
    return hypervolume(points, [Goal.MINIMIZE, Goal.MINIMIZE], (1.0, 120.0))


def test_those_that_make_up_the_front_share_the_trials_and_one_behind_them_gets_few() -> None:
    for seed in SEEDS:
        given = shares(ran("random", THREE, seed))
        assert given["behind"] <= 0.2 * COUNT
        assert min(given["accurate"], given["fast"]) >= 0.25 * COUNT


def test_the_front_covers_more_than_where_all_get_the_same() -> None:
    def in_turn(seed: int) -> float:
        third = {name: COUNT // len(THREE) for name in THREE}
        history = ran("random", {"one": accurate}, seed)
        draws = [trial.params for trial in history.trials.values()]
        alike = History(history.objective)
        for place, name in enumerate(name for name, count in third.items() for _ in range(count)):
            values = draws[place % third[name]]
            trial = Trial(place + 1, values, "", TrialStatus.RUNNING, algorithm=name)
            alike.record(ended(trial, THREE))
        return covered(alike)

    gains = [covered(ran("random", THREE, seed)) / in_turn(seed) for seed in SEEDS]
    assert median(gains) > 1.0
    assert min(gains) > 0.98


def test_the_model_proposes_for_each_from_its_own_trials() -> None:
    history = ran("bayesian", {"accurate": accurate, "fast": fast}, parallel=1)
    said = [trial.proposed_by for trial in history.trials.values()]
    assert any(re.match(r"model of \d+ trials where the objectives weigh 0\.", text) for text in said)
    assert said[0].endswith("; trial 1 of the first 5 of accurate")
    assert " promises most where the objectives weigh 0." in said[-1]
    assert min(shares(history).values()) >= 0.25 * COUNT


def test_neither_scales_nor_goals_matter() -> None:
    def turned(function: Function) -> Function:
        def values(x: float, y: float) -> Point:
            first, second = function(x, y) or (0.0, 0.0)
            return -1e6 * first, 1e-6 * second

        return values

    goals = (Goal.MAXIMIZE, Goal.MINIMIZE)
    other = ran("random", {name: turned(function) for name, function in THREE.items()}, goals=goals)
    assert shares(other) == shares(ran("random", THREE))


def test_one_that_always_fails_and_one_that_is_alike_get_their_shares() -> None:
    given = shares(ran("random", {"broken": lambda *_: None, "fine": accurate}))
    assert 5 <= given["broken"] <= 10
    same: Function = lambda *_: (0.5, 0.5)  # noqa: E731
    assert set(shares(ran("random", {"one": same, "other": same}, parallel=1)).values()) == {COUNT // 2}


def test_the_largest_numbers_that_there_are_can_be_compared() -> None:
    given = shares(ran("random", {"worse": lambda *_: (1e308, 1e308), "better": lambda *_: (-1e308, -1e308)}))
    assert given["better"] >= 0.7 * COUNT


@pytest.mark.parametrize("objectives", [1, 2, 3, 5])
def test_weights_are_spread_evenly_over_the_trials(objectives: int) -> None:
    drawn = [weights(objectives, number) for number in range(1, 201)]
    assert all(sum(each) == pytest.approx(1.0) for each in drawn)
    for column in zip(*drawn, strict=True):
        assert mean(column) == pytest.approx(1.0 / objectives, abs=0.02)
    if objectives == 2:
        halves = Counter(round(first * 9.999 - 0.5) for first, _ in drawn)
        assert set(halves) == set(range(10)), "uniform on the simplex"
        assert all(15 <= count <= 25 for count in halves.values())

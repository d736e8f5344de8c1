"""The most improvement per second: which trials are preferred, by what was seen of their durations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Reason, Run, RunState, Trial, TrialStatus
from hpo.errors import UsageError
from hpo.search.algorithms import Algorithms, Searched
from hpo.search.registry import build
from hpo.search.strategy import Proposal, Strategy
from hpo.spec.space import Continuous, Space, Values

LOSS, COST = Objective("loss", Goal.MINIMIZE), Objective("cost", Goal.MINIMIZE)
PLANE = Space((Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0)))
PER_SECOND = {"improvement_per": "second"}

Seconds = Callable[[Values], float | None]
"""How long a trial takes; None where nobody knows."""


def at(values: Values) -> tuple[float, float]:
    return float(str(values["x"])), float(str(values["y"]))


def two_bowls(values: Values) -> float:
    """Return a loss with two optima, one in each half."""
    x, y = at(values)
    return min((x - 0.2) ** 2, (x - 0.8) ** 2) + (y - 0.4) ** 2


def left_is_short(values: Values) -> float:
    return 1.0 if at(values)[0] < 0.5 else 60.0


def strategy(improvement_per: str | None = None, *, max_jobs: int = 40) -> Strategy:
    options = {} if improvement_per is None else {"improvement_per": improvement_per}
    return build("bayesian", space=PLANE, seed=3, objective=LOSS, max_jobs=max_jobs, options=options)


def timed(start: float | None, end: float | None, *, repeat: int = 1, number: int = 1) -> Run:
    return Run(number, RunState.SUCCEEDED, started=start, ended=end, repeat=repeat)


def trial(number: int, proposal: Proposal, seconds: float | None) -> Trial:
    """Return a completed trial, started some time after the others."""
    run = timed(None, None) if seconds is None else timed(1000.0 * number, 1000.0 * number + seconds)
    known = Trial(number, proposal.params, proposal.proposed_by, TrialStatus.COMPLETED, runs=(run,))
    return replace(known, value=two_bowls(proposal.params), algorithm=proposal.algorithm)


def job(under: Strategy, seconds: Seconds, count: int = 24) -> list[Trial]:
    history = History(LOSS)
    for number in range(1, count + 1):
        proposal = under.propose(history, number)
        assert proposal is not None
        history.record(trial(number, proposal, seconds(proposal.params)))
    return list(history.trials.values())


def on_the_left(trials: list[Trial]) -> int:
    return sum(at(trial.params)[0] < 0.5 for trial in trials[8:])


def test_of_two_halves_that_are_as_good_the_short_one_is_tried() -> None:
    per_second = job(strategy("second"), left_is_short)
    assert on_the_left(per_second) >= 13  # of 16
    assert on_the_left(job(strategy("second"), lambda v: 61.0 - left_is_short(v))) <= 3
    assert min(trial.value for trial in per_second if trial.value is not None) < 0.01
    assert per_second[8].proposed_by == "model of 8 trials, improvement per second (0 pending, 0 failed)"


def test_the_first_trials_are_those_of_any_job() -> None:
    own, plain = (job(strategy(per), left_is_short, 8) for per in ("second", None))
    assert [trial.params for trial in own] == [trial.params for trial in plain]


def test_by_default_durations_change_nothing() -> None:
    plain = job(strategy(), lambda _: None, 14)
    assert job(strategy("trial"), lambda _: None, 14) == plain
    timed = job(strategy(), left_is_short, 14)
    assert [trial.params for trial in timed] == [trial.params for trial in plain]


@pytest.mark.parametrize("seconds", [lambda _: None, lambda _: 5.0, lambda _: 0.0, lambda _: -3.0])
def test_durations_that_say_nothing_change_nothing(seconds: Seconds) -> None:
    """Nobody knows them, or all are equal, or the clock was set."""
    own, plain = job(strategy("second"), seconds, 14), job(strategy(), seconds, 14)
    away = [math.dist(at(one.params), at(other.params)) for one, other in zip(own, plain, strict=True)]
    assert max(away) < 1e-6


def test_another_instance_proposes_the_same() -> None:
    history = History(LOSS)
    for known in job(strategy("second"), left_is_short, 14):
        again = strategy("second").propose(history, known.number)
        assert again == Proposal(known.params, known.proposed_by)
        history.record(known)


def proposed(trials: list[Trial], points: list[Point] | None = None) -> Proposal:
    proposal = strategy("second").propose(History.of(LOSS, trials, points or ()), len(trials) + 1)
    assert proposal is not None
    return proposal


def test_only_the_time_counts_in_which_a_completed_trial_ran() -> None:
    """What waits, and what a lost run took, are no part of it; of repeats it is the mean."""
    trials = job(strategy("second"), left_is_short, 12)

    def with_runs(*runs: Callable[[float], Run]) -> list[Trial]:
        return [
            replace(trial, created=-1e6, runs=tuple(run(left_is_short(trial.params)) for run in runs))
            for trial in trials
        ]

    lost = Run(1, RunState.LOST, reason=Reason.LOST, started=5.0, ended=9e5)
    again = with_runs(lambda _: lost, lambda seconds: timed(1e6, 1e6 + seconds, number=2))
    repeats = with_runs(
        lambda seconds: timed(50.0, 50.0 + 0.5 * seconds),
        lambda seconds: timed(5e4, 5e4 + 1.5 * seconds, repeat=2, number=2),
    )
    there = at(proposed(trials).params)
    assert at(proposed(again).params) == pytest.approx(there, abs=1e-6)
    assert at(proposed(repeats).params) == pytest.approx(there, abs=1e-6)


@pytest.mark.parametrize("status", [TrialStatus.PRUNED, TrialStatus.FAILED, TrialStatus.CANCELLED])
def test_trials_that_did_not_run_to_their_ends_tell_no_duration(status: TrialStatus) -> None:
    reason = {TrialStatus.PRUNED: Reason.PRUNED, TrialStatus.FAILED: Reason.EXIT_STATUS}.get(status)
    known = job(strategy(), lambda _: None, 8)
    proposal = strategy().propose(History.of(LOSS, known), 9)
    assert proposal is not None
    others = [
        replace(trial(number, proposal, 2.0), params={"x": number / 20, "y": 0.1}, status=status, value=None)
        for number in range(9, 15)
    ]
    others = [replace(other, reason=reason) for other in others]
    points = [Point(other.number, 1, "loss", 1.0, 0.5, 0.0) for other in others]
    assert "per second" not in proposed([*known, *others], points).proposed_by
    known[:3] = (replace(known[place], runs=(timed(0.0, 2.0),)) for place in range(3))
    assert ", improvement per second (" in proposed([*known, *others], points).proposed_by


def test_several_objectives_are_weighed_per_second_too() -> None:
    under = build(
        "bayesian", space=PLANE, seed=1, objective=LOSS, max_jobs=40, options=PER_SECOND, others=[COST]
    )
    history = History(LOSS)
    for number in range(1, 25):
        proposal = under.propose(history, number)
        assert proposal is not None
        known = trial(number, proposal, left_is_short(proposal.params))
        history.record(replace(known, others=(at(proposal.params)[1],)))
    trials = list(history.trials.values())
    assert ", improvement per second (" in trials[8].proposed_by
    assert "where the objectives weigh" in trials[8].proposed_by
    assert on_the_left(trials) >= 12


def test_each_of_several_algorithms_learns_its_own_durations() -> None:
    under = Algorithms(
        {name: Searched(strategy("second", max_jobs=6)) for name in ("timed", "other")}, max_jobs=60
    )
    history = History(LOSS)
    for number in range(1, 13):
        proposal = under.propose(history, number)
        assert proposal is not None
        history.record(trial(number, proposal, 2.0 if proposal.algorithm == "timed" else None))
    modelled = [known for known in history.trials.values() if known.proposed_by.startswith("model")]
    assert {known.algorithm for known in modelled} == {"timed", "other"}
    for known in modelled:
        assert ("per second" in known.proposed_by) == (known.algorithm == "timed")


def test_other_strategies_weigh_no_time() -> None:
    with pytest.raises(UsageError, match="the strategy random has no option `improvement_per`"):
        build("random", space=PLANE, seed=1, objective=LOSS, max_jobs=9, options=PER_SECOND)

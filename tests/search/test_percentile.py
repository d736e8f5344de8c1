"""Early stopping by the best that trials had so far."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hpo.core.settings import Goal
from hpo.core.trial import TrialStatus
from hpo.search.completed_curves import RunningBest, completed_at
from hpo.search.early_stopping import Median, Percentile
from tests.search.race import Race


@pytest.mark.parametrize("goal", Goal)
def test_the_percentile_rule_by_hand(goal: Goal) -> None:
    """Best values so far against best values so far.

    | step | trial 1 | trial 2 | trial 3 | trial 4 | a quarter of the way from the best |
    |------|---------|---------|---------|---------|------------------------------------|
    | 1    | 0.9     | 0.8     | 1.0     | 1.2     | 0.875                              |
    | 2    | 0.9     | 0.4     | 0.8     | 1.0     | 0.7                                |
    | 3    | 0.5     | 0.4     | 0.6     | 1.0     | 0.475                              |
    """
    sign = -1.0 if goal is Goal.MAXIMIZE else 1.0
    race = Race(goal, Percentile(25.0), min_steps=1)
    race.complete(1, sign * 0.9, sign * 1.7, sign * 0.5)
    race.complete(2, sign * 0.8, sign * 0.4, sign * 0.6)
    race.complete(3, sign * 1.0, sign * 0.8, sign * 0.6)
    race.complete(4, sign * 1.2, sign * 1.0, sign * 1.3)

    assert race.look(5, (1, sign * 0.6)) is None
    assert race.look(5, (2, sign * 1.5)) is None  # it was better before
    verdict = race.look(5, (3, sign * 0.5))
    assert verdict is not None
    assert (verdict.rule, verdict.step, verdict.compared) == ("percentile", 3, 4)
    assert verdict.value == sign * 0.5
    assert verdict.threshold == pytest.approx(sign * 0.475)
    assert verdict.why == (
        f"step 3: the best so far, {sign * 0.5:g}, is worse than {sign * 0.475:g}, "
        "what the best 25% of 4 trials had by then"
    )
    stopped = replace(race.history.trials[5], status=TrialStatus.PRUNED, place=5, verdict=verdict)
    race.history.record(stopped)
    race.complete(6, sign * 0.0, sign * 0.0, sign * 0.0)
    (decision,) = race.rule.decisions(race.history, 5)
    assert decision.against == ((2, sign * 0.4), (1, sign * 0.5), (3, sign * 0.6), (4, sign * 1.0))


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_was_never_the_best(goal: Goal, value: float) -> None:
    race = Race(goal, Percentile(50.0))
    for number in (1, 2, 3):
        race.complete(number, value, 1.0, value)
    assert completed_at(race.history, 3, after=99, running=RunningBest) == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert race.look(4, (1, 1.0), (2, value)) is None  # as good as the others were at best
    verdict = race.look(5, (1, value), (2, value))
    assert verdict is not None
    assert (verdict.value, verdict.threshold) == (None, 1.0)
    assert str(value) in verdict.why


def test_the_best_so_far_may_have_come_with_an_earlier_look() -> None:
    race = Race(rule=Percentile(50.0))
    for number in (1, 2, 3):
        race.complete(number, 3.0, 2.0, 1.0)
    assert race.look(4, (1, 0.9), (2, 5.0)) is None
    assert race.look(4, (3, 5.0)) is None
    assert race.look(5, (1, 5.0), (2, 5.0), (3, 0.5)) is not None  # the second step came before the third


def test_more_trials_are_stopped_than_by_the_median_where_curves_rise() -> None:
    """An average lags behind: a trial that is worse at every step may pass it."""
    rising = (0.1, 0.5, 0.8, 0.9)
    for rule, stopped in ((Median(), False), (Percentile(50.0), True)):
        race = Race(Goal.MAXIMIZE, rule)
        for number in (1, 2, 3):
            race.complete(number, *rising)
        worse = [(step, value - 0.05) for step, value in enumerate(rising, 1)]
        assert (race.look(4, *worse) is not None) is stopped

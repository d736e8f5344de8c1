"""The running averages of completed trials: what they are, and what it costs to keep them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from statistics import median

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal
from hpo.core.trial import TrialStatus
from hpo.search.completed_curves import CompletedCurves, RunningAverage
from tests.search.race import Race, averages_at


def test_huge_values_do_not_overflow() -> None:
    average = RunningAverage([(1, 1.7e308), (2, 1.7e308), (3, -1.7e308)])
    assert average.at(2) == pytest.approx(1.7e308)
    assert math.isfinite(average.at(3) or math.nan)


@pytest.mark.parametrize("schedule", range(5))
def test_the_kept_averages_are_those_of_the_definition(schedule: int) -> None:
    random = Random(schedule)
    race = Race(random.choice(list(Goal)))
    sign = -1.0 if race.history.goal is Goal.MAXIMIZE else 1.0
    averages = CompletedCurves(race.history, running=RunningAverage)
    for number in range(1, 30):
        every = random.randrange(1, 6)
        values = [random.choice([random.random(), 1.0, math.nan]) for _ in range(random.randrange(9))]
        race.complete(number, *values, every=every)
        step = random.choice([1, 2, 5, 7.5, 10, 40])
        averages.catch_up()
        expected = sorted(sign * mean for _, mean in averages_at(race.history, step))
        assert list(averages.losses(step)) == expected
        assert expected == pytest.approx(sorted(sign * mean for mean in _defined(race.history, step)))
        if expected:
            assert median(expected) == pytest.approx(_middle(expected))


def _middle(values: Sequence[float]) -> float:
    half = len(values) // 2
    return (values[half] + values[~half]) / 2


def _defined(history: History, step: float) -> list[float]:
    """Return the means from the definition, in the plainest way."""
    means = []
    for number in history.trials:
        values = [value for at, value in history.curve(number) if at <= step and math.isfinite(value)]
        if values:
            means.append(sum(values) / len(values))
    return means


def test_a_decision_looks_at_each_completed_trial_once_for_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a decision costs does not grow with the trials that have ended."""
    looked = 0
    at = RunningAverage.at

    def counted(self: RunningAverage, step: float) -> float | None:
        nonlocal looked
        looked += 1
        return at(self, step)

    monkeypatch.setattr(RunningAverage, "at", counted)
    race = Race()
    steps, trials = 4, 60
    for number in range(1, trials + 1):
        for step in range(1, steps + 1):
            race.look(number, (step, 1.0))
        race.end(number, TrialStatus.COMPLETED)
    assert looked <= steps * trials

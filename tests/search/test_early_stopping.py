from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from statistics import median

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Run, Trial, TrialStatus
from hpo.core.verdict import Verdict
from hpo.search.completed_curves import CompletedCurves, RunningAverage, RunningBest, completed_at
from hpo.search.early_stopping import EarlyStopping, Median, Percentile, Rule
from hpo.search.registry import build
from hpo.spec.space import Continuous, Space

SPACE = Space((Continuous("x", 0.0, 1.0),))


class Race:
    """Trials under a rule, each look at one of them at a time of its own."""

    def __init__(
        self,
        goal: Goal = Goal.MINIMIZE,
        rule: Rule | None = None,
        *,
        min_trials: int = 3,
        min_steps: float = 2,
    ) -> None:
        objective = Objective("loss", goal)
        inner = build("random", space=SPACE, seed=1, objective=objective, max_jobs=50)
        self.history = History(objective)
        self.rule = EarlyStopping(inner, rule or Median(), min_trials=min_trials, min_steps=min_steps)
        self.looks = 0.0

    def look(self, number: int, *points: tuple[float, float], run: int = 1) -> Verdict | None:
        """Let a look at a trial find these points; return the verdict on it."""
        known = self.history.trials.get(number)
        if known is None or known.run.number != run:
            runs = tuple(Run(attempt) for attempt in range(1, run + 1))
            self.history.record(Trial(number, {"x": 0.5}, "test", TrialStatus.RUNNING, runs=runs))
        self.looks += 1.0
        self.history.extend(Point(number, run, "loss", step, value, self.looks) for step, value in points)
        return self.rule.should_stop(self.history, number)

    def complete(self, number: int, *values: float, every: int = 1) -> None:
        """Let a trial print values at every so many steps, and complete."""
        self.look(number, *((place * every, value) for place, value in enumerate(values, 1)))
        self.end(number, TrialStatus.COMPLETED)

    def end(self, number: int, status: TrialStatus) -> None:
        trial = self.history.trials[number]
        ended = [trial.place or 0 for trial in self.history.trials.values()]
        self.history.record(replace(trial, status=status, place=max(ended) + 1))


def averages_at(history: History, step: float) -> list[tuple[int, float]]:
    return completed_at(history, step, after=99, running=RunningAverage)


def why(verdict: Verdict | None) -> str:
    return "" if verdict is None else verdict.why


@pytest.mark.parametrize("goal", Goal)
def test_acceptance_7_the_rule_of_the_guide_by_hand(goal: Goal) -> None:
    """The guide: a value is compared with the median of the running averages up to the same epoch.

    | epoch | trial 1 | its average | trial 2 | its average | trial 3 | its average | median |
    |-------|---------|-------------|---------|-------------|---------|-------------|--------|
    | 1     | 0.9     | 0.9         | 0.8     | 0.8         | 1.0     | 1.0         | 0.9    |
    | 2     | 0.7     | 0.8         | 0.4     | 0.6         | 0.8     | 0.9         | 0.8    |
    | 3     | 0.5     | 0.7         | 0.3     | 0.5         | 0.6     | 0.8         | 0.7    |
    """
    sign = -1.0 if goal is Goal.MAXIMIZE else 1.0
    race = Race(goal, min_steps=1)
    race.complete(1, sign * 0.9, sign * 0.7, sign * 0.5)
    race.complete(2, sign * 0.8, sign * 0.4, sign * 0.3)
    race.complete(3, sign * 1.0, sign * 0.8, sign * 0.6)

    assert race.look(4, (1, sign * 0.85)) is None  # of one value nothing is said yet
    assert race.look(4, (2, sign * 0.79)) is None
    verdict = race.look(4, (3, sign * 0.71))
    assert verdict is not None
    assert (verdict.step, verdict.value, verdict.compared) == (3, sign * 0.71, 3)
    assert verdict.threshold == pytest.approx(sign * 0.7)
    shown = [f"{sign * value:g}" for value in (0.71, 0.7)]
    assert verdict.why == (
        f"step 3: {shown[0]} is worse than {shown[1]}, the median of the running averages of 3 trials"
    )
    # A value that is as good goes on, though trial 2 is better.
    assert race.look(5, (1, sign * 0.9), (2, sign * 0.75), (3, sign * 0.69)) is None


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


def test_of_an_even_number_of_trials_the_median_is_the_mean_of_the_middle_two() -> None:
    race = Race(min_trials=2)
    race.complete(1, 1.0, 1.0)
    race.complete(2, 2.0, 2.0)
    assert race.look(3, (1, 9.0), (2, 1.5)) is None
    assert why(race.look(4, (1, 9.0), (2, 1.6))).startswith("step 2: 1.6 is worse than 1.5, ")


def test_before_enough_trials_have_completed_none_is_stopped() -> None:
    race = Race(min_trials=3)
    race.complete(1, 1.0, 1.0)
    race.complete(2, 1.0, 1.0)
    race.look(3, (1, 1.0), (2, 1.0))
    race.end(3, TrialStatus.PRUNED)
    assert race.look(4, (1, 9.0), (2, 9.0)) is None
    race.complete(5, 1.0, 1.0)
    assert race.look(4, (3, 9.0)) is not None


def test_before_enough_steps_none_is_stopped() -> None:
    race = Race(min_steps=4)
    for number in (1, 2, 3):
        race.complete(number, 1.0, 1.0, 1.0, 1.0)
    assert race.look(4, (1, 9.0), (2, 9.0), (3, 9.0)) is None
    assert why(race.look(4, (4, 9.0))).startswith("step 4: ")


def test_a_program_that_prints_its_objective_once_is_never_stopped() -> None:
    race = Race()
    for number in (1, 2, 3):
        race.complete(number, 1.0, every=50)
    assert race.look(4, (50, 9.0)) is None


def test_trials_that_print_every_step_and_every_fifth_are_compared() -> None:
    """The averages up to step 7: 4 of the values 1 to 7; 5 and 6 of those at step 5, which holds on."""
    race = Race()
    race.complete(1, *map(float, range(1, 11)))
    race.complete(2, 5.0, 9.0, every=5)
    race.complete(3, 6.0, 9.0, every=5)
    assert averages_at(race.history, 7) == [(1, 4.0), (2, 5.0), (3, 6.0)]
    assert race.look(4, (1, 9.0), (7, 5.0)) is None
    assert why(race.look(5, (1, 9.0), (7, 5.1))).startswith("step 7: 5.1 is worse than 5, ")
    assert race.look(6, (2, 9.0), (4, 9.0)) is None  # only trial 1 has shown anything so early


def test_a_trial_that_ended_sooner_counts_with_its_last_average() -> None:
    race = Race()
    race.complete(1, 1.0, 3.0)
    for number in (2, 3):
        race.complete(number, 2.0, 2.0, 2.0, 2.0)
    assert why(race.look(4, (1, 9.0), (4, 2.1))).startswith("step 4: 2.1 is worse than 2, ")
    assert averages_at(race.history, 4)[0] == (1, 2.0)


def test_values_of_one_look_are_judged_one_after_the_other() -> None:
    race = Race()
    for number in (1, 2, 3):
        race.complete(number, 5.0, 4.0, 3.0, 2.0)
    assert why(race.look(4, (1, 5.0), (2, 4.9), (3, 0.1), (4, 0.1))).startswith("step 2: ")


def test_what_was_good_enough_then_is_not_judged_by_those_who_complete_later() -> None:
    race = Race(min_trials=1)
    race.complete(1, 5.0, 5.0, 5.0)
    assert race.look(2, (1, 5.0), (2, 4.0)) is None
    for number in (3, 4, 5):
        race.complete(number, 1.0, 1.0, 1.0)
    assert race.look(2, (3, 0.5)) is None


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_worse_than_any_and_no_part_of_an_average(goal: Goal, value: float) -> None:
    race = Race(goal)
    for number in (1, 2, 3):
        race.complete(number, 1.0, value, 3.0)
    assert averages_at(race.history, 3) == [(1, 2.0), (2, 2.0), (3, 2.0)]
    verdict = race.look(4, (1, 1.0), (2, value))
    assert verdict is not None
    assert (verdict.value, verdict.threshold) == (None, 1.0)
    assert race.look(5, (1, 1.0), (math.nan, value)) is None


def test_huge_values_do_not_overflow() -> None:
    average = RunningAverage([(1, 1.7e308), (2, 1.7e308), (3, -1.7e308)])
    assert average.at(2) == pytest.approx(1.7e308)
    assert math.isfinite(average.at(3) or math.nan)


def test_another_attempt_is_judged_by_itself() -> None:
    race = Race()
    for number in (1, 2, 3):
        race.complete(number, 1.0, 1.0)
    assert race.look(4, (1, 9.0), (2, 9.0)) is not None
    assert race.look(4, (1, 9.0), run=2) is None


def test_a_stopping_strategy_is_asked_first() -> None:
    objective = Objective("loss", Goal.MINIMIZE)
    options = {"min_resource": 1, "max_resource": 9}
    inner = build("hyperband", space=SPACE, seed=1, objective=objective, max_jobs=9, options=options)
    rule = EarlyStopping(inner, Median())
    race = Race()
    race.rule = rule
    assert why(race.look(1, (1, math.nan))).startswith("rung 1 ")
    assert [decision.stops for decision in rule.decisions(race.history, 1)] == [True]


def test_what_it_was_compared_with_is_told_also_when_others_have_completed() -> None:
    race = Race()
    for number, value in ((1, 3.0), (2, 1.0), (3, 2.0)):
        race.complete(number, value, value)
    verdict = race.look(4, (1, 9.0), (2, 9.0))
    assert verdict is not None
    race.history.record(replace(race.history.trials[4], status=TrialStatus.PRUNED, place=4, verdict=verdict))
    race.complete(5, 0.0, 0.0)
    (decision,) = race.rule.decisions(race.history, 4)
    assert decision.stops
    assert decision.against == ((2, 1.0), (3, 2.0), (1, 3.0))
    assert race.rule.decisions(race.history, 5) == ()


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


def test_how_much_a_stopped_trial_printed_before_it_ended_changes_no_proposal() -> None:
    """When the stop reached its program is chance."""
    objective = Objective("loss", Goal.MINIMIZE)

    def proposals(*printed: float) -> list[object]:
        history = History(objective)
        for number in range(1, 12):
            values = {"x": number / 12}
            running = Trial(number, values, "test", TrialStatus.RUNNING)
            history.record(running)
            is_stopped = number > 1
            loss = abs(number - 5.5) / 12
            steps = printed if number == 6 else (loss, loss)
            history.extend(Point(number, 1, "loss", step, value, 0.0) for step, value in enumerate(steps, 1))
            if is_stopped:
                verdict = Verdict("", rule="median", step=2, value=steps[1])
                history.record(replace(running, status=TrialStatus.PRUNED, verdict=verdict))
            else:
                history.record(replace(running, status=TrialStatus.COMPLETED, value=loss))
        under = build("bayesian", space=SPACE, seed=1, objective=objective, max_jobs=50)
        return [under.propose(history, number) for number in range(12, 24)]

    assert proposals(0.5, 0.5) == proposals(0.5, 0.5, 0.0, 0.0)
    assert proposals(0.5, 0.5) != proposals(0.5, 0.0)

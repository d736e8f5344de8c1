"""Early stopping by the median of running averages, and what holds of any rule."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Trial, TrialStatus
from hpo.core.verdict import Verdict
from hpo.search.early_stopping import EarlyStopping, Median
from hpo.search.registry import build
from tests.search.race import SPACE, Race, averages_at, why


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

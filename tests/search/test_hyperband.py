from __future__ import annotations

import math
from collections import Counter

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Run, Trial, TrialStatus
from hpo.errors import UsageError
from hpo.search.registry import build
from hpo.search.strategy import Strategy
from hpo.spec.space import Continuous, Scalar, Space

SPACE = Space((Continuous("x", 0.0, 1.0),))
OBJECTIVE = Objective("score", Goal.MAXIMIZE)


def hyperband(**options: Scalar) -> Strategy:
    return build("hyperband", space=SPACE, seed=1, objective=OBJECTIVE, max_jobs=50, options=options)


def bracket(strategy: Strategy, number: int) -> str:
    proposal = strategy.propose(History(OBJECTIVE), number)
    assert proposal is not None
    return proposal.proposed_by


class Race:
    """Trials that report values at steps, under a strategy that may stop them."""

    def __init__(self, strategy: Strategy, goal: Goal = Goal.MAXIMIZE) -> None:
        self.strategy = strategy
        self.history = History(Objective("score", goal))

    def report(self, number: int, *points: tuple[float, float], run: int = 1) -> str:
        """Let a trial report (step, value) pairs in one go; return whether it should stop."""
        runs = tuple(Run(attempt) for attempt in range(1, run + 1))
        if number not in self.history.trials or self.history.trials[number].run.number != run:
            self.history.record(Trial(number, {"x": 0.5}, "test", TrialStatus.RUNNING, runs=runs))
        self.history.extend(Point(number, run, "score", step, value, 0.0) for step, value in points)
        verdict = self.strategy.should_stop(self.history, number)
        return verdict.why if verdict is not None else ""


def one_bracket(goal: Goal = Goal.MAXIMIZE) -> Race:
    """Return a race in which every trial is in the only bracket; its only rung is at 4."""
    return Race(hyperband(min_resource=4, max_resource=11, reduction_factor=3), goal)


def test_brackets_are_hyperbands_and_in_its_proportions() -> None:
    """min 1, max 27, factor 3: s = 3, 2, 1, 0 with n = 27, 12, 6, 4 (Li et al. 2018, table 1 for 27)."""
    strategy = hyperband(min_resource=1, max_resource=27)
    counts = Counter(bracket(strategy, number) for number in range(1, 4901))
    expected = {
        "hyperband bracket 1 (first rung at step 1)": 2700,
        "hyperband bracket 2 (first rung at step 3)": 1200,
        "hyperband bracket 3 (first rung at step 9)": 600,
        "hyperband bracket 4 (no rung)": 400,
    }
    assert counts.keys() == expected.keys()
    for name, count in expected.items():
        assert counts[name] == pytest.approx(count, abs=5)


def test_a_range_that_no_power_divides_keeps_the_rung_below_its_end() -> None:
    strategy = hyperband(min_resource=2, max_resource=7)
    rungs = {bracket(strategy, number) for number in range(1, 20)}
    assert rungs == {
        "hyperband bracket 1 (first rung at step 2)",
        "hyperband bracket 2 (first rung at step 6)",
    }


@pytest.mark.parametrize("goal", Goal)
def test_verdicts_at_a_rung_by_hand(goal: Goal) -> None:
    """Of n values the best n // 3 go on, of fewer than three all do; ties share the better rank."""
    race = one_bracket(goal)
    sign = 1 if goal is Goal.MAXIMIZE else -1
    table = [
        (0.50, ""),
        (0.60, ""),
        (0.55, "rung 1 (step 4): {} ranks 2 of 3, the best 1 go on"),
        (0.70, ""),
        (0.70, ""),
        (0.60, "rung 1 (step 4): {} ranks 3 of 6, the best 2 go on"),
        (0.65, "rung 1 (step 4): {} ranks 3 of 7, the best 2 go on"),
        (0.80, ""),
        (0.70, ""),
        (0.69, "rung 1 (step 4): {} ranks 5 of 10, the best 3 go on"),
    ]
    for number, (value, verdict) in enumerate(table, 1):
        assert race.report(number, (4.0, sign * value)) == verdict.format(f"{sign * value:g}")


def test_below_the_smallest_resource_nothing_is_stopped() -> None:
    race = one_bracket()
    for number in range(1, 20):
        assert race.report(number, (1.0, -number), (3.0, math.nan)) == ""


def test_who_passed_a_rung_is_not_stopped_by_those_who_come_later() -> None:
    race = one_bracket()
    assert race.report(1, (4.0, 0.1)) == ""
    for number in range(2, 12):
        race.report(number, (4.0, 0.9))
    assert race.report(1, (5.0, 0.1), (10.0, 0.1)) == ""


def test_points_that_come_in_one_go_are_judged_like_those_that_come_one_by_one() -> None:
    race = one_bracket()
    for number in (1, 2):
        race.report(number, (4.0, 0.9))
    curve = [(float(step), 0.1) for step in range(1, 11)]
    assert race.report(3, *curve) == "rung 1 (step 4): 0.1 ranks 3 of 3, the best 1 go on"
    assert race.report(3, (11.0, 0.99)) == "rung 1 (step 4): 0.1 ranks 3 of 3, the best 1 go on"


def test_who_should_have_stopped_counts_at_no_later_rung() -> None:
    strategy = hyperband(min_resource=1, max_resource=9)
    numbers = [n for n in range(1, 30) if bracket(strategy, n).startswith("hyperband bracket 1 ")]
    race = Race(strategy)
    for number in numbers[:2]:
        assert race.report(number, (1.0, 0.5), (3.0, 0.5)) == ""
    verdict = "rung 1 (step 1): 0.1 ranks 3 of 3, the best 1 go on"
    assert race.report(numbers[2], (1.0, 0.1), (3.0, 0.9)) == verdict
    assert race.report(numbers[3], (1.0, 0.9), (3.0, 0.6)) == ""
    assert race.report(numbers[4], (1.0, 0.4), (3.0, 0.0)).startswith("rung 1 ")


def test_a_step_beyond_a_rung_reaches_it_and_only_the_first_time_counts() -> None:
    race = one_bracket()
    assert race.report(1, (7.0, 0.5)) == ""
    assert race.report(1, (4.0, 0.0), (7.0, 0.0)) == ""
    assert race.report(2, (4.5, 0.6)) == ""
    assert race.report(3, (5.0, 0.4)) == "rung 1 (step 4): 0.4 ranks 3 of 3, the best 1 go on"


def test_a_jump_over_several_rungs_is_judged_at_the_highest() -> None:
    strategy = hyperband(min_resource=1, max_resource=27)
    numbers = [n for n in range(1, 30) if bracket(strategy, n).startswith("hyperband bracket 1 ")]
    race = Race(strategy)
    verdicts = [race.report(n, (10.0, 1 - n / 100)) for n in numbers[:3]]
    assert verdicts[:2] == ["", ""]
    assert verdicts[2].startswith("rung 3 (step 9): ")


def test_other_brackets_have_rungs_of_their_own() -> None:
    strategy = hyperband(min_resource=1, max_resource=9)
    first = [n for n in range(1, 30) if bracket(strategy, n).startswith("hyperband bracket 1 ")]
    second = [n for n in range(1, 30) if bracket(strategy, n).startswith("hyperband bracket 2 ")]
    last = [n for n in range(1, 30) if bracket(strategy, n).startswith("hyperband bracket 3 ")]
    race = Race(strategy)
    for number in first[:5]:
        race.report(number, (1.0, 0.9), (3.0, 0.9))
    assert race.report(second[0], (1.0, 0.1), (3.0, 0.1)) == ""
    assert race.report(last[0], (8.0, math.nan)) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_stops_the_trial_and_counts_as_the_worst(value: float) -> None:
    race = one_bracket()
    assert race.report(1, (4.0, value)) == f"rung 1 (step 4): the value is {value}"
    assert race.report(2, (4.0, value)) == f"rung 1 (step 4): the value is {value}"
    assert race.report(3, (4.0, 0.1)) == ""
    assert race.report(4, (4.0, 0.0)) == "rung 1 (step 4): 0 ranks 2 of 4, the best 1 go on"


def test_a_step_that_is_no_number_reaches_no_rung() -> None:
    race = one_bracket()
    assert race.report(1, (math.nan, math.nan), (math.inf, math.nan)) == ""


def test_another_attempt_starts_from_the_first_rung() -> None:
    race = one_bracket()
    assert race.report(1, (4.0, math.nan)) != ""
    assert race.report(1, run=2) == ""
    assert race.report(1, (4.0, 0.5), run=2) == ""


def test_another_metric_says_nothing() -> None:
    race = one_bracket()
    race.report(1)
    race.history.extend([Point(1, 1, "loss", 4.0, math.nan, 0.0)])
    assert race.report(1) == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_resource": 0, "max_resource": 9}, "min_resource must be an integer of at least 1, not 0"),
        ({"min_resource": 1.0, "max_resource": 9}, "min_resource must be an integer of at least 1, not 1.0"),
        (
            {"min_resource": 1, "max_resource": True},
            "max_resource must be an integer of at least 1, not True",
        ),
        ({"min_resource": 9, "max_resource": 9}, r"max_resource \(9\) must be above min_resource \(9\)"),
        (
            {"min_resource": 1, "max_resource": 9, "reduction_factor": 1},
            "reduction_factor must be an integer of at least 2, not 1",
        ),
    ],
)
def test_resources_out_of_order_are_refused(options: dict[str, Scalar], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        hyperband(**options)

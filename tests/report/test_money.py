"""What is added up of runs that told what they took."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpo.core.trial import Run, RunState, Trial, TrialStatus
from hpo.core.usage import Usage
from hpo.report import money

HOUR = 3600.0
COLD = Usage("ml.m5.large", start_seconds=120.0, training_seconds=HOUR, billable_seconds=HOUR, price=2.0)
WARM = replace(COLD, start_seconds=20.0, is_warm=True)
SPOT = replace(COLD, is_spot=True, billable_seconds=HOUR / 4, interruptions=2)


def trial(*usages: Usage | None, number: int = 1, status: TrialStatus = TrialStatus.COMPLETED) -> Trial:
    runs = tuple(Run(place, RunState.SUCCEEDED, usage=usage) for place, usage in enumerate(usages, 1))
    return Trial(number, {}, "random", status, runs=runs)


def test_where_no_run_told_what_it_took_there_is_nothing_to_say() -> None:
    trials = [trial(None), trial(None, None)]
    assert money.cost_data(trials) is None
    assert money.warm_pool_data(trials) is None
    assert money.interruptions(trials) == 0
    assert (money.cost_of(trials[0]), money.machine_of(trials[0])) == (None, None)
    assert money.billable_seconds_of(trials[0]) is None


def test_every_run_of_every_trial_was_charged_while_it_waited_for_the_next_one_too() -> None:
    idle = replace(COLD, machines=2, idle_seconds=HOUR / 2)  # 2 machines x 1.5 hours x $2
    trials = [trial(COLD, idle), trial(COLD, None, status=TrialStatus.FAILED)]
    cost = money.cost_data(trials)
    assert cost == {
        "spent": 10.0,
        "currency": "USD",
        "saved_by_spot": 0.0,
        "saved_by_early_stopping": 0.0,
    }
    assert money.cost_of(trials[0]) == 8.0
    assert money.billable_seconds_of(trials[0]) == 2 * HOUR


def test_a_machine_without_a_price_is_told_of_without_a_cost() -> None:
    unpriced = trial(replace(SPOT, price=None))
    assert money.cost_data([unpriced]) is None
    assert money.cost_of(unpriced) is None
    assert money.machine_of(unpriced) == "ml.m5.large"
    assert money.billable_seconds_of(unpriced) == HOUR / 4
    cost = money.cost_data([unpriced, trial(COLD)])
    assert cost is not None
    assert (cost["spent"], cost["saved_by_spot"]) == (2.0, 0.0)


def test_spot_saves_what_was_not_billed_of_the_training() -> None:
    cost = money.cost_data([trial(SPOT), trial(COLD)])
    assert cost is not None
    assert (cost["spent"], cost["saved_by_spot"]) == (2.5, 1.5)
    assert money.interruptions([trial(SPOT), trial(COLD), trial(SPOT)]) == 4


def test_early_stopping_saves_what_completed_trials_take_longer() -> None:
    half = replace(COLD, billable_seconds=HOUR / 2)
    longer = replace(COLD, billable_seconds=3 * HOUR)
    pruned = [trial(usage, status=TrialStatus.PRUNED) for usage in (half, longer, None)]
    completed = [trial(COLD), trial(replace(COLD, billable_seconds=2 * HOUR))]  # 1.5 hours in the mean
    cost = money.cost_data([*completed, *pruned])
    assert cost is not None
    assert cost["saved_by_early_stopping"] == 2.0
    alone = money.cost_data(pruned)
    assert alone is not None
    assert alone["saved_by_early_stopping"] == 0.0


@pytest.mark.parametrize(
    ("usages", "reused", "saved"),
    [
        ([COLD, WARM, WARM], 2, 200.0),
        ([COLD, replace(COLD, start_seconds=180.0), WARM], 1, 130.0),
        ([WARM], 1, 0.0),
        ([COLD, replace(WARM, start_seconds=300.0)], 1, 0.0),
        ([COLD, replace(WARM, start_seconds=0.0)], 1, 0.0),
        ([COLD], 0, 0.0),
    ],
    ids=["two", "mean", "no_cold_one", "slower", "not_started", "none"],
)
def test_a_machine_kept_ready_saves_what_a_cold_one_takes_longer_to_start(
    usages: list[Usage], reused: int, saved: float
) -> None:
    pools = money.warm_pool_data([trial(usage, number=number) for number, usage in enumerate(usages, 1)])
    assert pools == {"reused": reused, "runs": len(usages), "saved_seconds": saved}

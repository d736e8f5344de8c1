"""Trials of several runs that count: each in its turn, none twice, and what their values make."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo.core.events import (
    Edited,
    Event,
    LaunchFailed,
    StopRequested,
    StopSent,
    Ticked,
)
from hpo.core.history import History
from hpo.core.job import EndReason, Job, assemble, reopened
from hpo.core.repeats import Repeats, Score, mean, spread
from hpo.core.settings import Running, Take
from hpo.core.trial import Point, Reason, RunState, TrialStatus
from tests.core.events import run_events
from tests.core.repeated import OBJECTIVE, THREE, ended, launched, proposed, proposes, repeat, starts


def test_repeats_are_run_one_after_another_each_with_its_seed() -> None:
    job, trials = run_events(Job(THREE), proposed())
    for run in (1, 2, 3):
        assert starts(job) == [(f"job-0001-{run}", {"x": 1, "seed": run})]
        assert dict(trials[1].params) == {"x": 1}
        job, trials = run_events(job, *repeat(run, 0.1, run / 10))
    assert trials[1].status is TrialStatus.COMPLETED
    assert trials[1].value == pytest.approx(0.2)
    assert trials[1].repeat_values == (0.1, 0.2, 0.3)
    assert trials[1].spread == pytest.approx(0.1)
    assert trials[1].standard_error == pytest.approx(0.1 / math.sqrt(3))
    assert trials[1].attempts == 1
    assert job.tally.best == trials[1]


@pytest.mark.parametrize(("score", "value"), [(Score.MEAN, 0.4), (Score.MEDIAN, 0.2)])
def test_the_score_of_the_best_of_each_run_is_the_trials_value(score: Score, value: float) -> None:
    limits = replace(
        THREE,
        objective=replace(OBJECTIVE, take=Take.BEST),
        repeats=Repeats("seed", (1, 2, 3), score),
    )
    runs = [*repeat(1, 0.1, 0.0), *repeat(2, 0.9), *repeat(3, 0.1, 0.2)]
    _, trials = run_events(Job(limits), proposed(), *runs)
    assert trials[1].value == pytest.approx(value)


def test_a_lost_run_is_launched_again_within_its_repeat() -> None:
    lost = ended(2, state=RunState.LOST)
    events = [proposed(), *repeat(1, 0.1), launched(2), lost, *repeat(3, 0.2)]
    job, trials = run_events(Job(THREE), *events)
    assert [(run.repeat, run.value) for run in trials[1].runs] == [(1, 0.1), (2, None), (2, 0.2), (3, None)]
    assert starts(job) == [("job-0001-4", {"x": 1, "seed": 3})]
    again = [launched(4), ended(4, state=RunState.LOST), *repeat(5, 0.3)]
    _, trials = run_events(job, *again)
    assert trials[1].status is TrialStatus.COMPLETED, "as each repeat has attempts of its own"
    assert trials[1].repeat_values == (0.1, 0.2, 0.3)
    assert trials[1].attempts == 3, "as repeats are no attempts"


def test_a_repeat_that_is_lost_too_often_fails_the_trial() -> None:
    lost = [event for run in (2, 3) for event in (launched(run), ended(run, state=RunState.LOST))]
    _, trials = run_events(Job(THREE), proposed(), *repeat(1, 0.1), *lost)
    assert (trials[1].status, trials[1].reason) == (TrialStatus.FAILED, Reason.LOST)
    assert trials[1].detail.startswith("repeat 2 of 3: ")


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([launched(2), ended(2, state=RunState.FAILED, reason=Reason.EXIT_STATUS)], Reason.EXIT_STATUS),
        ([launched(2), ended(2)], Reason.NO_METRIC),
        ([launched(2), ended(2, math.nan)], Reason.NOT_FINITE),
        ([LaunchFailed(1, 2, Reason.COULD_NOT_START, "no", 3.0)], Reason.COULD_NOT_START),
        ([launched(2), Ticked(9.0), StopSent(1, 2, at_once=False, at=9.0), ended(2, 0.4)], Reason.TIMEOUT),
    ],
)
def test_a_repeat_that_fails_fails_the_trial_which_is_gone_on_with_there(
    events: list[Event], reason: Reason
) -> None:
    limits = replace(THREE, max_job_runtime=5.0, max_jobs=1)
    job, trials = run_events(Job(limits), proposed(), *repeat(1, 0.1), *events)
    assert (trials[1].status, trials[1].reason, trials[1].value) == (TrialStatus.FAILED, reason, None)
    assert trials[1].detail.startswith("repeat 2 of 3: ")
    assert job.is_done
    job = assemble(limits, [reopened(trials[1])])
    assert starts(job) == [("job-0001-3", {"x": 1, "seed": 2})]


def test_the_curve_of_the_first_repeat_speaks_for_the_trial() -> None:
    history = History(OBJECTIVE)
    _, trials = run_events(Job(THREE), proposed(), *repeat(1, 0.1), launched(2))
    history.record(replace(trials[1], runs=trials[1].runs[:1]))
    history.extend([Point(1, 1, "f1", 1.0, 0.1, 1.0)])
    history.record(trials[1])
    history.extend([Point(1, 2, "f1", 1.0, 0.7, 2.0)])
    assert list(history.curve(1)) == [(1.0, 0.1)]
    assert [point.run for point in history.points] == [1]


def test_trials_that_are_to_finish_have_all_of_their_repeats() -> None:
    limits = replace(THREE, target=0.5, running=Running.FINISH)
    good = [proposed(1), *repeat(1, 0.9), *repeat(2, 0.9)]
    job, _ = run_events(Job(limits), *good, proposed(2), *repeat(1, 0.1, number=2), *repeat(3, 0.9))
    assert job.ending is not None
    assert (job.ending.reason, job.is_finishing, proposes(job)) == (EndReason.TARGET, True, False)
    assert job.runs_to_come == 2
    assert starts(job) == [("job-0002-2", {"x": 2, "seed": 2})]
    job, trials = run_events(job, *repeat(2, 0.1, number=2), *repeat(3, 0.1, number=2))
    assert trials[2].status is TrialStatus.COMPLETED
    assert job.is_done


def test_runs_to_come_are_those_of_all_repeats() -> None:
    job, _ = run_events(Job(THREE), proposed(), launched(1))
    assert job.runs_to_come == 3 * 3 + 2
    job, _ = run_events(job, ended(1, 0.1))
    assert job.runs_to_come == 3 * 3 + 2
    job, _ = run_events(job, StopRequested(Reason.STOPPED, "", 2.0))
    assert job.runs_to_come == 0


def test_money_is_kept_for_the_repeats_to_come() -> None:
    limits = replace(THREE, max_cost=7.0, worst_cost=1.0, max_parallel_jobs=4)
    job, _ = run_events(Job(limits), proposed(1))
    assert proposes(job)  # 3 + 3 of 7
    job, _ = run_events(job, proposed(2))
    assert not proposes(job)
    job, _ = run_events(job, *repeat(1, 0.1, cost=0.2))
    assert not proposes(job)  # 0.2 + 2 + 3 + 3
    job, _ = run_events(job, *repeat(2, 0.1, cost=0.2), *repeat(1, 0.1, number=2, cost=0.3))
    assert proposes(job)  # 0.7 + 1 + 2 + 3


def test_a_repeat_that_cannot_be_paid_any_more_ends_the_job() -> None:
    """Also one of a trial that is to finish."""
    for target in (None, 0.5):
        limits = replace(THREE, max_cost=6.0, worst_cost=1.0, target=target, running=Running.FINISH)
        job, _ = run_events(Job(limits), proposed(1), proposed(2), *repeat(1, 0.1, number=2, cost=1.0))
        if target is not None:
            runs = [*repeat(1, 0.9, cost=0.1), *repeat(2, 0.9, cost=0.1), *repeat(3, 0.9, cost=0.1)]
            job, _ = run_events(job, *runs)
            assert job.is_finishing
        dearer = replace(limits, max_cost=2.0)
        job, _ = run_events(job, launched(2, number=2), Edited(dearer, None, "limits.max_cost", 4.0))
        job, _ = run_events(job, ended(2, 0.1, number=2, cost=1.0))
        assert not starts(job)
        assert job.ending is not None
        assert job.ending.reason is (EndReason.TARGET if target else EndReason.MAX_COST)
        assert all(trial.status is TrialStatus.STOPPING for trial in job.open.values())


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9))
def test_mean_median_and_spread_are_those_of_statistics(values: list[float]) -> None:
    assert mean(values) == pytest.approx(statistics.fmean(values))
    assert Score.MEDIAN.of(values) == pytest.approx(statistics.median(values))
    assert spread(values) == pytest.approx(statistics.stdev(values), abs=1e-6)


def test_values_that_are_all_the_same_have_no_spread_and_great_ones_no_infinite_mean() -> None:
    assert (mean([0.1] * 3), spread([0.1] * 3), spread([0.1])) == (0.1, 0.0, None)
    assert (mean([1.7e308] * 3), Score.MEDIAN.of([1.7e308] * 2)) == (1.7e308, 1.7e308)
    assert spread([-1.7e308, 1.7e308]) is None

"""What ends a job, and what a stop and a resume make of its trials."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpo.core.effects import Stop, WakeAt, Watch
from hpo.core.events import (
    Abandoned,
    Event,
    Exhausted,
    Launched,
    LaunchFailed,
    Proposed,
    StopRequested,
    StopSent,
    Ticked,
)
from hpo.core.job import EndReason, Job, JobStatus, assemble
from hpo.core.plan import plan
from hpo.core.settings import Settings
from hpo.core.trial import Reason, RunState, TrialStatus
from tests.core.events import HANDLE, SETTINGS, observe, run_events, start


def test_the_breaker_ends_a_job_whose_first_trials_all_fail() -> None:
    job, failed = Job(replace(SETTINGS, max_parallel_jobs=1)), Reason.EXIT_STATUS
    for number in (1, 2, 3):
        assert job.ending is None
        job, _ = run_events(job, *start(number), observe(number, RunState.FAILED, reason=failed))
    assert job.ending is not None
    assert (job.ending.reason, job.status) == (EndReason.BREAKER, JobStatus.FAILED)


def test_max_failures_takes_the_breakers_place() -> None:
    job = Job(replace(SETTINGS, max_parallel_jobs=1, max_failures=5))
    for number in range(1, 6):
        assert job.ending is None
        job, _ = run_events(job, *start(number), observe(number, RunState.FAILED, reason=Reason.SIGNAL))
    assert (job.ending and job.ending.reason, job.status) == (EndReason.MAX_FAILURES, JobStatus.FAILED)


def test_one_success_disarms_the_breaker() -> None:
    job, _ = run_events(
        Job(replace(SETTINGS, max_jobs=6, max_parallel_jobs=1)),
        *start(1),
        observe(1, RunState.SUCCEEDED, 0.1),
    )
    for number in range(2, 7):
        job, _ = run_events(job, *start(number), observe(number, RunState.FAILED, reason=Reason.EXIT_STATUS))
    assert job.status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("settings", "values", "reason"),
    [
        (replace(SETTINGS, target=0.9), [0.5, 0.9], EndReason.TARGET),
        (replace(SETTINGS, not_improving_for=2), [0.5, 0.4, 0.5], EndReason.NOT_IMPROVING),
        (replace(SETTINGS, max_jobs=2), [0.5, 0.4], EndReason.MAX_JOBS),
    ],
)
def test_acceptance_6_each_criterion_ends_the_job(
    settings: Settings, values: list[float], reason: EndReason
) -> None:
    job = Job(replace(settings, max_parallel_jobs=1))
    for number, value in enumerate(values, 1):
        assert job.ending is None
        job, _ = run_events(job, *start(number), observe(number, RunState.SUCCEEDED, value))
    assert job.ending is not None
    assert (job.ending.reason, job.status) == (reason, JobStatus.COMPLETED)


def test_acceptance_6_max_runtime_ends_the_job_and_stops_what_runs() -> None:
    job, trials = run_events(Job(SETTINGS, deadline=10.0), *start(1), Ticked(11.0))
    assert job.ending is not None
    assert job.ending.reason is EndReason.MAX_RUNTIME
    assert (trials[1].status, trials[1].reason) == (TrialStatus.STOPPING, Reason.JOB_ENDED)


def test_max_failures_ends_the_job() -> None:
    job, _ = run_events(
        Job(replace(SETTINGS, max_failures=1)),
        *start(1),
        observe(1, RunState.SUCCEEDED, 0.5),
        *start(2),
        observe(2, RunState.FAILED, reason=Reason.SIGNAL),
    )
    assert (job.ending and job.ending.reason, job.status) == (EndReason.MAX_FAILURES, JobStatus.FAILED)


def test_an_exhausted_space_ends_the_job() -> None:
    job, _ = run_events(Job(SETTINGS), *start(1), observe(1, RunState.SUCCEEDED, 0.5), Exhausted(1.0))
    assert (job.ending and job.ending.reason, job.status) == (EndReason.EXHAUSTED, JobStatus.COMPLETED)


@pytest.mark.parametrize(
    ("event", "reason", "status"),
    [
        (StopRequested(Reason.STOPPED, "stop", 2.0), EndReason.STOPPED, JobStatus.STOPPED),
        (StopRequested(Reason.INTERRUPTED, "^C", 2.0), EndReason.INTERRUPTED, JobStatus.INTERRUPTED),
        (Ticked(11.0), EndReason.MAX_RUNTIME, JobStatus.COMPLETED),
        (observe(3, RunState.SUCCEEDED, 0.95), EndReason.TARGET, JobStatus.COMPLETED),
    ],
)
def test_what_still_runs_of_an_exhausted_space_can_end_the_job_otherwise(
    event: Event, reason: EndReason, status: JobStatus
) -> None:
    job = Job(replace(SETTINGS, target=0.9), deadline=10.0)
    job, _ = run_events(
        job, *start(1), *start(2), *start(3), observe(1, RunState.SUCCEEDED, 0.5), Exhausted(1.0), event
    )
    assert job.ending is not None
    assert (job.ending.reason, job.is_done) == (reason, False)
    last: list[Event] = [observe(number, RunState.STOPPED, at=12.0) for number in (2, 3)]
    job, _ = run_events(job, *last)
    assert (job.ending and job.ending.reason, job.status) == (reason, status)


def test_a_lost_run_of_an_exhausted_space_is_launched_again() -> None:
    job, trials = run_events(Job(SETTINGS), *start(1), Exhausted(1.0), observe(1, RunState.LOST))
    assert (trials[1].status, trials[1].run.number) == (TrialStatus.PROPOSED, 2)
    again: list[Event] = [Launched(1, 2, HANDLE, 7.0), observe(1, RunState.SUCCEEDED, 0.5, run=2, at=8.0)]
    job, _ = run_events(job, *again)
    assert (job.ending and job.ending.reason, job.status) == (EndReason.EXHAUSTED, JobStatus.COMPLETED)


def test_a_job_without_a_result_has_failed() -> None:
    job, _ = run_events(Job(replace(SETTINGS, max_jobs=1)), *start(1), observe(1))
    assert job.status is JobStatus.FAILED


def test_a_launch_that_can_never_work_fails_its_trial() -> None:
    job, trials = run_events(
        Job(SETTINGS),
        Proposed(1, {}, "random", "", 0.0),
        LaunchFailed(1, 1, Reason.COULD_NOT_START, "no such program", 1.0),
    )
    assert (trials[1].status, trials[1].detail) == (TrialStatus.FAILED, "no such program")
    assert not job.open


def test_a_queued_trial_is_cancelled_by_a_stop_and_goes_on_after_a_resume() -> None:
    queued: list[Event] = [
        Proposed(1, {"x": 1}, "random", "", 0.0),
        StopRequested(Reason.STOPPED, "stop", 1.0),
    ]
    job, trials = run_events(Job(SETTINGS), *queued, Abandoned(1, 1, 2.0))
    assert (trials[1].status, job.status) == (TrialStatus.CANCELLED, JobStatus.STOPPED)
    job, trials = run_events(Job(SETTINGS), *queued)
    resumed, trials = run_events(assemble(SETTINGS, trials.values()), Abandoned(1, 1, 2.0))
    assert (trials[1].status, resumed.status) == (TrialStatus.PROPOSED, JobStatus.RUNNING)


def test_a_trial_stopped_for_an_interrupt_is_run_again_after_a_resume() -> None:
    _, trials = run_events(
        Job(SETTINGS),
        *start(1),
        StopRequested(Reason.INTERRUPTED, "^C", 1.0),
        StopSent(1, 1, at_once=False, at=1.0),
    )
    _, trials = run_events(assemble(SETTINGS, trials.values()), observe(1, RunState.STOPPED, 0.3))
    assert (trials[1].status, trials[1].run.number) == (TrialStatus.PROPOSED, 2)


def test_hurry_can_be_added_to_a_stop_but_its_reason_stays() -> None:
    job, _ = run_events(
        Job(SETTINGS),
        *start(1),
        StopRequested(Reason.STOPPED, "stop", 1.0),
        StopRequested(Reason.INTERRUPTED, "^C^C", 2.0, at_once=True),
    )
    assert job.ending is not None
    assert (job.ending.reason, job.ending.at_once) == (EndReason.STOPPED, True)


def test_a_stop_that_is_due_again_is_sent_and_not_waited_for() -> None:
    told = StopSent(1, 1, at_once=False, at=1.0)
    job, _ = run_events(Job(SETTINGS), *start(1), StopRequested(Reason.STOPPED, "stop", 1.0), told)
    assert plan(job, 30.0) == [Watch(), WakeAt(61.0)]
    assert plan(job, 70.0) == [Stop(1, 1, HANDLE, at_once=False), Watch()]

"""Each event's effect on a job, case by case."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hpo.core.apply import Change, apply
from hpo.core.events import (
    Abandoned,
    Deferred,
    Event,
    Exhausted,
    Launched,
    LaunchFailed,
    Observed,
    Proposed,
    Pruned,
    StopRequested,
    StopSent,
    Ticked,
)
from hpo.core.job import EndReason, Job, JobStatus, assemble, reopened
from hpo.core.settings import Goal, Objective, Settings, Take
from hpo.core.trial import JobHandle, Match, Reason, RunReport, RunState, Trial, TrialStatus
from hpo.core.verdict import Verdict
from tests.core.run_events import run_events

HANDLE = JobHandle("scripted", "h")
MAXIMIZE = Objective("f1", Goal.MAXIMIZE)
SETTINGS = Settings("job", MAXIMIZE, max_jobs=10, max_parallel_jobs=4)


def start(number: int, at: float = 0.0) -> list[Event]:
    return [Proposed(number, {"x": number}, "random", "", at), Launched(number, 1, HANDLE, at)]


def observe(
    number: int,
    state: RunState = RunState.SUCCEEDED,
    *values: float,
    run: int = 1,
    since: str = "",
    cursor: str = "9",
    at: float = 5.0,
    **fields: object,
) -> Observed:
    reason = fields.pop("reason", None)
    started = fields.pop("started", None)
    report = RunReport(state, reason, str(fields.pop("detail", "")), started=started)  # type: ignore[arg-type]
    matches = tuple(Match("f1", value) for value in values)
    return Observed(number, run, report, matches, since, cursor, at, **fields)  # type: ignore[arg-type]


def outcome(event: Observed, settings: Settings = SETTINGS, *before: Event) -> Trial:
    _, trials = run_events(Job(settings), *start(1), *before, event)
    return trials[1]


def test_a_trial_completes_with_its_last_value() -> None:
    trial = outcome(observe(1, RunState.SUCCEEDED, 0.5, 0.9, 0.7))
    assert (trial.status, trial.value, trial.reason) == (TrialStatus.COMPLETED, 0.7, None)


@pytest.mark.parametrize(("goal", "value"), [(Goal.MAXIMIZE, 0.9), (Goal.MINIMIZE, 0.5)])
def test_take_best_is_the_best_finite_match(goal: Goal, value: float) -> None:
    settings = replace(SETTINGS, objective=Objective("f1", goal, Take.BEST))
    trial = outcome(observe(1, RunState.SUCCEEDED, 0.5, 0.9, math.nan, 0.7), settings)
    assert (trial.status, trial.value) == (TrialStatus.COMPLETED, value)


def test_acceptance_11_outcomes_are_distinct() -> None:
    outcomes = {
        "no metric": outcome(observe(1)),
        "nan": outcome(observe(1, RunState.SUCCEEDED, 0.3, math.nan)),
        "infinite": outcome(observe(1, RunState.SUCCEEDED, -math.inf)),
        "crash": outcome(observe(1, RunState.FAILED, 0.3, reason=Reason.EXIT_STATUS)),
        "memory": outcome(observe(1, RunState.FAILED, reason=Reason.OUT_OF_MEMORY)),
        "timeout": outcome(
            observe(1, RunState.STOPPED, 0.3),
            replace(SETTINGS, max_job_runtime=2.0),
            Ticked(3.0),
            StopSent(1, 1, at_once=False, at=3.0),
        ),
        "pruned": outcome(observe(1, RunState.STOPPED, 0.3), SETTINGS, Pruned(1, 1, Verdict("rung"), 2.0)),
        "stopped": outcome(
            observe(1, RunState.STOPPED, 0.3),
            SETTINGS,
            StopRequested(Reason.STOPPED, "", 2.0),
            StopSent(1, 1, at_once=False, at=2.0),
        ),
    }
    assert {name: (trial.status, trial.reason, trial.value) for name, trial in outcomes.items()} == {
        "no metric": (TrialStatus.FAILED, Reason.NO_METRIC, None),
        "nan": (TrialStatus.FAILED, Reason.NOT_FINITE, None),
        "infinite": (TrialStatus.FAILED, Reason.NOT_FINITE, None),
        "crash": (TrialStatus.FAILED, Reason.EXIT_STATUS, 0.3),
        "memory": (TrialStatus.FAILED, Reason.OUT_OF_MEMORY, None),
        "timeout": (TrialStatus.FAILED, Reason.TIMEOUT, 0.3),
        "pruned": (TrialStatus.PRUNED, Reason.PRUNED, 0.3),
        "stopped": (TrialStatus.CANCELLED, Reason.STOPPED, 0.3),
    }


def test_only_completed_trials_are_ever_best() -> None:
    job, _ = run_events(
        Job(SETTINGS),
        *start(1),
        observe(1, RunState.SUCCEEDED, 0.2),
        *start(2),
        observe(2, RunState.FAILED, 0.9, reason=Reason.EXIT_STATUS),
        *start(3),
        Pruned(3, 1, Verdict("rung"), 1.0),
        observe(3, RunState.STOPPED, 0.8),
    )
    assert job.tally.best is not None
    assert job.tally.best.number == 1


@pytest.mark.parametrize("told", [[], [StopSent(1, 1, at_once=False, at=2.1)]])
def test_a_trial_that_succeeded_before_the_stop_reached_it_completes(told: list[Event]) -> None:
    stop = StopRequested(Reason.INTERRUPTED, "^C", 2.0)
    trial = outcome(observe(1, RunState.SUCCEEDED, 0.4), SETTINGS, stop, *told)
    assert (trial.status, trial.value, trial.reason) == (TrialStatus.COMPLETED, 0.4, None)


def test_an_ended_run_is_concluded_only_when_its_log_is_read_to_the_end() -> None:
    first = observe(1, RunState.SUCCEEDED, 0.4, cursor="5", more=True)
    job, trials = run_events(Job(SETTINGS), *start(1), first)
    assert trials[1].status is TrialStatus.RUNNING
    _, trials = run_events(job, observe(1, RunState.SUCCEEDED, 0.6, since="5", cursor="9"))
    assert (trials[1].status, trials[1].value) == (TrialStatus.COMPLETED, 0.6)


def test_an_observation_taken_twice_counts_once() -> None:
    seen = observe(1, RunState.RUNNING, 0.4, cursor="5")
    job, _ = run_events(Job(SETTINGS), *start(1), seen)
    assert apply(job, seen) == Change(job)


def test_steps_count_matches_or_follow_the_named_metric() -> None:
    job, _ = run_events(Job(SETTINGS), *start(1))
    points = apply(job, observe(1, RunState.RUNNING, 0.1, 0.2)).points
    assert [(point.step, point.value) for point in points] == [(1, 0.1), (2, 0.2)]
    named = replace(SETTINGS, objective=replace(MAXIMIZE, step="epoch"))
    job, _ = run_events(Job(named), *start(1))
    matches = (Match("epoch", 5.0), Match("f1", 0.1), Match("epoch", 10.0), Match("f1", 0.2))
    points = apply(job, replace(observe(1, RunState.RUNNING), matches=matches)).points
    assert [(p.step, p.value) for p in points if p.metric == "f1"] == [(5.0, 0.1), (10.0, 0.2)]


@pytest.mark.parametrize("no_step", [math.nan, math.inf, -math.inf])
def test_a_step_that_is_no_finite_number_is_counted(no_step: float) -> None:
    named = replace(SETTINGS, objective=replace(MAXIMIZE, step="epoch"))
    job, _ = run_events(Job(named), *start(1))
    printed = [("f1", 0.1), ("epoch", no_step), ("f1", 0.2), ("epoch", 7.0), ("f1", 0.3)]
    matches = tuple(Match(name, value) for name, value in printed)
    points = apply(job, replace(observe(1, RunState.RUNNING), matches=matches)).points
    assert [(p.step, p.value) for p in points if p.metric == "f1"] == [(1, 0.1), (2, 0.2), (7.0, 0.3)]


def test_a_trial_started_when_its_first_launched_run_did() -> None:
    queued: list[Event] = [
        Proposed(1, {"x": 1}, "random", "", 0.0),
        StopRequested(Reason.STOPPED, "stop", 1.0),
        Abandoned(1, 1, 2.0),
    ]
    _, trials = run_events(Job(SETTINGS), *queued)
    assert (trials[1].started, trials[1].attempts) == (None, 0)
    job = assemble(SETTINGS, [reopened(trials[1])])
    again: list[Event] = [Launched(1, 2, HANDLE, 5.0), observe(1, RunState.SUCCEEDED, 0.5, run=2, at=6.0)]
    _, trials = run_events(job, *again)
    assert (trials[1].status, trials[1].started, trials[1].attempts) == (TrialStatus.COMPLETED, 5.0, 1)


def test_a_run_found_again_has_started_when_its_launcher_says_so() -> None:
    seen = observe(1, RunState.SUCCEEDED, 0.4, started=2.0, at=5.0)
    _, trials = run_events(Job(SETTINGS), *start(1, at=5.0), seen)
    assert (trials[1].run.started, trials[1].run.ended) == (2.0, 5.0)


@pytest.mark.parametrize(
    "late",
    [
        Abandoned(1, 1, 3.0),
        Deferred(1, 1, "no GPU", 9.0, 3.0),
        LaunchFailed(1, 1, Reason.COULD_NOT_START, "no such program", 3.0),
    ],
)
def test_what_is_said_of_a_launch_too_late_changes_nothing(late: Event) -> None:
    job, _ = run_events(Job(SETTINGS), *start(1), StopRequested(Reason.STOPPED, "stop", 2.0))
    assert apply(job, late) == Change(job)


def test_a_later_run_that_is_abandoned_leaves_what_the_earlier_one_found() -> None:
    stop = StopRequested(Reason.STOPPED, "stop", 2.0)
    told = StopSent(1, 1, at_once=False, at=2.0)
    _, trials = run_events(Job(SETTINGS), *start(1), stop, told, observe(1, RunState.STOPPED, 0.3))
    cancelled = trials[1]
    assert cancelled.status is TrialStatus.CANCELLED
    job = assemble(SETTINGS, [reopened(cancelled)])
    job, trials = run_events(job, StopRequested(Reason.STOPPED, "stop", 7.0), Abandoned(1, 2, 8.0))
    assert trials[1].runs == cancelled.runs
    assert (trials[1].status, trials[1].value, job.status) == (TrialStatus.CANCELLED, 0.3, JobStatus.STOPPED)


def test_why_a_run_cannot_be_followed_is_kept_until_it_can_be() -> None:
    silent = observe(1, RunState.RUNNING, 0.1, cursor="1", detail="the engine does not answer")
    job, trials = run_events(Job(SETTINGS), *start(1), silent)
    assert trials[1].run.waiting == "the engine does not answer"
    _, trials = run_events(job, observe(1, RunState.RUNNING, 0.1, since="1", cursor="2"))
    assert trials[1].run.waiting == ""
    crashed = observe(1, RunState.FAILED, since="1", reason=Reason.EXIT_STATUS, detail="exit status 3")
    _, trials = run_events(job, crashed)
    assert (trials[1].run.waiting, trials[1].detail) == ("", "exit status 3")


def test_a_lost_run_is_launched_again_until_its_attempts_are_used_up() -> None:
    job, trials = run_events(Job(SETTINGS), *start(1), observe(1, RunState.LOST))
    assert (trials[1].status, trials[1].run.number, trials[1].run.handle) == (TrialStatus.PROPOSED, 2, None)
    again: list[Event] = [Launched(1, 2, HANDLE, 7.0), observe(1, RunState.LOST, run=2, at=8.0)]
    _, trials = run_events(job, *again)
    assert (trials[1].status, trials[1].reason) == (TrialStatus.FAILED, Reason.LOST)


def test_a_trial_that_is_run_again_after_a_stop_has_all_its_attempts() -> None:
    _, trials = run_events(
        Job(SETTINGS),
        *start(1),
        StopRequested(Reason.STOPPED, "", 1.0),
        StopSent(1, 1, at_once=False, at=1.0),
        observe(1, RunState.STOPPED),
    )
    job = assemble(SETTINGS, [reopened(trials[1])])
    _, trials = run_events(job, Launched(1, 2, HANDLE, 6.0), observe(1, RunState.LOST, run=2))
    assert (trials[1].status, trials[1].run.number) == (TrialStatus.PROPOSED, 3)


def test_the_programs_own_failure_is_not_retried() -> None:
    trial = outcome(observe(1, RunState.FAILED, reason=Reason.EXIT_STATUS, detail="exit status 3"))
    assert (trial.status, trial.detail, len(trial.runs)) == (TrialStatus.FAILED, "exit status 3", 1)


def test_a_deferred_launch_waits_and_is_tried_when_a_slot_gets_free() -> None:
    job, trials = run_events(
        Job(SETTINGS),
        *start(1),
        Proposed(2, {"x": 2}, "random", "", 0.0),
        Deferred(2, 1, "no GPU", 99.0, 1.0),
    )
    assert trials[2].run.waiting == "no GPU"
    job, _ = run_events(job, observe(1, RunState.SUCCEEDED, 0.1))
    assert job.open[2].run.not_before == 0.0


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


def test_assembling_counts_as_the_events_did() -> None:
    job, trials = run_events(
        Job(SETTINGS),
        *start(1),
        *start(2),
        *start(3),
        observe(2, RunState.SUCCEEDED, 0.5),
        observe(1, RunState.SUCCEEDED, 0.5),
        observe(3, RunState.SUCCEEDED, 0.1),
        *start(4),
    )
    assert assemble(SETTINGS, [trials[n] for n in sorted(trials)]) == job
    assert job.tally.best is not None
    assert (job.tally.best.number, job.tally.since_best) == (2, 2)

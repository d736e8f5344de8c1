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
    Launched,
    LaunchFailed,
    Observed,
    Proposed,
    Pruned,
    StopRequested,
    StopSent,
    Ticked,
)
from hpo.core.job import Job, JobStatus, assemble, reopened
from hpo.core.settings import Goal, Objective, Settings, Take
from hpo.core.trial import Match, Reason, RunState, Trial, TrialStatus
from hpo.core.verdict import Verdict
from tests.core.events import HANDLE, MAXIMIZE, SETTINGS, observe, run_events, start


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

"""How an event changes a job: the only place where a trial changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from hpo.core.conclude import concluded, finite, value_of
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
from hpo.core.job import Ending, EndReason, Job
from hpo.core.plan import timeout_of
from hpo.core.progress import advanced
from hpo.core.trial import Point, Reason, Run, RunState, Trial, TrialStatus


@dataclass(frozen=True, slots=True)
class Change:
    """A job after an event, and what of it must be written down."""

    job: Job
    trials: tuple[Trial, ...] = ()
    points: tuple[Point, ...] = ()


def apply(job: Job, event: Event) -> Change:
    """Return what the event makes of the job; one that comes late or twice changes nothing."""
    match event:
        case Proposed():
            change = _proposed(job, event)
        case Exhausted():
            change = Change(_with_ending(job, EndReason.EXHAUSTED, event.detail))
        case Ticked():
            change = _ticked(job, event.at)
        case StopRequested():
            change = _stop_requested(job, event)
        case Launched() | LaunchFailed() | Deferred() | Abandoned() | Observed() | Pruned() | StopSent():
            trial = job.open.get(event.trial)
            if trial is None or trial.run.number != event.run:
                return Change(job)
            change = _for_trial(job, trial, event)
        case _:
            assert_never(event)
    return replace(change, job=_settled(change.job))


def _for_trial(  # noqa: C901, PLR0911 -- one case and return for each kind of event
    job: Job,
    trial: Trial,
    event: Launched | LaunchFailed | Deferred | Abandoned | Observed | Pruned | StopSent,
) -> Change:
    run = trial.run
    match event:
        case Launched():
            if run.handle is not None:
                return Change(job)
            started = replace(
                run, state=RunState.RUNNING, handle=event.handle, started=event.at, waiting="", not_before=0.0
            )
            status = TrialStatus.STOPPING if trial.status is TrialStatus.STOPPING else TrialStatus.RUNNING
            return _with_run(job, replace(trial, status=status), started)
        case Deferred():
            return _with_run(job, trial, replace(run, waiting=event.why, not_before=event.until))
        case StopSent():
            told = replace(
                run,
                state=RunState.STOPPING,
                stop_sent=event.at,
                stopped_at_once=run.stopped_at_once or event.at_once,
            )
            return _with_run(job, trial, told)
        case LaunchFailed():
            failed = replace(run, state=RunState.FAILED, reason=event.reason, detail=event.detail)
            trial = replace(_with_last(trial, failed), reason=event.reason, detail=event.detail)
            return _ended(job, trial, TrialStatus.FAILED, event.at)
        case Abandoned():
            if job.ending is None:  # the job was resumed meanwhile
                return _with_run(
                    job, replace(trial, status=TrialStatus.PROPOSED, reason=None, detail=""), run
                )
            return _ended(job, trial, TrialStatus.CANCELLED, event.at)
        case Observed():
            return _observed(job, trial, event)
        case Pruned():
            if trial.status is not TrialStatus.RUNNING:
                return Change(job)
            stopping = replace(trial, status=TrialStatus.STOPPING, reason=Reason.PRUNED, detail=event.why)
            return _with_trials(job, [stopping])
        case _:
            assert_never(event)


def _proposed(job: Job, event: Proposed) -> Change:
    if event.trial != job.proposed + 1 or not job.may_propose:
        return Change(job)
    trial = Trial(event.trial, event.params, event.proposed_by, memo=event.memo, created=event.at)
    return Change(
        replace(job, proposed=event.trial, open={**job.open, event.trial: trial}),
        (trial,),
    )


def _observed(job: Job, trial: Trial, event: Observed) -> Change:
    run = trial.run
    if event.since != run.cursor or run.handle is None:
        return Change(job)
    progress, points = advanced(job.settings, trial, event)
    run = replace(run, cursor=event.cursor, progress=progress)
    if event.report.state.is_final and not event.more:
        ended_at = event.report.ended or event.at
        run = replace(run, state=event.report.state, ended=ended_at)
        trial = _with_last(trial, replace(run, reason=event.report.reason, detail=event.report.detail))
        outcome = concluded(job, trial, event)
        if outcome.status.is_final:
            change = _ended(job, outcome, outcome.status, ended_at)
        else:
            change = _with_run(job, outcome, outcome.run)
    else:
        change = _with_run(job, trial, run)
    return replace(change, points=points)


def _ticked(job: Job, now: float) -> Change:
    if job.ending is None and job.deadline is not None and now >= job.deadline:
        limit = job.settings.max_runtime or 0
        return _stopping_all(job, EndReason.MAX_RUNTIME, f"the job ran for {limit:g} seconds")
    changed = []
    for trial in job.open.values():
        timeout = timeout_of(job, trial.run)
        if timeout is not None and now >= timeout and trial.status is TrialStatus.RUNNING:
            detail = f"it ran longer than limits.max_job_runtime, {job.settings.max_job_runtime:g} seconds"
            changed.append(replace(trial, status=TrialStatus.STOPPING, reason=Reason.TIMEOUT, detail=detail))
    change = _with_trials(job, changed)
    return change if changed else _judged(job)  # after a crash the last trial's judgement may be missing


def _stop_requested(job: Job, event: StopRequested) -> Change:
    interrupted = event.reason is Reason.INTERRUPTED
    reason = EndReason.INTERRUPTED if interrupted else EndReason.STOPPED
    return _stopping_all(job, reason, event.detail, why=event.reason, at_once=event.at_once)


def _stopping_all(
    job: Job, reason: EndReason, detail: str, *, why: Reason = Reason.JOB_ENDED, at_once: bool = False
) -> Change:
    """End the job: launch no more, and stop what runs."""
    job = _with_ending(job, reason, detail, at_once=at_once)
    changed = [
        replace(trial, status=TrialStatus.STOPPING, reason=why, detail=detail)
        for trial in job.open.values()
        if trial.status is not TrialStatus.STOPPING
    ]
    return _with_trials(job, changed)


def _with_ending(job: Job, reason: EndReason, detail: str, *, at_once: bool = False) -> Job:
    """Give the job an ending; the first reason stays, and only hurry can be added to it."""
    if job.ending is not None:
        return replace(job, ending=replace(job.ending, at_once=job.ending.at_once or at_once))
    return replace(job, ending=Ending(reason, detail, at_once))


def _ended(job: Job, trial: Trial, status: TrialStatus, at: float) -> Change:
    """Close a trial: out of the open ones, into the tally; then see whether that ends the job."""
    run = trial.run
    trial = replace(
        _with_last(trial, replace(run, ended=run.ended or at)),
        status=status,
        value=finite(value_of(job.settings, run)),
        ended=at,
        place=job.tally.last_place + 1,
    )
    others = {number: other for number, other in job.open.items() if number != trial.number}
    woken = [  # a slot is free again: what waited for capacity is tried at once
        _with_last(other, replace(other.run, waiting="", not_before=0.0))
        for other in others.values()
        if other.run.waiting
    ]
    job = replace(job, open=others, tally=job.tally.add(trial, job.settings))
    change = _with_trials(job, woken)
    ending = _judged(change.job)
    return replace(ending, trials=(trial, *change.trials, *ending.trials))


def _judged(job: Job) -> Change:
    """End the job where the last ended trial fulfilled one of its criteria."""
    if job.ending is not None:
        return Change(job)
    settings, tally = job.settings, job.tally
    failed = tally.count(TrialStatus.FAILED)
    best = tally.best.value if tally.best is not None else None
    if settings.target is not None and best is not None:
        goal = settings.objective.goal
        if not goal.is_better(settings.target, best):
            return _stopping_all(job, EndReason.TARGET, f"{best!r} reached the target {settings.target!r}")
    if settings.not_improving_for is not None and tally.since_best >= settings.not_improving_for:
        return _stopping_all(
            job, EndReason.NOT_IMPROVING, f"no better value in the last {tally.since_best} trials"
        )
    if settings.max_failures is not None and failed >= settings.max_failures:
        return _stopping_all(job, EndReason.MAX_FAILURES, f"{failed} trials failed")
    evidence = tally.count(TrialStatus.COMPLETED) + tally.count(TrialStatus.PRUNED)
    if failed >= settings.breaker and not evidence:
        return _stopping_all(job, EndReason.BREAKER, f"the first {failed} trials all failed")
    return Change(job)


def _settled(job: Job) -> Job:
    """Give the job its final status where nothing is open and nothing more will be proposed."""
    if job.is_done or job.open:
        return job
    ending = job.ending
    if ending is None and job.proposed >= job.settings.max_jobs:
        ending = Ending(EndReason.MAX_JOBS, f"all {job.settings.max_jobs} trials have ended")
    if ending is None:
        return job
    return replace(job, ending=ending, status=job.final_status(ending))


def _with_last(trial: Trial, run: Run) -> Trial:
    return replace(trial, runs=(*trial.runs[:-1], run))


def _with_run(job: Job, trial: Trial, run: Run) -> Change:
    return _with_trials(job, [_with_last(trial, run)])


def _with_trials(job: Job, trials: list[Trial]) -> Change:
    if not trials:
        return Change(job)
    changed = {trial.number: trial for trial in trials}
    return Change(replace(job, open={**job.open, **changed}), tuple(trials))

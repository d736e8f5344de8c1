"""How an event changes a job: the only place where a trial changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from hpo.core.conclude import concluded, in_repeat, trial_values
from hpo.core.criteria import fulfilled, in_seconds, may_finish
from hpo.core.events import (
    Abandoned,
    Deferred,
    Edited,
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
from hpo.core.feasibility import violation_of
from hpo.core.job import Ending, EndReason, Job
from hpo.core.plan import timeout_of
from hpo.core.progress import advanced
from hpo.core.trial import Point, Reason, Run, RunState, Trial, TrialStatus
from hpo.core.verdict import Verdict


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
            change = Change(replace(job, exhausted=True))
        case Ticked():
            change = _ticked(job, event.at)
        case StopRequested():
            change = _stop_requested(job, event)
        case Edited():
            change = _edited(job, event)
        case Launched() | LaunchFailed() | Deferred() | Abandoned() | Observed() | Pruned() | StopSent():
            trial = job.open.get(event.trial)
            if trial is None or trial.run.number != event.run:
                return Change(job)
            change = _for_trial(job, trial, event)
        case _:
            assert_never(event)
    return replace(change, job=_settled(change.job))


def _for_trial(  # noqa: PLR0911 -- one return for each kind of event
    job: Job,
    trial: Trial,
    event: Launched | LaunchFailed | Deferred | Abandoned | Observed | Pruned | StopSent,
) -> Change:
    match event:
        case Launched() | LaunchFailed() | Deferred() | Abandoned() if trial.run.handle is not None:
            return Change(job)  # it comes late: the run was launched
        case Launched():
            return _launched(job, trial, event)
        case LaunchFailed():
            return _launch_failed(job, trial, event)
        case Deferred():
            return _with_run(job, trial, replace(trial.run, waiting=event.why, not_before=event.until))
        case Abandoned():
            return _abandoned(job, trial, event)
        case Observed():
            return _observed(job, trial, event)
        case Pruned():
            return _pruned(job, trial, event.verdict)
        case StopSent():
            return _stop_sent(job, trial, event)
        case _:
            assert_never(event)


def _launched(job: Job, trial: Trial, event: Launched) -> Change:
    run = replace(
        trial.run, state=RunState.RUNNING, handle=event.handle, started=event.at, waiting="", not_before=0.0
    )
    status = TrialStatus.STOPPING if trial.status is TrialStatus.STOPPING else TrialStatus.RUNNING
    return _with_run(job, replace(trial, status=status), run)


def _launch_failed(job: Job, trial: Trial, event: LaunchFailed) -> Change:
    run = replace(trial.run, state=RunState.FAILED, reason=event.reason, detail=event.detail)
    trial = replace(_with_last(trial, run), reason=event.reason, detail=event.detail)
    return _ended(job, trial, TrialStatus.FAILED, event.at)


def _abandoned(job: Job, trial: Trial, event: Abandoned) -> Change:
    if job.ending is None:  # the job was resumed meanwhile
        return _with_trials(job, [replace(trial, status=TrialStatus.PROPOSED, reason=None, detail="")])
    if len(trial.runs) > 1:  # what an earlier run found stays the trial's own
        trial = replace(trial, runs=trial.runs[:-1])
    return _ended(job, trial, TrialStatus.CANCELLED, event.at)


def _pruned(job: Job, trial: Trial, verdict: Verdict) -> Change:
    if trial.status is not TrialStatus.RUNNING:
        return Change(job)
    stopping = replace(
        trial, status=TrialStatus.STOPPING, reason=Reason.PRUNED, detail=verdict.why, verdict=verdict
    )
    return _with_trials(job, [stopping])


def _stop_sent(job: Job, trial: Trial, event: StopSent) -> Change:
    run = replace(
        trial.run,
        state=RunState.STOPPING,
        stop_sent=event.at,
        stopped_at_once=trial.run.stopped_at_once or event.at_once,
    )
    return _with_run(job, trial, run)


def _proposed(job: Job, event: Proposed) -> Change:
    if event.trial != job.proposed + 1 or not job.may_propose:
        return Change(job)
    trial = Trial(
        event.trial,
        event.params,
        event.proposed_by,
        memo=event.memo,
        created=event.at,
        algorithm=event.algorithm,
    )
    return Change(
        replace(job, proposed=event.trial, open={**job.open, event.trial: trial}),
        (trial,),
    )


def _observed(job: Job, trial: Trial, event: Observed) -> Change:
    run = trial.run
    if event.since != run.cursor or run.handle is None:
        return Change(job)
    progress, points = advanced(job.settings, trial, event)
    run = replace(run, cursor=event.cursor, progress=progress, usage=event.report.usage or run.usage)
    if event.report.state.is_final and not event.more:
        ended_at = event.report.ended or event.at
        started = run.started if event.report.started is None else event.report.started
        run = replace(run, state=event.report.state, started=started, ended=ended_at, waiting="")
        run = replace(run, usage=event.report.usage)  # not an earlier one, which may be too little
        trial = _with_last(trial, replace(run, reason=event.report.reason, detail=event.report.detail))
        outcome = concluded(job, trial, event)
        if outcome.status.is_final:
            change = _ended(job, outcome, outcome.status, ended_at)
        else:
            change = _judged(_with_run(job, outcome, outcome.run), event.at)
    else:
        waiting = "" if event.report.state.is_final else event.report.detail
        change = _with_run(job, trial, replace(run, waiting=waiting))
    return replace(change, points=points)


def _ticked(job: Job, now: float) -> Change:
    # By results, too: after a crash the last trial's judgement may be missing.
    if (ending := fulfilled(job, now)) is not None:
        return _stopping_all(job, ending)
    changed = []
    for trial in job.open.values():
        timeout = timeout_of(job, trial.run)
        if timeout is not None and now >= timeout and trial.status is TrialStatus.RUNNING:
            limit = in_seconds(job.settings.max_job_runtime or 0)
            detail = f"it ran longer than limits.max_job_runtime, {limit}"
            changed.append(replace(trial, status=TrialStatus.STOPPING, reason=Reason.TIMEOUT, detail=detail))
    return _with_trials(job, changed)


def _edited(job: Job, event: Edited) -> Change:
    """Go on under other settings, judged at once; more may be left to propose than there was."""
    if job.is_done:
        return Change(job)
    edited = replace(job, settings=event.settings, deadline=event.deadline, exhausted=False)
    return _ticked(edited, event.at)


def _stop_requested(job: Job, event: StopRequested) -> Change:
    interrupted = event.reason is Reason.INTERRUPTED
    reason = EndReason.INTERRUPTED if interrupted else EndReason.STOPPED
    return _stopping_all(job, Ending(reason, event.detail, event.at_once), why=event.reason)


def _stopping_all(job: Job, ending: Ending, *, why: Reason = Reason.JOB_ENDED) -> Change:
    """End the job: launch no more, and stop what runs; an earlier ending stays, and takes over the hurry."""
    changed = [
        replace(trial, status=TrialStatus.STOPPING, reason=why, detail=ending.detail)
        for trial in job.open.values()
        if trial.status is not TrialStatus.STOPPING
        and not (may_finish(job.settings, ending) and _has_begun(trial))
    ]
    if job.ending is not None:
        ending = replace(job.ending, at_once=job.ending.at_once or ending.at_once)
    return _with_trials(replace(job, ending=ending), changed)


def _has_begun(trial: Trial) -> bool:
    """Tell whether anything of a trial was launched: its current run, or an earlier repeat."""
    return trial.run.handle is not None or trial.run.repeat > 1


def _ended(job: Job, trial: Trial, status: TrialStatus, at: float) -> Change:
    """Close a trial: out of the open ones, into the tally; then see whether that ends the job."""
    run = trial.run
    failed, completed = status is TrialStatus.FAILED, status is TrialStatus.COMPLETED
    value, *further = trial_values(job.settings, trial, status)
    trial = replace(
        _with_last(trial, replace(run, ended=run.ended or at, waiting="")),
        status=status,
        detail=in_repeat(job.settings, run, trial.detail) if failed else trial.detail,
        value=value,
        others=tuple(further),
        violation=violation_of(job.settings, trial.repeats) if completed else 0.0,
        ended=at,
        place=job.tally.last_place + 1,
    )
    others = {number: other for number, other in job.open.items() if number != trial.number}
    woken = [  # a slot is free again: what waited for capacity is tried at once
        _with_last(other, replace(other.run, waiting="", not_before=0.0))
        for other in others.values()
        if other.run.waiting and other.run.handle is None
    ]
    job = replace(job, open=others, tally=job.tally.add(trial, job.settings))
    change = _with_trials(job, woken)
    return _judged(replace(change, trials=(trial, *change.trials)), at)


def _judged(change: Change, at: float) -> Change:
    """See whether a change ends the job."""
    ending = fulfilled(change.job, at)
    if ending is None:
        return change
    stopped = _stopping_all(change.job, ending)
    trials = {trial.number: trial for trial in (*change.trials, *stopped.trials)}
    return replace(stopped, trials=tuple(trials.values()))


def _settled(job: Job) -> Job:
    """Give the job its final status where nothing is open and nothing more will be proposed."""
    if job.is_done or job.open:
        return job
    ending = job.ending
    if ending is None and job.proposed >= job.settings.max_jobs:
        ending = Ending(EndReason.MAX_JOBS, f"all {job.proposed} trials have ended")
    elif ending is None and job.exhausted:
        ending = Ending(EndReason.EXHAUSTED, "every configuration of the space was tried")
    if ending is None:
        return job
    status = job.final_status(ending)
    if job.tally.best is None and job.tally.count(TrialStatus.COMPLETED):
        ending = replace(ending, detail=f"{ending.detail}, and none that completed meets `require`")
    return replace(job, ending=ending, status=status)


def _with_last(trial: Trial, run: Run) -> Trial:
    return replace(trial, runs=(*trial.runs[:-1], run))


def _with_run(job: Job, trial: Trial, run: Run) -> Change:
    return _with_trials(job, [_with_last(trial, run)])


def _with_trials(job: Job, trials: list[Trial]) -> Change:
    if not trials:
        return Change(job)
    changed = {trial.number: trial for trial in trials}
    return Change(replace(job, open={**job.open, **changed}), tuple(trials))

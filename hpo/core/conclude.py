"""How a trial ends, from what it was stopped for and how its run ended: the table of outcomes."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import takewhile
from typing import assert_never

from hpo.core.budget import runs_left
from hpo.core.events import Observed
from hpo.core.job import Job, next_run, out_of_money, reopened
from hpo.core.settings import Objective, Settings, Take
from hpo.core.trial import Reason, Run, RunState, Trial, TrialStatus

FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 60.0
LONGEST_WITHOUT_CAPACITY = 300.0
"""Seconds before another launch: doubled from the first to the longest."""

ROUNDING = 1e-6
SMALLEST = 1e-37
"""By so much, in relation and in all, a value may differ from itself as a 32-bit number."""


def value_of(settings: Settings, run: Run) -> float | None:
    """Return the run's value of the objective, as `take` says; None without one. Of several: of the first."""
    return value_for(settings, settings.objective, run)


def value_for(settings: Settings, objective: Objective, run: Run) -> float | None:
    """Return the run's value of one of the objectives, as its `take` says; None without one."""
    progress, latest = run.progress, run.progress.latest.get(objective.metric)
    match objective.take:
        case Take.LAST:
            return latest
        case Take.BEST:
            is_first = objective == settings.objective
            best = progress.best if is_first else progress.others.get(objective.metric)
            return latest if best is None else best
        case _:
            assert_never(objective.take)


def values_of(settings: Settings, run: Run) -> tuple[float | None, ...]:
    """Return the run's finite value of each objective; None where there is none."""
    return tuple(finite(value_for(settings, objective, run)) for objective in settings.objectives)


def finite(value: float | None) -> float | None:
    """Return the value unless it is NaN or infinite: such a one is never a result."""
    return value if value is not None and math.isfinite(value) else None


def trial_values(settings: Settings, trial: Trial, status: TrialStatus) -> tuple[float | None, ...]:
    """Return a trial's value of each objective, where it ends in this status: the score of its repeats.

    Repeats that are not complete have none; one that was stopped early has those of its first repeat.
    """
    if settings.repeats.count == 1 or status is TrialStatus.PRUNED:
        return values_of(settings, trial.run)
    if status is not TrialStatus.COMPLETED:
        return (None,) * len(settings.objectives)
    return tuple(
        settings.repeats.score.of([value for value in values if value is not None])
        for values in zip(*(values_of(settings, run) for run in trial.repeats), strict=True)
    )


def in_repeat(settings: Settings, run: Run, detail: str) -> str:
    """Return a detail of a run, after which of the trial's repeats it was."""
    count = settings.repeats.count
    return f"repeat {run.repeat} of {count}: {detail}" if count > 1 else detail


def concluded(job: Job, trial: Trial, event: Observed) -> Trial:
    """Return the trial after its run ended: in a final status, or with another run to be launched."""
    outcome = _outcome(job, trial, event)
    run = next(run for run in outcome.runs if run.number == event.run)
    if not (outcome.status.is_final or run.value is not None):
        return outcome  # launched again
    remark = "; ".join(filter(None, (_remark(each, run, event) for each in job.settings.objectives)))
    if remark and outcome.status is not TrialStatus.FAILED:  # whose whole detail is of that repeat
        remark = in_repeat(job.settings, run, remark)
    return replace(outcome, detail="; ".join(filter(None, (outcome.detail, remark)))) if remark else outcome


def _outcome(job: Job, trial: Trial, event: Observed) -> Trial:
    if trial.status is TrialStatus.STOPPING:
        return _stopped(job, trial)
    run = trial.run
    match run.state:
        case RunState.SUCCEEDED:
            return _succeeded(job, trial, event.advice)
        case RunState.FAILED:
            return replace(trial, status=TrialStatus.FAILED, reason=run.reason, detail=run.detail)
        case RunState.LOST if run.found_no_capacity:
            return _without_capacity(job, trial)
        case RunState.LOST:
            return _lost(job, trial, run.detail or "nothing is left of the run, not even its exit status")
        case RunState.STOPPED:
            return _lost(job, trial, "something other than hpo stopped it")
        case RunState.QUEUED | RunState.RUNNING | RunState.STOPPING:
            raise ValueError(f"a run that is {run.state} has not ended")
        case _:
            assert_never(run.state)


def _stopped(job: Job, trial: Trial) -> Trial:
    """End a trial that was to stop; one that had succeeded before the stop reached it has completed."""
    run = trial.run
    match trial.reason:
        case Reason.PRUNED:
            return replace(trial, status=TrialStatus.PRUNED)
        case Reason.TIMEOUT:
            return replace(trial, status=TrialStatus.FAILED)
        case _:
            if run.state is RunState.SUCCEEDED and None not in values_of(job.settings, run):
                trial = _counted(job, trial)
                if run.repeat == job.settings.repeats.count:
                    return replace(trial, status=TrialStatus.COMPLETED, reason=None, detail="")
            if job.ending is None and _can_pay(job, trial):  # the job was resumed while this one stopped
                return reopened(trial)
            return replace(trial, status=TrialStatus.CANCELLED)


def _succeeded(job: Job, trial: Trial, advice: str) -> Trial:
    values = {each.metric: value_for(job.settings, each, trial.run) for each in job.settings.objectives}
    missing = [metric for metric, value in values.items() if value is None]
    if missing:
        names = " and ".join(missing)
        detail = advice or f"the program ended well, but no line of its log gave a value for {names}"
        return replace(trial, status=TrialStatus.FAILED, reason=Reason.NO_METRIC, detail=detail)
    if wrong := [f"{metric} is {value}" for metric, value in values.items() if finite(value) is None]:
        return replace(trial, status=TrialStatus.FAILED, reason=Reason.NOT_FINITE, detail=", ".join(wrong))
    trial = _counted(job, trial)
    if trial.run.repeat < job.settings.repeats.count:
        return replace(trial, runs=(*trial.runs, next_run(trial)), status=TrialStatus.PROPOSED)
    return replace(trial, status=TrialStatus.COMPLETED)


def _counted(job: Job, trial: Trial) -> Trial:
    """Return the trial with its last run, which has succeeded, as one that counts."""
    value, *_ = values_of(job.settings, trial.run)
    return replace(trial, runs=(*trial.runs[:-1], replace(trial.run, value=value)))


def _lost(job: Job, trial: Trial, detail: str) -> Trial:
    """Launch the trial again while it has attempts left: the machinery failed, not the program."""
    run = replace(trial.run, reason=Reason.LOST, detail=detail)
    runs = (*trial.runs[:-1], run)
    losses = sum(other.reason is Reason.LOST for other in runs if other.repeat == run.repeat)
    is_used_up = losses >= job.settings.attempts
    if job.ending is not None and not is_used_up:
        detail = f"{detail}; it is not launched again, as the job has ended: {job.ending.detail}"
    if job.ending is not None or is_used_up:
        return replace(trial, runs=runs, status=TrialStatus.FAILED, reason=Reason.LOST, detail=detail)
    if not _can_pay(job, trial):
        return _unpaid(job, replace(trial, runs=runs), detail)
    backoff = min(FIRST_BACKOFF * 2 ** (losses - 1), LONGEST_BACKOFF)
    again = replace(next_run(trial), not_before=(run.ended or 0.0) + backoff)
    return replace(trial, runs=(*runs, again), status=TrialStatus.PROPOSED)


def _without_capacity(job: Job, trial: Trial) -> Trial:
    """Launch the trial again, however often: there was no machine for it, so that it has not been tried."""
    run = trial.run
    if job.ending is not None:  # it was to finish
        reason = Reason.JOB_ENDED
        return replace(trial, status=TrialStatus.CANCELLED, reason=reason, detail=job.ending.detail)
    detail = run.detail or "there is no machine for it"
    if not _can_pay(job, trial):
        return _unpaid(job, trial, detail)
    in_vain = len(list(takewhile(lambda earlier: earlier.found_no_capacity, reversed(trial.runs))))
    backoff = min(FIRST_BACKOFF * 2.0 ** min(in_vain - 1, 60), LONGEST_WITHOUT_CAPACITY)
    again = replace(next_run(trial), waiting=detail, not_before=(run.ended or 0.0) + backoff)
    return replace(trial, runs=(*trial.runs, again), status=TrialStatus.PROPOSED)


def _can_pay(job: Job, trial: Trial) -> bool:
    """Tell whether all that a trial still takes, whose last run has just ended, is within `max_cost`."""
    others = [other for other in job.open.values() if other.number != trial.number]
    return _with(job, trial).can_pay(runs_left(job.settings, reopened(trial)), beside=others)


def _with(job: Job, trial: Trial) -> Job:
    """Return the job with the trial's ended run among its earlier ones, before one that is to come."""
    return replace(job, open={**job.open, trial.number: reopened(trial)})


def _unpaid(job: Job, trial: Trial, detail: str) -> Trial:
    detail = f"{detail}; it is not launched again: {out_of_money(_with(job, trial))}"
    return replace(trial, status=TrialStatus.FAILED, reason=Reason.LOST, detail=detail)


def _remark(objective: Objective, run: Run, event: Observed) -> str:
    """Return what is to be known of an ended run's value: that it is not the log's, or another one."""
    metric = objective.metric
    launcher = run.handle.launcher if run.handle is not None else "the launcher"
    if any(match.metric == metric for match in event.matches[len(event.matches) - event.stand_ins :]):
        return f"no line of the log gave {metric}: its value is the one that {launcher} read"
    value, read = run.progress.latest.get(metric), event.report.metrics.get(metric)
    if run.value is None or objective.take is not Take.LAST:
        return ""
    if value is None or read is None or math.isclose(value, read, rel_tol=ROUNDING, abs_tol=SMALLEST):
        return ""
    return f"the log's last {metric} is {value!r}, {launcher} read {read!r}"

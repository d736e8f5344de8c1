"""When a job ends by itself: the criteria of its spec, judged from what has ended so far."""

from __future__ import annotations

from hpo.core.budget import runs_left
from hpo.core.job import Ending, EndReason, Job, Tally, out_of_money
from hpo.core.settings import Running, Settings
from hpo.core.trial import TrialStatus


def fulfilled(job: Job, now: float) -> Ending | None:
    """Return why the job is to end now; None where no criterion says so, or it is ending already.

    Where it is finishing that is why it waits no longer for what runs.
    """
    if job.ending is not None:
        return (out_of_time(job, now) or _out_of_money(job)) if job.is_finishing else None
    settings, tally = job.settings, job.tally
    best, target = tally.best.value if tally.best is not None else None, settings.target
    if best is not None and target is not None and not settings.objective.goal.is_better(target, best):
        return Ending(EndReason.TARGET, f"{best!r} reached the target {target!r}")
    if settings.not_improving_for is not None and tally.since_best >= settings.not_improving_for:
        return Ending(EndReason.NOT_IMPROVING, f"no better value in the last {_trials(tally)}")
    if settings.converged and tally.gain.has_converged:
        return Ending(EndReason.CONVERGED, tally.gain.words)
    return out_of_time(job, now) or _failing(job) or _out_of_money(job)


def out_of_time(job: Job, now: float) -> Ending | None:
    """Return that the job has used up its time; None where it has not."""
    if job.deadline is None or now < job.deadline:
        return None
    return Ending(EndReason.MAX_RUNTIME, f"the job ran for {in_seconds(job.settings.max_runtime or 0)}")


def _trials(tally: Tally) -> str:
    return "trial" if tally.since_best == 1 else f"{tally.since_best} trials"


def in_seconds(duration: float) -> str:
    """Return a duration in words."""
    return f"{duration:g} second{'' if duration == 1 else 's'}"


def may_finish(settings: Settings, ending: Ending) -> bool:
    """Tell whether what runs may go on to its end: `stop_when.running` is about what `stop_when` ends."""
    of_stop_when = {EndReason.TARGET, EndReason.NOT_IMPROVING, EndReason.CONVERGED}
    return settings.running is Running.FINISH and ending.reason in of_stop_when


def _out_of_money(job: Job) -> Ending | None:
    """Judge the cost: only once nothing runs is it known that what is left pays no other run."""
    if any(trial.run.handle is not None for trial in job.open.values()):
        return None
    if not job.open and job.has_proposed_all and not job.tally.count(TrialStatus.CANCELLED):
        return None  # there is nothing left to be paid
    runs = min(
        (runs_left(job.settings, trial) for trial in job.open.values()), default=job.settings.repeats.count
    )
    if job.can_pay(runs, beside=()):
        return None
    return Ending(EndReason.MAX_COST, out_of_money(job))


def _failing(job: Job) -> Ending | None:
    """Judge the failures: by `max_failures`, or where that is not given by the breaker in its place."""
    limit, failed = job.settings.max_failures, job.tally.count(TrialStatus.FAILED)
    if limit is not None:
        return Ending(EndReason.MAX_FAILURES, f"{failed} trials failed") if failed >= limit else None
    evidence = job.tally.count(TrialStatus.COMPLETED) + job.tally.count(TrialStatus.PRUNED)
    if failed >= job.settings.breaker and not evidence:
        return Ending(EndReason.BREAKER, f"the first {failed} trials all failed")
    return None

"""What should be happening now, from the state alone; resuming is nothing but the first call."""

from __future__ import annotations

from collections.abc import Iterator

from hpo.core.budget import runs_left
from hpo.core.effects import Abandon, Effect, Propose, Start, Stop, WakeAt, Watch
from hpo.core.job import Job
from hpo.core.settings import Settings
from hpo.core.trial import Launch, Run, RunState, Trial, TrialStatus

RESEND_STOP = 60.0
"""Seconds after which a run that was told to stop and still runs is told again."""


def plan(job: Job, now: float) -> list[Effect]:
    """Return everything that should be under way; what already is need not be started again."""
    effects: list[Effect] = []
    watching = False
    unpaid = _unpaid(job)
    for trial in job.open.values():
        if trial.number not in unpaid:
            effects.extend(_for_run(job, trial, trial.run, now))
        watching = watching or trial.run.handle is not None
    if watching:
        effects.append(Watch())
    if job.may_propose:
        effects.append(Propose(job.proposed + 1))
    times = [
        time for trial in job.open.values() if trial.number not in unpaid for time in _times(job, trial, now)
    ]
    if job.deadline is not None and (job.ending is None or job.is_finishing):
        times.append(job.deadline)
    if times:
        effects.append(WakeAt(min(times)))
    return effects


def _unpaid(job: Job) -> frozenset[int]:
    """Return the queued trials that what is left cannot pay for now; they wait for what runs to cost less.

    That happens only to a job that goes on with a lower `max_cost`, or with trials that it had cancelled.
    """
    if job.settings.max_cost is None:
        return frozenset()
    beside = [trial for trial in job.open.values() if trial.run.handle is not None]
    unpaid: set[int] = set()
    for trial in job.open.values():
        if trial.run.handle is None and trial.status is not TrialStatus.STOPPING:
            if job.can_pay(runs_left(job.settings, trial), beside=beside):
                beside.append(trial)
            else:
                unpaid.add(trial.number)
    return frozenset(unpaid)


def launch_of(settings: Settings, trial: Trial) -> Launch:
    """Return the launch of a trial's current run, with what its repeat is given."""
    run = trial.run
    params = {**trial.params, **settings.repeats.given(run.repeat)}
    return Launch(settings.job, trial.number, run.number, params, run.repeat, trial.algorithm)


def _for_run(job: Job, trial: Trial, run: Run, now: float) -> Iterator[Effect]:
    if run.handle is None:
        launch = launch_of(job.settings, trial)
        if trial.status is TrialStatus.STOPPING:
            yield Abandon(launch)
        elif now >= run.not_before:
            yield Start(launch)
    elif trial.status is TrialStatus.STOPPING:
        at_once = job.ending is not None and job.ending.at_once
        due = run.stop_sent is None or now >= run.stop_sent + RESEND_STOP
        if due or (at_once and not run.stopped_at_once):
            yield Stop(trial.number, run.number, run.handle, at_once)


def _times(job: Job, trial: Trial, now: float) -> Iterator[float]:
    """Yield when there is something to do: what is due already, as a launch, is in the plan itself."""
    run = trial.run
    if run.handle is None:
        due = run.not_before
    elif trial.status is TrialStatus.STOPPING:
        due = now if run.stop_sent is None else run.stop_sent + RESEND_STOP
    else:
        if (timeout := timeout_of(job, run)) is not None:
            yield timeout  # also a past one: it is a tick that ends the run
        return
    if due > now:
        yield due


def timeout_of(job: Job, run: Run) -> float | None:
    """Return when a run will have used up its time, in seconds since the epoch."""
    limit = job.settings.max_job_runtime
    if (
        limit is None
        or job.settings.launcher_ends_runs
        or run.started is None
        or run.state is RunState.QUEUED
    ):
        return None
    return run.started + limit

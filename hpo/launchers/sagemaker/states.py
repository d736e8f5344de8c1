"""How SageMaker's statuses and words read in those that all launchers share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import assert_never

from hpo.core.trial import Reason, RunReport, RunState
from hpo.core.usage import Usage
from hpo.launchers.sagemaker.answers import Described, Pool, Status

NO_CAPACITY = "CapacityError"

_TOO_LITTLE_MEMORY = re.compile(r"out of memory|more memory|MemoryError|OutOfMemory", re.IGNORECASE)
_EXIT_STATUS = re.compile(r"exit code:? (?P<status>\d+)", re.IGNORECASE)


def report(job: Described, usage: Usage) -> RunReport:
    """Return what a training job's statuses mean for its run: the one table of outcomes."""
    state, reason, detail = _outcome(job)
    return RunReport(
        state,
        reason,
        detail,
        ended=job.ended,
        started=job.started,
        metrics=job.metrics if state is RunState.SUCCEEDED else {},
        usage=usage,
    )


def _outcome(job: Described) -> tuple[RunState, Reason | None, str]:
    match job.status:
        case Status.IN_PROGRESS | Status.STOPPING | Status.DELETING:
            return RunState.RUNNING, None, _under_way(job)
        case Status.COMPLETED:
            return RunState.SUCCEEDED, None, ""
        case Status.STOPPED:
            return _stopped(job)
        case Status.FAILED:
            return _failed(job.failure)
        case _:
            assert_never(job.status)


def _under_way(job: Described) -> str:
    """Return what a training job waits for; nothing while its program runs."""
    if job.secondary in {"Training", "Uploading", ""}:
        return ""
    words = f"{job.secondary}: {job.message}" if job.message else job.secondary
    return f"SageMaker: {words}"


def _stopped(job: Described) -> tuple[RunState, Reason | None, str]:
    match job.secondary:
        case "MaxRuntimeExceeded":
            ran = f"{job.training_seconds:g} seconds" if job.training_seconds else "too long"
            limit = "launcher.max_run, or limits.max_job_runtime"
            return (
                RunState.FAILED,
                Reason.TIMEOUT,
                f"SageMaker stopped it after {ran}: {limit} allows no more",
            )
        case "MaxWaitTimeExceeded" if not job.training_seconds:
            why = "no spot machine was to be had within launcher.max_wait"
            return RunState.LOST, Reason.NO_CAPACITY, f"{job.machine}: {why}"
        case "MaxWaitTimeExceeded":
            why = "waiting for spot machines and training took longer than launcher.max_wait; raise it"
            return RunState.FAILED, Reason.TIMEOUT, f"SageMaker stopped it: {why}"
        case _:
            return RunState.STOPPED, None, ""


def _failed(failure: str) -> tuple[RunState, Reason | None, str]:
    """Judge a FailureReason by the error class that it begins with."""
    kind, _, words = failure.partition(":")
    words = words.strip()
    match kind:
        case "AlgorithmError":
            status = _EXIT_STATUS.search(words)
            said = _EXIT_STATUS.sub("", words).strip(" ,\n") if status else words
            what = f"exit status {status['status']}" if status else "its program failed"
            reason = Reason.OUT_OF_MEMORY if _TOO_LITTLE_MEMORY.search(said) else Reason.EXIT_STATUS
            return RunState.FAILED, reason, f"{what}: {said}" if said else what
        case "ClientError" if _TOO_LITTLE_MEMORY.search(words):
            return RunState.FAILED, Reason.OUT_OF_MEMORY, words
        case "ClientError":
            return RunState.FAILED, Reason.COULD_NOT_START, words
        case "CapacityError":
            return RunState.LOST, Reason.NO_CAPACITY, f"{NO_CAPACITY}: {words}"
        case _:  # InternalServerError, and what is not known: the machinery's failure, not the program's
            return (
                RunState.LOST,
                Reason.LOST,
                failure or "the training job failed; SageMaker does not say why",
            )


def usage_of(job: Described, *, prices: Mapping[str, float], before: Pool | None) -> Usage:
    """Return what a training job took; `before` is the pool of an earlier one whose machines it got.

    `prices` are in USD an hour; of machines of several kinds the mean counts.
    """
    price = None
    if job.machines.keys() <= prices.keys():
        price = sum(prices[kind] * count for kind, count in job.machines.items()) / max(1, job.count)
    training = float(job.training_seconds or 0.0)
    billable = training if job.billable_seconds is None else float(job.billable_seconds)
    return Usage(
        machine=job.machine,
        machines=job.count,
        start_seconds=max(0.0, job.started - job.created) if job.started is not None else 0.0,
        training_seconds=training,
        billable_seconds=billable,
        idle_seconds=before.idle_seconds if before is not None else 0.0,
        price=price,
        is_spot=job.is_spot,
        interruptions=job.interruptions,
        is_warm=before is not None,
    )


def gone(name: str) -> RunReport:
    """Return the report of a run whose training job is not there."""
    return RunReport(RunState.LOST, Reason.LOST, f"SageMaker knows no training job {name}")

"""The life of a training job, in a thread of its own."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from hpo.testing.aws.attempt import Attempt
from hpo.testing.aws.errors import JobFailure
from hpo.testing.aws.fleet import Fleet
from hpo.testing.aws.job import Job
from hpo.testing.aws.log_store import LogStore
from hpo.testing.aws.objects import Objects
from hpo.testing.aws.programs import Runner
from hpo.testing.aws.settings import AwsSettings
from hpo.testing.aws.states import Cause, PoolStatus, Secondary, Status

_SYNC = 1.0  # seconds between looks for new checkpoints
_INTERNAL = "InternalServerError: We encountered an internal error. Please try again."
_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. "
    "Please retry using a different ML instance type."
)


@dataclass(frozen=True, slots=True)
class Platform:
    """What all training jobs share."""

    settings: AwsSettings
    fleet: Fleet
    runner: Runner
    objects: Objects
    logs: LogStore
    starts: Counter[str]
    chance: random.Random


class _Halted(Exception):
    """The job has been told to end its program."""


class Life:
    """What happens to a job from its creation to its end."""

    def __init__(self, job: Job, platform: Platform) -> None:
        self._job = job
        self._on = platform
        self._settings = platform.settings
        self._attempts = 0
        self._interruptions = 0
        self.thread = threading.Thread(target=self._run, daemon=True, name=f"training job {job.name}")

    def _run(self) -> None:
        try:
            while not self._attempt():
                pass
        except Exception:  # noqa: BLE001 - the job must end whatever is wrong here
            traceback.print_exc()
            self._end(Status.FAILED, Secondary.FAILED, _INTERNAL)

    def _attempt(self) -> bool:
        """Try once, and return whether the job has ended."""
        self._attempts += 1
        attempt = Attempt(
            self._job,
            runner=self._on.runner,
            objects=self._on.objects,
            logs=self._on.logs,
            has_toolkit=self._settings.toolkit,
        )
        try:
            return self._go(attempt)
        except JobFailure as failure:
            attempt.kill()
            self._end(Status.FAILED, Secondary.FAILED, str(failure))
            return True
        except _Halted:
            return self._halted(attempt)
        finally:
            attempt.close()

    def _go(self, attempt: Attempt) -> bool:
        job, settings = self._job, self._settings
        cause, after = self._fate()
        self._pause(
            settings.warm_start_delay if job.is_warm and self._attempts == 1 else settings.start_delay
        )
        if settings.pending_delay:
            job.enter(Secondary.PENDING)
            self._pause(settings.pending_delay)
        if not job.is_warm and not self._has_capacity():
            raise JobFailure(_CAPACITY)
        if cause is Cause.INTERNAL_ERROR and after is None:
            job.halt(cause)
        self._pause(0)
        job.begin_training()
        job.enter(Secondary.DOWNLOADING)
        self._pause(settings.download_delay)
        attempt.download()
        self._pause(0)
        job.enter(Secondary.TRAINING)
        self._on.starts[job.name] += 1
        attempt.start()
        self._train(attempt, cause, after)
        failure = attempt.failure()
        if failure is None:
            job.enter(Secondary.UPLOADING)
            self._pause(settings.upload_delay)
        self._leave(attempt)
        if failure is None:
            self._end(Status.COMPLETED, Secondary.COMPLETED)
        else:
            self._end(Status.FAILED, Secondary.FAILED, failure)
        return True

    def _train(self, attempt: Attempt, cause: Cause | None, after: float | None) -> None:
        """Wait until the programs of all hosts have ended, or one has failed. Raises _Halted."""
        began = time.monotonic()
        synced = began
        while True:
            self._job.wake.clear()
            if self._job.cause is not None:
                raise _Halted
            statuses = attempt.statuses()
            if None not in statuses:
                return
            if any(statuses):
                attempt.kill()
                return
            now = time.monotonic()
            if cause is not None and after is not None and now >= began + after:
                self._job.halt(cause)
                continue
            if now >= synced + _SYNC:
                attempt.sync()
                synced = time.monotonic()
            limits = [self._remaining(), synced + _SYNC - now]
            if after is not None:
                limits.append(began + after - now)
            self._job.wake.wait(max(0.0, min(limits)))

    def _pause(self, seconds: float) -> None:
        """Wait, unless the job is told to end. Raises _Halted."""
        deadline = time.monotonic() + seconds
        while True:
            self._job.wake.clear()
            remaining = self._remaining()
            if self._job.cause is not None:
                raise _Halted
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._job.wake.wait(max(0.0, min(left, remaining)))

    def _remaining(self) -> float:
        """Return the real seconds that the job's limits leave it; at 0 it is told to end."""
        request, scale = self._job.request, self._settings.time_scale
        with self._job.lock:
            limits = {Cause.MAX_RUNTIME: request.max_runtime / scale - self._job.training_seconds()}
            if request.max_wait is not None:
                limits[Cause.MAX_WAIT] = request.max_wait / scale - (time.time() - self._job.created)
        cause = min(limits, key=limits.__getitem__)
        if limits[cause] <= 0:
            self._job.halt(cause)
        return limits[cause]

    def _halted(self, attempt: Attempt) -> bool:
        """End the program as the job's cause has it, and return whether the job has ended with it."""
        job, cause = self._job, self._job.cause
        assert cause is not None  # noqa: S101 - it is what halted the job
        if cause in {Cause.DISCARD, Cause.INTERNAL_ERROR}:
            attempt.kill()
        else:
            attempt.terminate(self._settings.stop_grace, lambda: job.cause is Cause.DISCARD)
        cause = job.cause or cause
        match cause:
            case Cause.INTERRUPTION | Cause.INTERNAL_ERROR:
                return self._again(attempt, cause)
            case Cause.MAX_RUNTIME | Cause.MAX_WAIT | Cause.STOP:
                if cause is not Cause.STOP:
                    job.enter(Secondary.UPLOADING)
                self._leave(attempt)
                ends = {
                    Cause.MAX_RUNTIME: Secondary.MAX_RUNTIME_EXCEEDED,
                    Cause.MAX_WAIT: Secondary.MAX_WAIT_TIME_EXCEEDED,
                }
                self._end(Status.STOPPED, ends.get(cause, Secondary.STOPPED))
            case Cause.DISCARD:
                self._end(Status.STOPPED, Secondary.STOPPED)
            case _:
                assert_never(cause)
        return True

    def _again(self, attempt: Attempt, cause: Cause) -> bool:
        job = self._job
        if cause is Cause.INTERRUPTION and attempt.statuses():
            attempt.sync()
        with job.lock:
            job.pause_training()
            is_last = self._attempts - self._interruptions >= job.request.attempts
            if cause is Cause.INTERNAL_ERROR and is_last:
                self._end(Status.FAILED, Secondary.FAILED, _INTERNAL)
                return True
            self._interruptions += cause is Cause.INTERRUPTION
            if job.goes_on():
                job.enter(Secondary.INTERRUPTED if cause is Cause.INTERRUPTION else Secondary.RESTARTING)
                job.enter(Secondary.STARTING)
                return False
        return self._halted(attempt)

    def _leave(self, attempt: Attempt) -> None:
        """Bring to S3 what there is, if the program ever ran."""
        if not attempt.statuses():
            return
        artifacts = attempt.upload()
        with self._job.lock:
            self._job.artifacts = artifacts

    def _end(self, status: Status, secondary: Secondary, reason: str | None = None) -> None:
        job = self._job
        with job.lock:
            if job.status is Status.STOPPING and status is not Status.STOPPED:
                status, secondary, reason = Status.STOPPED, Secondary.STOPPED, None
            job.end(status, secondary, reason=reason)
            is_own = reason is None or reason.startswith("AlgorithmError")
            if job.pool and job.pool.status is PoolStatus.IN_USE:
                if is_own and job.started is not None:
                    self._on.fleet.retain(job)
                else:
                    self._on.fleet.lose(job)

    def _has_capacity(self) -> bool:
        with self._job.lock:
            return self._on.fleet.has_capacity(self._job.request)

    def _fate(self) -> tuple[Cause | None, float | None]:
        """Return what befalls this attempt by itself, and after how many seconds of training.

        None seconds: before the program is started.
        """
        settings, chance = self._settings, self._on.chance
        with self._job.lock:
            if settings.internal_errors and chance.random() < settings.internal_errors:
                return Cause.INTERNAL_ERROR, chance.choice([None, 0.1])
            plan = settings.spot_interruptions
            if not self._job.request.is_spot:
                return None, None
            if isinstance(plan, int | float):
                if plan and chance.random() < plan:
                    return Cause.INTERRUPTION, chance.uniform(0, settings.spot_interruption_delay)
                return None, None
            times: Sequence[float] = plan.get(self._job.name, ())
            if self._interruptions < len(times):
                return Cause.INTERRUPTION, times[self._interruptions]
            return None, None

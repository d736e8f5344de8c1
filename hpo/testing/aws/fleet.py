"""Machines: quotas, capacity and warm pools."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from hpo.testing.aws.errors import ApiError
from hpo.testing.aws.job import Job
from hpo.testing.aws.request import JobRequest
from hpo.testing.aws.settings import AwsSettings
from hpo.testing.aws.states import PoolStatus


class Fleet:
    """Who has how many instances; whoever calls holds the jobs' lock."""

    def __init__(self, settings: AwsSettings, jobs: Mapping[str, Job]) -> None:
        self._settings = settings
        self._jobs = jobs

    def take(self, request: JobRequest) -> Job | None:
        """Return the job whose warm pool the request gets, None where it gets other machines.

        Raises ApiError where a quota does not allow it.
        """
        self.expire()
        owner = None if request.is_spot else self._match(request)
        kind = "spot training job" if request.is_spot else "training job"
        for machine, delta in request.machines.items():
            if owner is None:
                used = sum(
                    each.request.machines.get(machine, 0) for each in self._holding(is_spot=request.is_spot)
                )
                self._check(f"{machine} for {kind} usage", self._settings.quotas.get(machine), used, delta)
            if request.keep_alive:
                pools = (each for each in self._pools() if each is not owner)
                used = sum(each.request.machines.get(machine, 0) for each in pools)
                self._check(f"{machine} for training warm pool usage", None, used, delta)
        return owner

    def reuse(self, owner: Job, job: Job) -> None:
        """Let a job have the machines of another one's warm pool."""
        assert owner.pool is not None  # noqa: S101 - it was found by its pool
        self._close(owner, PoolStatus.REUSED, time.time())
        owner.pool.reused_by = job.name
        job.is_warm = True

    def retain(self, job: Job) -> None:
        """Keep an ended job's machines ready, if it asked for that."""
        if job.pool is None:
            return
        now = time.time()
        if not job.keep_alive:
            self._close(job, PoolStatus.TERMINATED, now)
            return
        job.pool.status = PoolStatus.AVAILABLE
        job.pool.since = job.modified = now
        job.pool.until = now + job.keep_alive / self._settings.time_scale

    def keep(self, job: Job, seconds: int) -> None:
        """Change how long the machines are kept; 0 gives them back."""
        job.keep_alive = seconds
        job.modified = time.time()
        if job.pool is None or job.pool.status is not PoolStatus.AVAILABLE:
            return
        assert job.pool.since is not None  # noqa: S101 - it is set with the status
        job.pool.until = job.pool.since + seconds / self._settings.time_scale
        if seconds == 0:
            self._close(job, PoolStatus.TERMINATED, time.time())

    def lose(self, job: Job) -> None:
        """Note that a job's machines are no longer there."""
        if job.pool is not None:
            self._close(job, PoolStatus.TERMINATED, time.time())

    def expire(self) -> None:
        """End the warm pools whose time is over."""
        now = time.time()
        for job in self._jobs.values():
            pool = job.pool
            if pool and pool.status is PoolStatus.AVAILABLE and pool.until is not None and pool.until <= now:
                self._close(job, PoolStatus.TERMINATED, pool.until)

    def has_capacity(self, request: JobRequest) -> bool:
        """Return whether there are machines now; every no is counted."""
        capacity = self._settings.capacity
        for machine in request.machines:
            if callable(capacity):
                if not capacity(machine):
                    return False
            elif capacity.get(machine, 0) > 0:
                capacity[machine] -= 1
                return False
        return True

    def _match(self, request: JobRequest) -> Job | None:
        return next((job for job in self._available() if job.request.pool_key == request.pool_key), None)

    def _available(self) -> Iterable[Job]:
        return (job for job in self._jobs.values() if job.pool and job.pool.status is PoolStatus.AVAILABLE)

    def _pools(self) -> Iterable[Job]:
        keeping = {PoolStatus.AVAILABLE, PoolStatus.IN_USE}
        return (job for job in self._jobs.values() if job.pool and job.pool.status in keeping)

    def _holding(self, *, is_spot: bool) -> Iterable[Job]:
        running = (job for job in self._jobs.values() if not job.is_over and job.request.is_spot == is_spot)
        return running if is_spot else [*running, *self._available()]

    def _check(self, quota: str, limit: int | None, used: int, delta: int) -> None:
        limit = self._settings.quotas.get(quota, limit)
        if limit is not None and used + delta > limit:
            raise ApiError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{quota}' is {limit} Instances, with current utilization "
                f"of {used} Instances and a request delta of {delta} Instances. Please use AWS Service "
                "Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
                "contact AWS support to request an increase for this quota.",
            )

    def _close(self, job: Job, status: PoolStatus, at: float) -> None:
        pool = job.pool
        assert pool is not None  # noqa: S101 - only jobs with a pool come here
        retained = 0.0 if pool.since is None else (at - pool.since) * self._settings.time_scale
        pool.status, pool.retained = status, round(retained)
        job.modified = at

"""The API's operations on training jobs."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hpo.testing.aws.describe import description, summary
from hpo.testing.aws.errors import ApiError, invalid
from hpo.testing.aws.fleet import Fleet
from hpo.testing.aws.job import Job
from hpo.testing.aws.life import Life, Platform
from hpo.testing.aws.listing import Page, listed, matches_times
from hpo.testing.aws.log_store import LogStore
from hpo.testing.aws.objects import Objects
from hpo.testing.aws.programs import Runner
from hpo.testing.aws.request import job_request
from hpo.testing.aws.settings import AwsSettings
from hpo.testing.aws.states import Cause, PoolStatus, Secondary, Status
from hpo.testing.aws.tags import Tags, checked

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]

_SORTED_BY: Mapping[str, Callable[[Job], tuple[Any, ...]]] = {
    "Name": lambda job: (job.name,),
    "CreationTime": lambda job: (job.created, job.name),
    "Status": lambda job: (job.status, job.name),
}


class TrainingApi:
    """The table of training jobs, and what can be asked of it."""

    def __init__(
        self,
        settings: AwsSettings,
        *,
        runner: Runner,
        objects: Objects,
        logs: LogStore,
        tags: Tags,
        starts: Counter[str],
        chance: random.Random,
    ) -> None:
        self._lock = threading.RLock()
        self._settings = settings
        self._tags = tags
        self._jobs: dict[str, Job] = {}
        self._lives: list[Life] = []
        self._fleet = Fleet(settings, self._jobs)
        self._platform = Platform(settings, self._fleet, runner, objects, logs, starts, chance)
        self.operations: dict[str, Operation] = {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": self._describe,
            "ListTrainingJobs": self._list,
            "StopTrainingJob": self._stop,
            "UpdateTrainingJob": self._update,
            "DeleteTrainingJob": self._delete,
        }

    def running(self) -> list[str]:
        """Return the names of the jobs that have not ended."""
        with self._lock:
            return [job.name for job in self._jobs.values() if not job.is_over]

    def interrupt(self, name: str) -> None:
        """Take the machines from a spot job that runs. Raises ValueError where there is none."""
        with self._lock:
            job = self._jobs.get(name)
            if job is None or job.is_over or not job.request.is_spot:
                raise ValueError(
                    f"{name} is no managed spot training job that runs; {', '.join(self.running())} run"
                )
            job.halt(Cause.INTERRUPTION)

    def close(self) -> None:
        """End all jobs at once, and wait until nothing of them is left."""
        with self._lock:
            for job in self._jobs.values():
                job.halt(Cause.DISCARD)
        for life in self._lives:
            life.thread.join()

    def _create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        parsed = job_request(request)
        checked(request.get("Tags", ()))
        with self._lock:
            if parsed.name in self._jobs:
                raise ApiError(
                    "ResourceInUse", "Training job names must be unique within an AWS account and region"
                )
            owner = self._fleet.take(parsed)
            job = Job(self._lock, request, parsed)
            if owner is not None:
                self._fleet.reuse(owner, job)
            self._jobs[job.name] = job
            self._tags.add(job.arn, request.get("Tags", ()))
            life = Life(job, self._platform)
            self._lives.append(life)
            life.thread.start()
        return {"TrainingJobArn": job.arn}

    def _describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._fleet.expire()
            return description(self._job(request), self._settings)

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._fleet.expire()
            jobs = [job for job in self._jobs.values() if self._is_meant(job, request)]
            page: Page[Job] = listed(
                jobs, request, _SORTED_BY[request.get("SortBy", "CreationTime")], default_size=10
            )
            # As the service does: the page is cut before the status is looked at, so it may be empty.
            wanted = request.get("StatusEquals")
            rows = [summary(job) for job in page.rows if wanted in {None, job.status}]
        return {"TrainingJobSummaries": rows} | page.next

    def _is_meant(self, job: Job, request: Mapping[str, Any]) -> bool:
        pool = request.get("WarmPoolStatusEquals")
        return (
            request.get("NameContains", "") in job.name
            and (pool is None or (job.pool is not None and job.pool.status == pool))
            and matches_times(request, "CreationTime", job.created)
            and matches_times(request, "LastModifiedTime", job.modified)
        )

    def _stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            job = self._job(request)
            if job.status is not Status.IN_PROGRESS:
                raise invalid(f"The request was rejected because the training job is in status {job.status}.")
            job.enter(Secondary.STOPPING)
            job.status = Status.STOPPING
            job.halt(Cause.STOP)
        return {}

    def _update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._fleet.expire()
            job = self._job(request)
            if (resources := request.get("ResourceConfig")) is not None:
                if job.pool is None or job.pool.status in {PoolStatus.REUSED, PoolStatus.TERMINATED}:
                    raise invalid(
                        "The request was rejected because the training job has no warm pool that is InUse "
                        "or Available."
                    )
                self._fleet.keep(job, resources["KeepAlivePeriodInSeconds"])
        return {"TrainingJobArn": job.arn}

    def _delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._fleet.expire()
            job = self._job(request)
            if not job.is_over or (job.pool and job.pool.status is PoolStatus.AVAILABLE):
                raise ApiError(
                    "ResourceInUse",
                    f"The training job {job.name} is in status {job.status} or retains a warm pool.",
                )
            del self._jobs[job.name]
        return {}

    def _job(self, request: Mapping[str, Any]) -> Job:
        job = self._jobs.get(request["TrainingJobName"])
        if job is None:
            raise invalid("Requested resource not found.")
        return job

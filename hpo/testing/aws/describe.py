"""Training jobs as the API's answers have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo.testing.aws.job import Job
from hpo.testing.aws.settings import AwsSettings
from hpo.testing.aws.shapes import model
from hpo.testing.aws.states import Secondary

_DEFAULTS: Mapping[str, Any] = {
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "ProfilingStatus": "Disabled",
}


def description(job: Job, settings: AwsSettings) -> dict[str, Any]:
    """Return DescribeTrainingJob's answer; whoever calls holds the job's lock."""
    shown = model("sagemaker").shape_for("DescribeTrainingJobResponse").members
    answer = {name: value for name, value in _as_asked(job).items() if name in shown}
    answer |= summary(job) | {
        "SecondaryStatusTransitions": _transitions(job),
        "FailureReason": job.reason,
        "TrainingStartTime": _time(job.started),
    }
    answer |= _found(job) | _used(job, settings)
    return {name: value for name, value in answer.items() if value is not None}


def _as_asked(job: Job) -> dict[str, Any]:
    """Return a job's request with what SageMaker fills in where it says nothing."""
    asked = {**_DEFAULTS, **job.document}
    asked["AlgorithmSpecification"] = {
        "EnableSageMakerMetricsTimeSeries": False,
        **asked["AlgorithmSpecification"],
    }
    asked["OutputDataConfig"] = {"KmsKeyId": "", "CompressionType": "GZIP", **asked["OutputDataConfig"]}
    channels = asked.pop("InputDataConfig", ())
    if channels:
        filled = {"CompressionType": "None", "RecordWrapperType": "None"}
        asked["InputDataConfig"] = [{**filled, **channel} for channel in channels]
    if job.request.keep_alive != job.keep_alive:  # it was updated since
        asked["ResourceConfig"] = asked["ResourceConfig"] | {"KeepAlivePeriodInSeconds": job.keep_alive}
    return asked


def _found(job: Job) -> dict[str, Any]:
    """Return what a job has brought out: its model and its metrics."""
    found: dict[str, Any] = {}
    if job.artifacts is not None:
        found["ModelArtifacts"] = {"S3ModelArtifacts": job.artifacts}
    if job.metrics:
        found["FinalMetricDataList"] = [
            {"MetricName": name, "Value": metric.value, "Timestamp": _time(metric.at)}
            for name, metric in job.metrics.items()
        ]
    return found


def _used(job: Job, settings: AwsSettings) -> dict[str, int]:
    """Return how long a job that is over has trained, and what of that is to be paid."""
    if not job.is_over or job.started is None:
        return {}
    seconds = max(1, round(job.training_seconds() * settings.time_scale))
    share = settings.spot_share if job.request.is_spot else 1.0
    return {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": max(1, round(seconds * share))}


def summary(job: Job) -> dict[str, Any]:
    """Return a job as a row of ListTrainingJobs."""
    row = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": _time(job.created),
        "TrainingEndTime": _time(job.ended),
        "LastModifiedTime": _time(job.modified),
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary,
        "WarmPoolStatus": _pool(job),
    }
    return {name: value for name, value in row.items() if value is not None}


def _pool(job: Job) -> dict[str, Any] | None:
    if job.pool is None:
        return None
    told: dict[str, Any] = {"Status": job.pool.status}
    if job.pool.retained is not None:
        told["ResourceRetainedBillableTimeInSeconds"] = job.pool.retained
    if job.pool.reused_by is not None:
        told["ReusedByJob"] = job.pool.reused_by
    return told


def _transitions(job: Job) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for transition in job.transitions:
        row = {
            "Status": transition.status,
            "StartTime": _time(transition.start),
            "StatusMessage": transition.message,
        }
        if transition.end is not None:
            row["EndTime"] = _time(transition.end)
        if job.reason is not None and transition.status is Secondary.FAILED:
            row["StatusMessage"] = job.reason
        rows.append(row)
    return rows


def _time(seconds: float | None) -> float | None:
    """Return a time as the API has it: to the millisecond."""
    return None if seconds is None else round(seconds, 3)

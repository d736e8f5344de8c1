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
    answer = {name: value for name, value in {**_DEFAULTS, **job.document}.items() if name in shown}
    answer["AlgorithmSpecification"] = {
        "EnableSageMakerMetricsTimeSeries": False,
        **job.document["AlgorithmSpecification"],
    }
    answer["OutputDataConfig"] = {
        "KmsKeyId": "",
        "CompressionType": "GZIP",
        **job.document["OutputDataConfig"],
    }
    answer["InputDataConfig"] = [
        {"CompressionType": "None", "RecordWrapperType": "None", **channel}
        for channel in job.document.get("InputDataConfig", ())
    ]
    if not answer["InputDataConfig"]:
        del answer["InputDataConfig"]
    if job.request.keep_alive != job.keep_alive:
        answer["ResourceConfig"] = answer["ResourceConfig"] | {"KeepAlivePeriodInSeconds": job.keep_alive}
    answer |= {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary,
        "SecondaryStatusTransitions": _transitions(job),
        "CreationTime": _time(job.created),
        "LastModifiedTime": _time(job.modified),
        "FailureReason": job.reason,
        "TrainingStartTime": _time(job.started),
        "TrainingEndTime": _time(job.ended),
        "WarmPoolStatus": _pool(job),
    }
    if job.artifacts is not None:
        answer["ModelArtifacts"] = {"S3ModelArtifacts": job.artifacts}
    if job.metrics:
        answer["FinalMetricDataList"] = [
            {"MetricName": name, "Value": metric.value, "Timestamp": _time(metric.at)}
            for name, metric in job.metrics.items()
        ]
    if job.is_over and job.started is not None:
        seconds = max(1, round(job.training_seconds() * settings.time_scale))
        share = settings.spot_share if job.request.is_spot else 1.0
        answer["TrainingTimeInSeconds"] = seconds
        answer["BillableTimeInSeconds"] = max(1, round(seconds * share))
    return {name: value for name, value in answer.items() if value is not None}


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

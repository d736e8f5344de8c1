"""The emulator itself: from Python, from a shell, from other processes; tuning jobs that can be read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from hpo.testing.aws import Aws, AwsSettings
from tests.aws.training import SLEEP, Training
from tests.command_line import PATIENCE

COMMAND = [sys.executable, "-m", "hpo.testing.aws", "--runner", "process"]
LIST = "import boto3, sys; print(boto3.client('sts').get_caller_identity()['Account']); sys.exit(7)"


def test_one_after_another_each_begins_empty() -> None:
    before = dict(os.environ)
    for _ in range(2):
        with Aws(AwsSettings(runner="process", start_delay=0)) as aws:
            training = Training(aws)
            assert training.s3.list_buckets()["Buckets"] == []
            training.begin()
            training.create("job-1", SLEEP)
            training.printed("job-1")
            assert aws.running() == ["job-1"]
            training.close()
    assert dict(os.environ) == before
    with pytest.raises(OSError, match="in use"), Aws(AwsSettings(runner="process")) as first:
        Aws(AwsSettings(runner="process", port=int(first.endpoint.rpartition(":")[2]))).__enter__()


def test_another_process_finds_it_by_the_environment(training: Training, aws: Aws) -> None:
    training.create("job-1", SLEEP)
    program = "import boto3; print(boto3.client('sagemaker').describe_training_job(TrainingJobName='job-1'))"
    environment = {**os.environ, **aws.environment}
    seen = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    assert b"InProgress" in seen.stdout


def test_a_command_runs_with_it() -> None:
    ended = subprocess.run(
        [*COMMAND, "--quota", "ml.m5.large=2", "--", sys.executable, "-c", LIST],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AWS_PROFILE": "not-this-one"},
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "123456789012\n", "")
    missing = subprocess.run([*COMMAND, "--", "/no/such"], capture_output=True, text=True, check=False)
    assert (missing.returncode, missing.stderr) == (127, "/no/such: No such file or directory\n")


def test_it_serves_until_it_is_interrupted() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().strip() for _ in range(7)]
        exported = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        assert exported["AWS_DEFAULT_REGION"] == "us-east-1"
        environment = {**os.environ, **exported}
        asked = subprocess.run([sys.executable, "-c", LIST], env=environment, check=False)
        assert asked.returncode == 7
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quota", "x"], "x is no NAME=VALUE"),
        (["--fault", "CreateTrainingJob=nonsense"], "'nonsense' is not a valid Fault"),
    ],
)
def test_options_that_make_no_sense(options: list[str], said: str) -> None:
    ended = subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert said in ended.stderr


NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
TUNING: dict[str, Any] = {
    "HyperParameterTuningJobName": "tuning",
    "HyperParameterTuningJobStatus": "Completed",
    "HyperParameterTuningJobConfig": {
        "Strategy": "Bayesian",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
    },
    "TrainingJobDefinition": {
        "StaticHyperParameters": {"epochs": "3"},
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/SageMaker",
        "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    },
    "CreationTime": NOW,
    "TrainingJobStatusCounters": {"Completed": 2},
    "ObjectiveStatusCounters": {"Succeeded": 2},
}


def trial(number: int, value: float) -> dict[str, Any]:
    return {
        "TrainingJobName": f"tuning-00{number}",
        "CreationTime": NOW,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"rate": "0.1"},
        "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "f1", "Value": value},
    }


def test_tuning_jobs_can_be_read(training: Training, aws: Aws) -> None:
    tags = [{"Key": "k", "Value": "v"}]
    aws.add_tuning_job(TUNING, [trial(1, 0.9), trial(2, 0.8)], tags=tags)
    name = {"HyperParameterTuningJobName": "tuning"}
    job = training.sm.describe_hyper_parameter_tuning_job(**name)
    assert job["CreationTime"] == NOW
    assert training.sm.list_tags(ResourceArn=job["HyperParameterTuningJobArn"])["Tags"] == tags
    page = training.sm.list_training_jobs_for_hyper_parameter_tuning_job(**name, MaxResults=1)
    assert [row["TrainingJobName"] for row in page["TrainingJobSummaries"]] == ["tuning-001"]
    (row,) = training.sm.list_training_jobs_for_hyper_parameter_tuning_job(
        **name, NextToken=page["NextToken"]
    )["TrainingJobSummaries"]
    assert row["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(0.8)
    best = training.sm.list_training_jobs_for_hyper_parameter_tuning_job(
        **name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["TrainingJobSummaries"]
    assert [row["TrainingJobName"] for row in best] == ["tuning-001", "tuning-002"]
    (summary,) = training.sm.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert summary["Strategy"] == "Bayesian"
    described = training.describe("tuning-002")
    assert described["HyperParameters"] == {"epochs": "3", "rate": "0.1"}
    assert described["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    with pytest.raises(ClientError, match="ValidationException"):
        training.sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="other")


def test_tuning_jobs_that_the_api_could_not_answer_are_refused(aws: Aws) -> None:
    config = TUNING["HyperParameterTuningJobConfig"] | {"Strategy": "Lucky"}
    with pytest.raises(ValueError, match="'Lucky' is none of"):
        aws.add_tuning_job({**TUNING, "HyperParameterTuningJobConfig": config}, [])
    with pytest.raises(ValueError, match="TrainingJobStatus is missing"):
        aws.add_tuning_job(TUNING, [{"TrainingJobName": "x", "CreationTime": NOW}])
    with pytest.raises(ValueError, match="has no member Colour"):
        aws.add_tuning_job({**TUNING, "Colour": "red"}, [])


def test_what_is_random_depends_on_the_seed(training: Training, aws: Aws) -> None:
    impatient = aws.client("sagemaker", config=Config(retries={"total_max_attempts": 1}))

    def statuses(seed: int) -> list[int]:
        aws.settings.seed, aws.settings.server_errors = seed, 0.5
        aws.reset()
        for _ in range(20):
            with suppress(ClientError):
                impatient.list_training_jobs()
        return [request.status for request in aws.requests]

    assert statuses(1) == statuses(1) != statuses(2)
    impatient.close()

"""Requests that SageMaker would refuse, calls that fail, credentials that do not do."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from hpo.testing.aws import Aws, Fault
from tests.aws.test_jobs import refusal
from tests.aws.training import ROLE, SLEEP, Training, channel

ONCE = Config(retries={"total_max_attempts": 1})
SPOT = {"MaxRuntimeInSeconds": 10}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"RoleArn": "not-a-role-but-long-enough"},
            (
                "1 validation error detected: Value 'not-a-role-but-long-enough' at 'roleArn' failed to "
                "satisfy constraint: Member must satisfy regular expression pattern: "
            ),
        ),
        ({"resources": {"InstanceType": "ml.z9.huge"}}, "at 'resourceConfig.instanceType' failed to satisfy"),
        ({"resources": {"InstanceCount": None}}, "at 'resourceConfig.instanceCount'"),
        ({"resources": {"KeepAlivePeriodInSeconds": 21601}}, "less than or equal to 21600"),
        (
            {"HyperParameters": {"x": "y" * 2501}},
            "at 'hyperParameters' failed to satisfy constraint: Map value",
        ),
        ({"HyperParameters": {str(n): "" for n in range(101)}}, "length less than or equal to 100"),
        ({"Environment": {"1x": "y"}}, "at 'environment' failed to satisfy constraint: Map keys"),
        ({"Tags": [{"Key": "k" * 129, "Value": ""}]}, "at 'tags.1.member.key'"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "aws:"),
        ({"algorithm": {"TrainingInputMode": "Floppy"}}, "enum value set: [Pipe, File, FastFile]"),
        ({"algorithm": {"AlgorithmName": "both"}}, "Exactly one of TrainingImage and AlgorithmName"),
        ({"algorithm": {"MetricDefinitions": [{"Name": "m", "Regex": "("}]}}, "Invalid metric definition"),
        ({"OutputDataConfig": {"S3OutputPath": "/home"}}, "at 'outputDataConfig.s3OutputPath'"),
        ({"OutputDataConfig": {"S3OutputPath": "https://data/x"}}, "must be s3://"),
        ({"CheckpointConfig": {"S3Uri": "nowhere"}}, "at 'checkpointConfig.s3Uri'"),
        ({"channels": [channel("code", "s3://data/code")]}, "Duplicate channel"),
        ({"channels": [channel("a", "file:///x")]}, "s3Uri"),
        ({"StoppingCondition": SPOT | {"MaxWaitTimeInSeconds": 20}}, "EnableManagedSpotTraining is true"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds must be specified"),
        (
            {"EnableManagedSpotTraining": True, "StoppingCondition": SPOT | {"MaxWaitTimeInSeconds": 9}},
            "greater than or equal to",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 28 * 86400 + 1}}, "less than or equal to 2419200"),
        ({"RetryStrategy": {"MaximumRetryAttempts": 31}}, "less than or equal to 30"),
    ],
)
def test_what_breaks_a_rule_is_refused(training: Training, changes: dict[str, Any], said: str) -> None:
    changes.setdefault("RoleArn", ROLE)
    resources = changes.get("resources", {})
    if None in resources.values():
        changes["resources"] = {name: value for name, value in resources.items() if value is not None}
        request = {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1} | changes.pop("resources")
        changes["ResourceConfig"] = request
    code, message = refusal(training.create, name="job-1", **changes)
    assert code == "ValidationException"
    assert said in message
    assert training.sm.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_bad_name_and_every_other_mistake_at_once(training: Training) -> None:
    code, message = refusal(
        training.sm.list_training_jobs, NameContains="a b", SortBy="Colour", MaxResults=101
    )
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: ")
    assert "'nameContains'" in message
    assert refusal(training.describe, name="-")[1].startswith(
        "1 validation error detected: Value '-' at 'trainingJobName'"
    )


def test_other_operations_are_checked_too(training: Training) -> None:
    code, message = refusal(training.sm.create_model_package_group, ModelPackageGroupName="x" * 64)
    assert code == "ValidationException"
    assert "less than or equal to 63" in message


def test_quotas(training: Training, aws: Aws) -> None:
    aws.settings.quotas = {"ml.m5.large": 2, "ml.m5.large for spot training job usage": 0}
    training.create("job-1", SLEEP)
    code, message = refusal(training.create, name="job-2", resources={"InstanceCount": 2})
    assert code == "ResourceLimitExceeded"
    assert message.startswith(
        "The account-level service limit 'ml.m5.large for training job usage' is 2 Instances, with current "
        "utilization of 1 Instances and a request delta of 2 Instances."
    )
    training.create("job-3", SLEEP)
    times = SPOT | {"MaxWaitTimeInSeconds": 20}
    message = refusal(training.create, name="job-4", EnableManagedSpotTraining=True, StoppingCondition=times)[
        1
    ]
    assert "'ml.m5.large for spot training job usage' is 0 Instances" in message
    training.create("job-5", SLEEP, resources={"InstanceType": "ml.c5.xlarge"})
    training.sm.stop_training_job(TrainingJobName="job-1")
    training.end("job-1")
    training.create("job-6", SLEEP)


def test_no_capacity(training: Training, aws: Aws) -> None:
    aws.settings.capacity = {"ml.m5.large": 1}
    job = training.run("job-1")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "CapacityError: Unable to provision requested ML compute capacity."
    )
    assert "BillableTimeInSeconds" not in job
    assert training.run("job-2")["TrainingJobStatus"] == "Completed"
    aws.settings.capacity = lambda machine: machine != "ml.m5.large"
    assert training.run("job-3")["FailureReason"].startswith("CapacityError")


def test_internal_errors_and_the_retries_of_the_service(training: Training, aws: Aws) -> None:
    aws.settings.internal_errors = 1.0
    job = training.run("job-1", SLEEP, RetryStrategy={"MaximumRetryAttempts": 2})
    assert job["FailureReason"] == (
        "InternalServerError: We encountered an internal error. Please try again."
    )
    assert training.secondaries("job-1").count("Restarting") == 2


def test_throttling(training: Training, aws: Aws) -> None:
    training.create("job-1", SLEEP)
    impatient = aws.client("sagemaker", config=ONCE)
    aws.settings.throttling = 1.0
    with pytest.raises(ClientError) as refused:
        impatient.list_training_jobs()
    assert refused.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert training.keys()  # not S3
    aws.settings.throttling = 0
    aws.settings.rates = {"DescribeTrainingJob": 2}
    began = time.monotonic()
    answers = 0
    for _ in range(20):
        with suppress(ClientError):
            impatient.describe_training_job(TrainingJobName="job-1")
            answers += 1
    assert 2 <= answers <= 2 + 2 * (time.monotonic() - began)
    statuses = [request.status for request in aws.requests if request.operation == "DescribeTrainingJob"]
    assert (statuses.count(200), len(statuses)) == (answers, 20)
    impatient.close()


def test_a_call_that_was_performed_and_whose_answer_is_lost(training: Training, aws: Aws) -> None:
    aws.settings.faults = {
        "CreateTrainingJob": [Fault.ANSWER_LOST],
        "StopTrainingJob": [Fault.SERVER_ERROR, Fault.ANSWER_LOST],
    }
    assert refusal(training.create, name="job-1", program=SLEEP)[0] == "ResourceInUse"  # boto3 tried twice
    statuses = [request.status for request in aws.requests if request.operation == "CreateTrainingJob"]
    assert statuses == [500, 400]
    code, message = refusal(training.sm.stop_training_job, TrainingJobName="job-1")
    assert code == "ValidationException"
    assert "is in status Stop" in message
    assert training.end("job-1")["TrainingJobStatus"] == "Stopped"


def test_server_errors(training: Training, aws: Aws) -> None:
    impatient = aws.client("sagemaker", config=ONCE)
    aws.settings.server_errors = 1.0
    with pytest.raises(ClientError) as refused:
        impatient.list_training_jobs()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    aws.settings.server_errors, aws.settings.s3_errors = 0.0, 1.0
    storage = aws.client("s3", config=ONCE)
    with pytest.raises(ClientError, match="SlowDown"):
        storage.get_object(Bucket="data", Key="x")
    impatient.close()
    storage.close()


def test_expired_credentials(training: Training, aws: Aws) -> None:
    aws.settings.expired = True
    said = "The security token included in the request is expired"
    assert refusal(training.sm.list_training_jobs) == ("ExpiredTokenException", said)
    assert refusal(training.s3.get_object, Bucket="data", Key="x")[0] == "ExpiredToken"
    sts = aws.client("sts")
    assert refusal(sts.get_caller_identity) == ("ExpiredToken", said)
    sts.close()


def test_denied_operations(training: Training, aws: Aws) -> None:
    aws.settings.denied = {"CreateTrainingJob", "s3:GetObject"}
    code, message = refusal(training.create, name="job-1")
    assert code == "AccessDeniedException"
    assert message.startswith("User: arn:aws:sts::123456789012:")
    assert (
        "is not authorized to perform: sagemaker:CreateTrainingJob on resource: "
        "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1 because" in message
    )
    assert refusal(training.s3.get_object, Bucket="data", Key="x")[0] == "AccessDenied"
    aws.settings.denied = {"iam:PassRole"}
    assert f"iam:PassRole on resource: {ROLE}" in refusal(training.create, name="job-1")[1]
    aws.settings.denied = {"sagemaker:AddTags"}
    training.create("job-1")
    tags = [{"Key": "k", "Value": "v"}]
    assert "sagemaker:AddTags" in refusal(training.create, name="job-2", Tags=tags)[1]


def test_requests_are_counted_by_what_they_are(training: Training, aws: Aws) -> None:
    aws.requests.clear()
    training.put({"a/b": b"x"})
    training.get("a/b")
    training.keys()
    training.s3.head_object(Bucket="data", Key="a/b")
    training.s3.delete_object(Bucket="data", Key="a/b")
    upload = training.s3.create_multipart_upload(Bucket="data", Key="m")["UploadId"]
    training.s3.upload_part(Bucket="data", Key="m", UploadId=upload, PartNumber=1, Body=b"x")
    training.s3.abort_multipart_upload(Bucket="data", Key="m", UploadId=upload)
    training.s3.head_bucket(Bucket="data")
    training.sm.list_training_jobs()
    assert [(each.service, each.operation) for each in aws.requests] == [
        ("s3", "PutObject"),
        ("s3", "GetObject"),
        ("s3", "ListObjectsV2"),
        ("s3", "HeadObject"),
        ("s3", "DeleteObject"),
        ("s3", "CreateMultipartUpload"),
        ("s3", "UploadPart"),
        ("s3", "AbortMultipartUpload"),
        ("s3", "HeadBucket"),
        ("sagemaker", "ListTrainingJobs"),
    ]
    assert all(request.status in {200, 204} for request in aws.requests)
    times = [request.at for request in aws.requests]
    assert times == sorted(times)
    assert times[-1] <= time.monotonic()

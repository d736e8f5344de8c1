"""A training job from its creation to its end."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hpo.testing.aws import Aws
from tests.aws.training import OBEDIENT, ROLE, SLEEP, Training


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def is_running(pid: int) -> bool:
    """Return whether there is a process that is more than a zombie."""
    ps = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return ps.stdout.strip()[:1] not in {"", "Z"}


def test_a_job_that_succeeds_is_described_as_the_service_would(training: Training) -> None:
    metrics = [{"Name": "f1", "Regex": r"f1=(\S+)"}, {"Name": "never", "Regex": "no (x)"}]
    program = "print('f1=0.5'); print('f1=0.1 f1=0.3')"
    arn = training.create(
        "job-1",
        program,
        algorithm={"MetricDefinitions": metrics},
        Environment={"A": "b"},
        HyperParameters={"x": "1"},
        Tags=[{"Key": "k", "Value": "v"}],
    )
    job = training.end("job-1")
    assert arn == job["TrainingJobArn"] == "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1"
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == metrics
    assert job["Environment"] == {"A": "b"}
    assert job["HyperParameters"] == {"x": "1"}
    assert job["RoleArn"] == ROLE
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://data/out/job-1/output/model.tar.gz"}
    assert "Tags" not in job
    assert "FailureReason" not in job
    assert training.sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    assert training.secondaries("job-1") == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(
        {"StartTime", "EndTime", "StatusMessage"} <= each.keys() for each in job["SecondaryStatusTransitions"]
    )
    assert (
        job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"] <= job["LastModifiedTime"]
    )
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] == 1
    (metric,) = job["FinalMetricDataList"]
    assert metric["MetricName"] == "f1"
    assert metric["Value"] == pytest.approx(0.3, rel=1e-6)
    assert metric["Value"] != 0.3  # a float32


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit(3)", "AlgorithmError: , exit code: 3"),
        (
            "import os, sys; open(sys.argv[1], 'w').write('x' * 2000); sys.exit(1)",
            f"AlgorithmError: {'x' * 1024}, exit code: 1"[:1024],
        ),
        ("import os; os.kill(os.getpid(), 9)", "AlgorithmError: , exit code: 137"),
    ],
)
def test_a_job_that_fails_says_how(training: Training, program: str, reason: str) -> None:
    job = training.run("job-1", program, arguments=("/opt/ml/output/failure",))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == reason


def test_a_program_that_cannot_be_started(training: Training) -> None:
    job = training.run("job-1", algorithm={"ContainerEntrypoint": ["/no/such/program"]})
    assert job["FailureReason"] == "AlgorithmError: , exit code: 127"


def test_a_name_is_had_once_until_its_job_is_deleted(training: Training) -> None:
    training.run("job-1")
    code, message = refusal(training.create, name="job-1")
    assert (code, message) == (
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region",
    )
    training.sm.delete_training_job(TrainingJobName="job-1")
    assert refusal(training.describe, name="job-1") == (
        "ValidationException",
        "Requested resource not found.",
    )
    training.run("job-1")


def test_a_running_job_cannot_be_deleted(training: Training) -> None:
    training.create("job-1", SLEEP)
    assert refusal(training.sm.delete_training_job, TrainingJobName="job-1")[0] == "ResourceInUse"


def test_stop_lets_the_program_save(training: Training) -> None:
    training.create("job-1", OBEDIENT, arguments=("/opt/ml/model",))
    training.printed("job-1")
    training.sm.stop_training_job(TrainingJobName="job-1")
    assert training.describe("job-1")["TrainingJobStatus"] in {"Stopping", "Stopped"}
    job = training.end("job-1")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert training.secondaries("job-1") == ["Starting", "Downloading", "Training", "Stopping", "Stopped"]
    assert training.tar("out/job-1/output/model.tar.gz") == {"last": b"saved"}
    assert training.log("job-1") == ["ready", "saved"]
    code, message = refusal(training.sm.stop_training_job, TrainingJobName="job-1")
    assert code == "ValidationException"
    assert message == "The request was rejected because the training job is in status Stopped."


def test_a_program_that_does_not_obey_is_killed_after_the_grace(training: Training, aws: Aws) -> None:
    aws.settings.stop_grace = 0.2
    training.create("job-1", f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLEEP}")
    training.printed("job-1")
    training.sm.stop_training_job(TrainingJobName="job-1")
    assert training.end("job-1")["TrainingJobStatus"] == "Stopped"


def test_a_job_is_stopped_before_its_program_was_started(training: Training, aws: Aws) -> None:
    aws.settings.start_delay = 60
    training.create("job-1")
    training.sm.stop_training_job(TrainingJobName="job-1")
    job = training.end("job-1")
    assert job["TrainingJobStatus"] == "Stopped"
    assert not {"ModelArtifacts", "TrainingStartTime", "BillableTimeInSeconds"} & job.keys()
    assert not aws.starts


def test_max_runtime_ends_a_job(training: Training, aws: Aws) -> None:
    aws.settings.time_scale = 100
    job = training.run(
        "job-1", OBEDIENT, arguments=("/opt/ml/model",), StoppingCondition={"MaxRuntimeInSeconds": 60}
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job["TrainingTimeInSeconds"] >= 60
    assert training.keys("out") == ["out/job-1/output/model.tar.gz"]


def test_waiting_too_long_for_capacity_ends_a_spot_job(training: Training, aws: Aws) -> None:
    aws.settings.pending_delay = 60
    times = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    job = training.run("job-1", EnableManagedSpotTraining=True, StoppingCondition=times)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert training.secondaries("job-1")[:2] == ["Starting", "Pending"]


def test_several_hosts_each_run_the_program(training: Training, aws: Aws) -> None:
    program = (
        "import json, sys; config = json.load(open(sys.argv[1] + '/input/config/resourceconfig.json'))\n"
        "print(config['current_host'], config['hosts'])\n"
        "open(sys.argv[1] + '/model/' + config['current_host'], 'w').write('')"
    )
    job = training.run("job-1", program, arguments=("/opt/ml",), resources={"InstanceCount": 2})
    assert job["TrainingJobStatus"] == "Completed"
    assert training.log("job-1") == ["algo-1 ['algo-1', 'algo-2']", "algo-2 ['algo-1', 'algo-2']"]
    assert [stream.rpartition("-")[0] for stream in training.streams("job-1")] == [
        "job-1/algo-1",
        "job-1/algo-2",
    ]
    assert training.tar("out/job-1/output/model.tar.gz").keys() == {"algo-1", "algo-2"}
    assert aws.starts == {"job-1": 1}


def test_the_first_host_that_fails_is_the_reason(training: Training) -> None:
    program = (
        "import json, sys, time\n"
        "config = json.load(open(sys.argv[1] + '/input/config/resourceconfig.json'))\n"
        "sys.exit(4) if config['current_host'] == 'algo-2' else time.sleep(60)"
    )
    job = training.run("job-1", program, arguments=("/opt/ml",), resources={"InstanceCount": 2})
    assert job["FailureReason"] == "AlgorithmError: , exit code: 4"


def test_what_the_program_leaves_running_ends_with_it(training: Training) -> None:
    program = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    assert training.run("job-1", program)["TrainingJobStatus"] == "Completed"
    (pid,) = training.log("job-1")
    assert not is_running(int(pid))


def test_a_program_may_use_the_other_services(training: Training) -> None:
    program = "import boto3; boto3.client('s3').put_object(Bucket='data', Key='from-within', Body=b'x')"
    assert training.run("job-1", program)["TrainingJobStatus"] == "Completed", training.log("job-1")
    assert training.keys("from-within") == ["from-within"]


def test_environment_of_the_program(training: Training) -> None:
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    training.run("job-1", program, Environment={"SM_MODEL_DIR": "/opt/ml/model", "PLAIN": "x"})
    seen = json.loads(training.log("job-1")[0])
    assert seen["TRAINING_JOB_NAME"] == "job-1"
    assert seen["TRAINING_JOB_ARN"].endswith(":training-job/job-1")
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["PLAIN"] == "x"
    assert seen["SM_MODEL_DIR"].endswith("/algo-1/model")  # rewritten for a process


def test_leaving_ends_what_runs(training: Training, aws: Aws) -> None:
    training.create("job-1", "import os; print(os.getpid(), flush=True)\n" + SLEEP)
    training.printed("job-1")
    pid = int(training.log("job-1")[0])
    assert aws.running() == ["job-1"]
    aws.reset()
    assert aws.running() == []
    assert not is_running(pid)
    assert refusal(training.describe, name="job-1")[0] == "ValidationException"

"""Training jobs on the emulated AWS, as a test wants them."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from hpo.testing.aws import Aws
from tests.command_line import PATIENCE

GROUP = "/aws/sagemaker/TrainingJobs"
ROLE = "arn:aws:iam::123456789012:role/service-role/SageMaker"
IMAGE = "python:3.11-slim"

READY = "print('ready', flush=True)\n"
SLEEP = READY + "import time; time.sleep(60)\n"
OBEDIENT = (
    "import os, signal, sys, time\n"
    "def stop(*_):\n"
    "    open(sys.argv[1] + '/last', 'w').write('saved')\n"
    "    print('saved', flush=True)\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, stop)\n" + SLEEP
)


class Training:
    """The clients, and jobs with short requests."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.sm, self.s3, self.logs = (aws.client(each) for each in ("sagemaker", "s3", "logs"))

    def close(self) -> None:
        for client in (self.sm, self.s3, self.logs):
            client.close()

    def begin(self) -> None:
        """Have one bucket."""
        self.s3.create_bucket(Bucket="data")

    def put(self, objects: Mapping[str, bytes]) -> None:
        for key, body in objects.items():
            self.s3.put_object(Bucket="data", Key=key, Body=body)

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket="data", Key=key)["Body"].read()
        return body

    def keys(self, prefix: str = "") -> list[str]:
        return [
            each["Key"] for each in self.s3.list_objects_v2(Bucket="data", Prefix=prefix).get("Contents", ())
        ]

    def tar(self, key: str) -> dict[str, bytes]:
        """Return the files of an archive."""
        with tarfile.open(fileobj=io.BytesIO(self.get(key))) as archive:
            members = [each for each in archive.getmembers() if each.isfile()]
            return {each.name: archive.extractfile(each).read() for each in members}  # type: ignore[union-attr]

    def create(self, name: str, program: str = "", *, arguments: tuple[str, ...] = (), **changes: Any) -> str:
        """Create a job that runs a Python program, which is a channel's file.

        A change is a whole field, or None to leave it out.
        """
        self.put({f"code/{name}.py": program.encode()})
        algorithm: dict[str, Any] = {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", f"/opt/ml/input/data/code/{name}.py"],
        }
        if arguments:
            algorithm["ContainerArguments"] = list(arguments)
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": algorithm | changes.pop("algorithm", {}),
            "InputDataConfig": [channel("code", "s3://data/code"), *changes.pop("channels", ())],
            "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
            | changes.pop("resources", {}),
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        } | changes
        given = {key: value for key, value in request.items() if value is not None}
        arn: str = self.sm.create_training_job(**given)["TrainingJobArn"]
        return arn

    def describe(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.sm.describe_training_job(TrainingJobName=name)
        return answer

    def until(self, name: str, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not condition(job := self.describe(name)):
            assert time.monotonic() < deadline, f"it never happened: {job}"
            time.sleep(0.02)
        return job

    def end(self, name: str) -> dict[str, Any]:
        """Wait until a job has ended."""
        return self.until(name, lambda job: job["TrainingJobStatus"] in {"Completed", "Failed", "Stopped"})

    def run(self, name: str, program: str = "", **changes: Any) -> dict[str, Any]:
        self.create(name, program, **changes)
        return self.end(name)

    def printed(self, name: str, line: str = "ready") -> None:
        """Wait until a job has printed a line."""
        deadline = time.monotonic() + PATIENCE
        while line not in self.log(name):
            assert time.monotonic() < deadline, f"never printed; {self.describe(name)}"
            time.sleep(0.02)

    def streams(self, name: str) -> list[str]:
        try:
            rows = self.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [row["logStreamName"] for row in rows["logStreams"]]

    def log(self, name: str) -> list[str]:
        """Return all lines of a job, stream by stream."""
        return [
            event["message"]
            for stream in self.streams(name)
            for event in self.logs.get_log_events(
                logGroupName=GROUP, logStreamName=stream, startFromHead=True
            )["events"]
        ]

    def secondaries(self, name: str) -> list[str]:
        return [each["Status"] for each in self.describe(name)["SecondaryStatusTransitions"]]


def channel(name: str, uri: str, **source: str) -> dict[str, Any]:
    """Return an entry of InputDataConfig."""
    source.setdefault("S3DataType", "S3Prefix")
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": uri, **source}}}

"""Training jobs as containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hpo.testing.aws import Aws
from tests.aws.conftest import quick
from tests.aws.test_data import SCRIPT, SHOW, script_job, sources
from tests.aws.training import OBEDIENT, SLEEP, Training, channel

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def server() -> Iterator[Training]:
    """The one whose runner is Docker."""
    with Aws(quick("docker")) as aws:
        training = Training(aws)
        yield training
        training.close()


def left() -> list[str]:
    """Return the containers that are left behind."""
    import docker

    engine = docker.from_env()
    try:
        found = engine.containers.list(all=True, filters={"label": "hpo.testing.aws"}, ignore_removed=True)
        return [container.name for container in found]
    finally:
        engine.close()


def test_it_sees_opt_ml(training: Training, eventually: Callable[[Callable[[], object]], None]) -> None:
    training.put({"set/a": b"1"})
    job = training.run(
        "job-1",
        f"{SHOW}\nopen('/opt/ml/model/m', 'w').write('x')\nopen('/my/checkpoints/c', 'w').write('x')",
        arguments=("/opt/ml/input/data/train",),
        channels=[channel("train", "s3://data/set")],
        CheckpointConfig={"S3Uri": "s3://data/checkpoints", "LocalPath": "/my/checkpoints"},
    )
    assert job["TrainingJobStatus"] == "Completed", training.log("job-1")
    assert training.log("job-1") == ["a 1"]
    assert training.tar("out/job-1/output/model.tar.gz") == {"m": b"x"}
    assert training.keys("checkpoints/") == ["checkpoints/c"]
    eventually(lambda: not left())  # a job has ended before its folder is removed


def test_failure_and_exit_status(training: Training) -> None:
    program = "import os; open('/opt/ml/output/failure', 'w').write('why'); os._exit(5)"
    assert training.run("job-1", program)["FailureReason"] == "AlgorithmError: why, exit code: 5"


def test_an_image_that_is_missing_and_one_without_train(training: Training) -> None:
    job = training.run("job-1", algorithm={"TrainingImage": "hpo-no-such-image:1"})
    assert job["FailureReason"].startswith("ClientError: Cannot find the training image hpo-no-such-image:1")
    training.put({"set/a": b"1"})
    request = script_job(training, "train.py")
    plain = {"TrainingImage": "python:3.11-slim", "TrainingInputMode": "File"}
    del request["HyperParameters"]
    training.sm.create_training_job(**request | {"TrainingJobName": "job-2", "AlgorithmSpecification": plain})
    assert training.end("job-2")["FailureReason"] == "AlgorithmError: , exit code: 127"
    assert left() == []


def test_stop_and_the_network(training: Training) -> None:
    training.create("job-1", OBEDIENT, arguments=("/opt/ml/model",), EnableNetworkIsolation=True)
    training.printed("job-1")
    training.sm.stop_training_job(TrainingJobName="job-1")
    assert training.end("job-1")["TrainingJobStatus"] == "Stopped"
    assert training.log("job-1") == ["ready", "saved"]
    program = "import os; print(sorted(os.listdir('/sys/class/net')))"
    training.run("job-2", program, EnableNetworkIsolation=True)
    assert training.log("job-2") == ["['lo']"]


def test_a_first_process_without_a_handler_does_not_heed_sigterm(training: Training, aws: Aws) -> None:
    aws.settings.stop_grace = 0.3
    training.create("job-1", SLEEP)
    training.printed("job-1")
    training.sm.stop_training_job(TrainingJobName="job-1")
    job = training.end("job-1")
    seconds = (job["LastModifiedTime"] - job["SecondaryStatusTransitions"][-2]["StartTime"]).total_seconds()
    assert seconds >= 0.3


def test_script_mode(training: Training) -> None:
    training.put({"source/sourcedir.tar.gz": sources({"train.py": SCRIPT}), "set/a": b"1"})
    training.sm.create_training_job(
        **script_job(training, "train.py")
        | {"AlgorithmSpecification": {"TrainingImage": "python:3.11-slim", "TrainingInputMode": "File"}}
    )
    assert training.end("job-1")["TrainingJobStatus"] == "Completed", training.log("job-1")
    assert '"here": ["train.py"]' in training.log("job-1")[0]


def test_nothing_is_left_of_what_ran(training: Training, aws: Aws) -> None:
    training.create("job-1", SLEEP)
    training.printed("job-1")
    assert left() != []
    aws.reset()
    assert left() == []

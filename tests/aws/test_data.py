"""Channels, artifacts, checkpoints and script mode."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping

import pytest

from hpo.testing.aws import Aws
from tests.aws.training import READY, Training, channel

SHOW = """
import os, sys
for folder, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        path = os.path.join(folder, name)
        print(os.path.relpath(path, sys.argv[1]), open(path).read())
"""
DATA = "/opt/ml/input/data/train"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("s3://data/set", ["a 1", "deep/b 2"]),
        ("s3://data/set/", ["a 1", "deep/b 2"]),
        ("s3://data/set/deep/b", ["b 2"]),
        ("s3://data/se", ["set/a 1", "set/deep/b 2"]),
    ],
)
def test_a_prefix(training: Training, uri: str, shown: list[str]) -> None:
    training.put({"set/a": b"1", "set/deep/b": b"2", "set/deep/": b""})
    training.run("job-1", SHOW, arguments=(DATA,), channels=[channel("train", uri)])
    assert training.log("job-1") == shown


def test_a_manifest(training: Training) -> None:
    manifest = [{"prefix": "s3://data/set/"}, "a", "deep/b"]
    training.put({"set/a": b"1", "set/deep/b": b"2", "set/c": b"3", "m": json.dumps(manifest).encode()})
    source = channel("train", "s3://data/m", S3DataType="ManifestFile")
    training.run("job-1", SHOW, arguments=(DATA,), channels=[source])
    assert training.log("job-1") == ["a 1", "deep/b 2"]


def test_shards(training: Training) -> None:
    training.put({f"set/{number}": b"x" for number in range(3)})
    source = channel("train", "s3://data/set/", S3DataDistributionType="ShardedByS3Key")
    training.run("job-1", SHOW, arguments=(DATA,), channels=[source], resources={"InstanceCount": 2})
    assert training.log("job-1") == ["0 x", "2 x", "1 x"]


def test_compressed_objects_and_what_the_configuration_says(training: Training) -> None:
    training.put({"set/a.csv.gz": gzip.compress(b"plain")})
    source = channel("train", "s3://data/set") | {"CompressionType": "Gzip", "ContentType": "text/csv"}
    training.run("job-1", SHOW, arguments=("/opt/ml/input",), channels=[source], HyperParameters={"x": '"1"'})
    shown = dict(
        line.split(" ", 1) for line in training.log("job-1") if line.startswith(("config", "data/train"))
    )
    assert shown["data/train/a.csv"] == "plain"
    assert json.loads(shown["config/hyperparameters.json"]) == {"x": '"1"'}
    assert json.loads(shown["config/inputdataconfig.json"])["train"] == {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
        "ContentType": "text/csv",
    }


def test_no_data(training: Training) -> None:
    job = training.run("job-1", channels=[channel("train", "s3://data/nothing")])
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed:")
    assert "s3://data/nothing" in job["FailureReason"]
    job = training.run("job-2", channels=[channel("train", "s3://no-such-bucket/x")])
    assert "NoSuchBucket" in job["FailureReason"]


def test_no_bucket_for_the_model(training: Training) -> None:
    job = training.run("job-1", OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/x"})
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:NoSuchBucket")


def test_artifacts(training: Training) -> None:
    program = """
import os, sys
for path in ("model/weights", "model/deep/more", "output/data/table"):
    path = os.path.join(sys.argv[1], path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write("x")
"""
    training.run("job-1", program, arguments=("/opt/ml",))
    assert training.tar("out/job-1/output/model.tar.gz") == {"weights": b"x", "deep/more": b"x"}
    assert training.tar("out/job-1/output/output.tar.gz") == {"table": b"x"}
    plain = {"S3OutputPath": "s3://data/plain/", "CompressionType": "NONE"}
    job = training.run("job-2", program, arguments=("/opt/ml",), OutputDataConfig=plain)
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://data/plain/job-2/output/model/"
    assert "plain/job-2/output/model/weights" in training.keys("plain/")


def test_checkpoints_are_brought_to_s3_during_the_run_and_back_to_the_next_one(training: Training) -> None:
    program = (
        "import os, sys, time\nfolder = sys.argv[1]\n"
        "print(sorted(os.listdir(folder)), flush=True)\n"
        "open(os.path.join(folder, str(len(os.listdir(folder)))), 'w').write('x')\n"
    )
    config = {"S3Uri": "s3://data/checkpoints/job"}
    where = ("/opt/ml/checkpoints",)
    training.create("job-1", f"{program}{READY}time.sleep(60)", arguments=where, CheckpointConfig=config)
    training.until("job-1", lambda _: training.keys("checkpoints/"))
    assert training.describe("job-1")["SecondaryStatus"] == "Training"
    training.sm.stop_training_job(TrainingJobName="job-1")
    training.end("job-1")
    training.run("job-2", program, arguments=where, CheckpointConfig=config)
    assert training.log("job-2") == ["['0']"]
    assert training.keys("checkpoints/") == ["checkpoints/job/0", "checkpoints/job/1"]
    elsewhere = config | {"LocalPath": "/my/place"}
    training.run("job-3", program, arguments=("/my/place",), CheckpointConfig=elsewhere)
    assert training.log("job-3") == ["['0', '1']"]


def test_a_checkpoint_that_is_written_while_it_is_brought_to_s3_can_be_brought_back(
    training: Training,
) -> None:
    program = (
        "import itertools, os, sys, time\n"
        "draft, end = os.path.join(sys.argv[1], 'draft'), time.monotonic() + 3\n"
        "for number in itertools.count():\n"
        "    with open(draft, 'wb') as file:\n"
        "        file.write(bytes([number % 251]) * 8_000_000)\n"
        "    if time.monotonic() > end: break\n"
        "os.replace(draft, os.path.join(sys.argv[1], 'done'))\n"
    )
    config = {"S3Uri": "s3://data/checkpoints"}
    where = ("/opt/ml/checkpoints",)
    training.run("job-1", program, arguments=where, CheckpointConfig=config)
    assert training.keys("checkpoints/") == ["checkpoints/done", "checkpoints/draft"]
    job = training.run("job-2", "", CheckpointConfig=config)
    assert job["TrainingJobStatus"] == "Completed"


SCRIPT = """
import json, os, sys
print(json.dumps({
    "argv": sys.argv[1:], "here": sorted(os.listdir()), "hps": json.loads(os.environ["SM_HPS"]),
    "channel": os.listdir(os.environ["SM_CHANNEL_TRAIN"]), "host": os.environ["SM_CURRENT_HOST"],
    "hosts": json.loads(os.environ["SM_HOSTS"]), "model": os.path.isdir(os.environ["SM_MODEL_DIR"]),
}))
"""


def sources(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def script_mode(program: str) -> dict[str, str]:
    return {
        "sagemaker_program": json.dumps(program),
        "sagemaker_submit_directory": json.dumps("s3://data/source/sourcedir.tar.gz"),
        "sagemaker_region": '"us-east-1"',
        "epochs": "3",
        "rate": "0.1",
        "name": '"sqrt"',
        "plain": "log2",
    }


def test_script_mode(training: Training) -> None:
    training.put({"source/sourcedir.tar.gz": sources({"train.py": SCRIPT, "other.txt": ""}), "set/a": b"1"})
    training.sm.create_training_job(**script_job(training, "train.py"))
    job = training.end("job-1")
    assert job["TrainingJobStatus"] == "Completed", training.log("job-1")
    seen = json.loads(training.log("job-1")[0])
    assert seen == {
        "argv": ["--epochs", "3", "--rate", "0.1", "--name", "sqrt", "--plain", "log2"],
        "here": ["other.txt", "train.py"],
        "hps": {"epochs": 3, "rate": 0.1, "name": "sqrt", "plain": "log2"},
        "channel": ["a"],
        "host": "algo-1",
        "hosts": ["algo-1", "algo-2"],
        "model": True,
    }


def test_script_mode_with_a_shell_script(training: Training) -> None:
    training.put({"source/sourcedir.tar.gz": sources({"go.sh": '#!/bin/sh\necho "$@"'}), "set/a": b"1"})
    training.sm.create_training_job(**script_job(training, "go.sh"))
    training.end("job-1")
    assert training.log("job-1")[0] == "--epochs 3 --rate 0.1 --name sqrt --plain log2"


def test_a_program_that_no_channel_brings(training: Training) -> None:
    training.put({"set/a": b"1"})
    request = script_job(training, "train.py")
    place = "/opt/ml/input/data/code/sourcedir.tar.gz"
    given = script_mode("train.py") | {"sagemaker_submit_directory": json.dumps(place)}
    training.sm.create_training_job(**request | {"HyperParameters": given, "EnableNetworkIsolation": True})
    job = training.end("job-1")
    assert job["FailureReason"] == f"AlgorithmError: {place}: No such file or directory, exit code: 1"


def test_script_mode_is_the_images_own_without_the_toolkit(training: Training, aws: Aws) -> None:
    aws.settings.toolkit = False
    training.put({"set/a": b"1"})
    training.sm.create_training_job(**script_job(training, "train.py"))
    assert "cannot run as a process" in training.end("job-1")["FailureReason"]


def script_job(training: Training, program: str) -> dict[str, object]:
    return {
        "TrainingJobName": "job-1",
        "RoleArn": "arn:aws:iam::123456789012:role/SageMaker",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "HyperParameters": script_mode(program),
        "InputDataConfig": [channel("train", "s3://data/set")],
        "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
    }

"""A tuning job of AMT's, copied and run: its program gets what it would get from AMT."""

from __future__ import annotations

import copy
import io
import json
import tarfile

import pytest

from hpo.testing.aws import Aws
from tests.amt.aws import add
from tests.amt.tuning_jobs import SMALL
from tests.command_line import Hpo

PROGRAM = """
import json, os
print("got", os.environ["SM_HPS"])
print("f1:", json.loads(os.environ["SM_HPS"])["max-depth"] / 100)
"""


def put_program(aws: Aws, key: str) -> None:
    """Have the packed program in the bucket `code`, and a bucket for models."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(PROGRAM.encode())
        archive.addfile(entry, io.BytesIO(PROGRAM.encode()))
    s3 = aws.client("s3")
    for bucket in ("code", "models"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="code", Key=key, Body=packed.getvalue())
    s3.close()


def test_a_copied_job_in_script_mode_runs_to_its_end(hpo: Hpo, aws: Aws) -> None:
    put_program(aws, "sourcedir.tar.gz")
    job = copy.deepcopy(SMALL)
    job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 3
    job["TrainingJobDefinition"]["StaticHyperParameters"] = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://code/sourcedir.tar.gz"',
        "epochs": "27",
        "drop": "0.10",
        "note": '"50"',
        "verbose": "true",
    }
    add(aws, job)
    hpo("copy", "sagemaker:digits", "-o", "tune.yaml")
    hpo("run", "tune.yaml", "--set", "launcher.poll=0.2")
    trials = hpo("trials", "digits", "--json").json
    assert [trial["status"] for trial in trials] == ["completed"] * 3
    for trial in trials:
        got = next(
            line for line in hpo("logs", "digits", str(trial["trial"])).out.splitlines() if "got" in line
        )
        assert json.loads(got.partition("got ")[2]) == {
            "max-depth": trial["parameters"]["max-depth"],
            "epochs": 27,
            "drop": 0.1,
            "note": "50",
            "verbose": True,
        }
        assert trial["value"] == trial["parameters"]["max-depth"] / 100


@pytest.mark.parametrize("channel", ["", "s3://code/digits/program-3.tar.gz", "s3://code/digits/"])
def test_a_copied_job_without_a_network_gets_its_program_by_a_channel(
    hpo: Hpo, aws: Aws, channel: str
) -> None:
    put_program(aws, "digits/program-3.tar.gz")
    job = copy.deepcopy(SMALL)
    job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 1
    definition = job["TrainingJobDefinition"]
    definition["EnableNetworkIsolation"] = True
    place = "s3://code/digits/program-3.tar.gz"
    if channel:  # as SageMaker's SDK has it
        place = "/opt/ml/input/data/code/program-3.tar.gz"
        source = {"S3DataType": "S3Prefix", "S3Uri": channel}
        definition["InputDataConfig"] = [
            {"ChannelName": "code", "DataSource": {"S3DataSource": source}, "InputMode": "File"}
        ]
    definition["StaticHyperParameters"] = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": json.dumps(place),
    }
    add(aws, job)
    assert hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err == ""
    hpo("run", "tune.yaml", "--set", "launcher.poll=0.2")
    [trial] = hpo("trials", "digits", "--json").json
    assert trial["value"] == trial["parameters"]["max-depth"] / 100

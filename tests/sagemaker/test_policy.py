"""docs/sagemaker-policy.json has the permissions that hpo needs: each of them, and no other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hpo.testing.aws import Aws
from hpo.testing.aws.settings import Fault
from tests.amt.aws import add
from tests.amt.tuning_jobs import SMALL
from tests.command_line import PATIENCE, Hpo
from tests.sagemaker.conftest import BUCKET, job, launcher
from tests.sagemaker.permissions import POLICY, allowed, listed, needed
from tests.sagemaker.test_jobs import Eventually, operations

pytestmark = pytest.mark.slow  # each does much of what hpo can do

TRAIN = 'echo "$HPO_TRIAL" >> "$FOLDER/started"; echo loss=0.5\n'
ONE = {"max_jobs": 1}

WATCHED = frozenset(
    {
        "sagemaker:ListTrainingJobs",
        "sagemaker:CreateTrainingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
        "sagemaker:DescribeTrainingJob",
        "logs:DescribeLogStreams",
        "logs:GetLogEvents",
        "pricing:GetProducts",
        "s3:ListBucket",
    }
)
"""What every job needs: it is checked, launched, followed to its end, and its cost is told."""


# -- what hpo does, and what it needs for that


def a_job(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    job(hpo, train(hpo), limits={**ONE, "max_cost": 5.0, "max_job_runtime": "10m"})
    hpo("plan", "spec.yaml", "--full")
    hpo("try", "spec.yaml")
    hpo("run", "spec.yaml")


def data_in_s3(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key="data/a.csv", Body=b"1")
    aws.requests.clear()
    job(hpo, train(hpo), inputs={"train": f"s3://{BUCKET}/data/"}, limits=ONE)
    hpo("run", "spec.yaml")


def script_mode(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    for folder in ("source", "data"):
        (hpo.folder / folder).mkdir()
    hpo.write("source/train.py", "print('loss=0.5')\n")
    hpo.write("data/a.csv", "1")
    with (hpo.folder / "data/large.bin").open("wb") as large:
        large.truncate(9 * 2**20)  # in several parts
    options = launcher(source_dir="source", entry_point="train.py")
    hpo.job("", launcher=options, inputs={"train": "data"}, limits=ONE)
    hpo("run", "spec.yaml")
    assert "CompleteMultipartUpload" in operations(aws, "s3")


def a_file_that_changes_while_it_is_uploaded(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    data = hpo.write("data.csv", "1")
    aws.settings.faults["PutObject"] = [Fault.THROTTLED] * 2
    job(hpo, train(hpo), inputs={"train": "data.csv"}, limits=ONE)
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: "PutObject" in operations(aws, "s3"))
    os.utime(data, (1, 1))
    assert process.wait(PATIENCE) == 0
    assert "DeleteObject" in operations(aws, "s3")


def an_upload_that_fails(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    with (hpo.folder / "data.bin").open("wb") as large:
        large.truncate(9 * 2**20)
    aws.settings.faults["UploadPart"] = [Fault.THROTTLED] * 4
    job(hpo, train(hpo), inputs={"train": "data.bin"}, limits=ONE)
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: "CreateMultipartUpload" in operations(aws, "s3"))
    aws.settings.denied = {"s3:PutObject"}
    assert process.wait(PATIENCE) == 1


def spot_machines(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    job(hpo, train(hpo), options={"spot": True, "checkpoints": "s3://tuning/checkpoints"}, limits=ONE)
    hpo("run", "spec.yaml")


def a_warm_pool(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    job(hpo, train(hpo), options={"keep_alive": "30m"}, limits={"max_jobs": 2})
    hpo("run", "spec.yaml")


def stop_and_resume(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    wait = 'until [ -e "$FOLDER/go" ]; do sleep 0.02; done\n'
    job(hpo, train(hpo, TRAIN + wait), limits=ONE)
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: hpo.text("started"))
    hpo("stop", "job")
    assert process.wait(PATIENCE) == 1
    hpo.write("go", "")
    hpo("resume", "job")


def a_tuning_job_of_sagemaker_s_copied(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    add(aws, SMALL)
    hpo("copy", "sagemaker:digits", "-o", "tune.yaml", "--trials", "trials.csv")


def train(hpo: Hpo, program: str = TRAIN) -> str:
    return f"FOLDER={hpo.folder}\n{program}"


NEEDS: Mapping[Callable[[Hpo, Aws, Eventually], None], frozenset[str]] = {
    a_job: WATCHED,
    data_in_s3: WATCHED,
    script_mode: WATCHED | {"s3:GetObject", "s3:PutObject"},
    a_file_that_changes_while_it_is_uploaded: WATCHED | {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
    an_upload_that_fails: frozenset(
        {
            "sagemaker:ListTrainingJobs",
            "s3:ListBucket",
            "s3:GetObject",
            "s3:PutObject",
            "s3:AbortMultipartUpload",
        }
    ),
    spot_machines: WATCHED,
    a_warm_pool: WATCHED | {"sagemaker:UpdateTrainingJob"},
    stop_and_resume: WATCHED | {"sagemaker:StopTrainingJob"},
    a_tuning_job_of_sagemaker_s_copied: frozenset(
        {
            "sagemaker:DescribeHyperParameterTuningJob",
            "sagemaker:ListTags",
            "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        }
    ),
}


@pytest.mark.parametrize("does", NEEDS, ids=lambda does: does.__name__)
def test_what_hpo_does_needs_these_actions(
    hpo: Hpo, aws: Aws, eventually: Eventually, does: Callable[[Hpo, Aws, Eventually], None]
) -> None:
    aws.requests.clear()
    does(hpo, aws, eventually)
    assert needed(aws) == NEEDS[does]


def test_the_policy_has_those_actions_and_no_other() -> None:
    assert allowed() == frozenset().union(*NEEDS.values())


def test_the_policy_is_one_that_iam_takes() -> None:
    document = json.loads(POLICY.read_text(encoding="utf-8"))
    assert document["Version"] == "2012-10-17"
    assert len(json.dumps(document, separators=(",", ":"))) <= 2048  # an inline policy of a user
    for statement in document["Statement"]:
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] == "Allow"
        assert statement["Sid"].isalnum()
        for action in listed(statement["Action"]):
            service, _, name = action.partition(":")
            assert name.isalnum(), action
            if statement["Resource"] != "*":
                assert all(f":{service}:" in resource for resource in listed(statement["Resource"]))
    roles = [each for each in document["Statement"] if "iam:PassRole" in listed(each["Action"])]
    assert [each["Condition"] for each in roles] == [
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    ]


# -- what is said where one of them is missing


@pytest.mark.parametrize(
    "action",
    ["sagemaker:CreateTrainingJob", "sagemaker:AddTags", "iam:PassRole", "s3:ListBucket", "s3:PutObject"],
)
def test_a_launch_that_is_not_permitted_fails_with_the_action(hpo: Hpo, aws: Aws, action: str) -> None:
    aws.settings.denied = {action}
    hpo.write("data.csv", "1")
    job(hpo, train(hpo), inputs={"train": "data.csv"}, limits=ONE)
    hpo("run", "spec.yaml", status=1)
    assert f"not authorized to perform: {action} " in detail(hpo)
    assert "docs/sagemaker.md has the policy" in detail(hpo)
    assert not hpo.text("started")


def test_a_missing_s3_get_object_is_told(hpo: Hpo, aws: Aws) -> None:
    aws.settings.denied = {"s3:GetObject"}  # a HEAD request is refused without a word
    hpo.write("data.csv", "1")
    job(hpo, train(hpo), inputs={"train": "data.csv"}, limits=ONE)
    hpo("run", "spec.yaml", status=1)
    assert "s3:GetObject in the bucket tuning is not permitted" in detail(hpo)


def test_what_every_run_needs_is_asked_for_before_anything_starts(hpo: Hpo, aws: Aws) -> None:
    aws.settings.denied = {"sagemaker:ListTrainingJobs"}
    job(hpo, train(hpo))
    assert "not authorized to perform: sagemaker:ListTrainingJobs " in hpo.refused("run", "spec.yaml")


def test_without_the_price_list_prices_are_asked_for(hpo: Hpo, aws: Aws) -> None:
    aws.settings.denied = {"pricing:GetProducts"}
    job(hpo, train(hpo), limits={**ONE, "max_cost": 5.0, "max_job_runtime": "10m"})
    assert "launcher.prices" in hpo.refused("run", "spec.yaml")


@pytest.mark.parametrize(
    "action", ["sagemaker:DescribeTrainingJob", "logs:DescribeLogStreams", "logs:GetLogEvents"]
)
def test_a_job_that_cannot_be_followed_waits_for_the_action(
    hpo: Hpo, aws: Aws, eventually: Eventually, action: str
) -> None:
    aws.settings.denied = {action}
    job(hpo, train(hpo), limits=ONE)
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: f"not authorized to perform: {action} " in hpo.text("err"))
    assert process.poll() is None
    aws.settings.denied = set()
    assert process.wait(PATIENCE) == 0
    assert hpo.text("started").split() == ["1"]


def test_a_tuning_job_that_may_not_be_read(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    aws.settings.denied = {"sagemaker:DescribeHyperParameterTuningJob"}
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml", status=1).err
    assert "lack the permission sagemaker:DescribeHyperParameterTuningJob" in said


def detail(hpo: Hpo) -> str:
    trials: list[dict[str, Any]] = hpo("trials", "job", "--json").json
    return str(trials[0]["detail"])

"""What the suites of training jobs share: an AWS on this machine that runs them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields

import pytest

from hpo.testing.aws import Aws, AwsSettings
from tests.command_line import Hpo
from tests.sagemaker.permissions import HPO_KEY, allowed, needed

ROLE = "arn:aws:iam::123456789012:role/training"
BUCKET = "tuning"


@pytest.fixture(scope="session")
def one_aws() -> Iterator[Aws]:
    """The one emulated AWS of all tests."""
    with Aws(AwsSettings(runner="process")) as aws:
        yield aws


@pytest.fixture
def aws(one_aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An AWS with one empty bucket, whose training jobs are processes; boto3 finds it by the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in one_aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HPO_KEY)
    one_aws.reset()
    set_to(one_aws, AwsSettings(runner="process", start_delay=0.0, stop_grace=2.0))
    one_aws.client("s3").create_bucket(Bucket=BUCKET)
    yield one_aws
    assert needed(one_aws) <= allowed(), "docs/sagemaker-policy.json lacks what hpo has asked for"
    one_aws.reset()


def set_to(aws: Aws, settings: AwsSettings) -> None:
    """Have an AWS behave so."""
    for field in fields(AwsSettings):
        if field.name != "port":
            setattr(aws.settings, field.name, getattr(settings, field.name))


def launcher(**options: object) -> dict[str, object]:
    """Return the section of a spec whose trials are training jobs."""
    return {
        "kind": "sagemaker",
        "image": "an-image",
        "role": ROLE,
        "output": f"s3://{BUCKET}/hpo",
        "instance_type": "ml.m5.large",
        "poll": 0.1,
        "requests_per_second": 200,
        **options,
    }


def job(hpo: Hpo, program: str, /, *, options: dict[str, object] | None = None, **sections: object) -> None:
    """Write spec.yaml: three random trials of a program, as training jobs."""
    section = launcher(command=["sh", str(hpo.folder / "train.sh")], **(options or {}))
    hpo.job(program, launcher=section, **sections)

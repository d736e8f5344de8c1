"""Whose AWS is asked, and which: the spec's profile, region and endpoint, else boto3's own rules."""

from __future__ import annotations

import pytest

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import job
from tests.sagemaker.permissions import HPO_KEY
from tests.sagemaker.test_jobs import train

ONE = {"max_jobs": 1}


@pytest.fixture
def endpoint(hpo: Hpo, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave of AWS in the environment only where its configuration is; return the emulator's address."""
    keys = f"aws_access_key_id = {HPO_KEY}\naws_secret_access_key = testing\n"
    config = hpo.write("config", f"[profile team]\nregion = eu-west-1\n{keys}[profile nowhere]\n{keys}")
    for name in aws.environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return aws.environment["AWS_ENDPOINT_URL"]


def test_a_profile_brings_credentials_and_region(hpo: Hpo, aws: Aws, endpoint: str) -> None:
    job(hpo, train(hpo), options={"profile": "team", "endpoint": endpoint, "output": None}, limits=ONE)
    assert "there is no bucket sagemaker-eu-west-1-123456789012" in hpo.refused("run", "spec.yaml")
    aws.client("s3").create_bucket(Bucket="sagemaker-eu-west-1-123456789012")
    hpo("run", "spec.yaml")
    assert aws.starts.total() == 1


def test_the_region_of_the_spec_goes_before_the_profile_s(hpo: Hpo, aws: Aws, endpoint: str) -> None:
    options: dict[str, object] = {"profile": "nowhere", "endpoint": endpoint, "output": None}
    job(hpo, train(hpo), options=options, limits=ONE)
    assert "no AWS region is set" in hpo.refused("run", "spec.yaml")
    for profile in ("nowhere", "team"):
        job(hpo, train(hpo), options={**options, "profile": profile, "region": "eu-north-1"}, limits=ONE)
        assert "no bucket sagemaker-eu-north-1-123456789012" in hpo.refused("run", "spec.yaml")


def test_the_environment_s_profile_and_address_will_do(hpo: Hpo, aws: Aws, endpoint: str) -> None:
    job(hpo, train(hpo), limits=ONE)
    hpo("run", "spec.yaml", env={"AWS_PROFILE": "team", "AWS_ENDPOINT_URL": endpoint})
    assert aws.starts.total() == 1


def test_a_profile_that_is_not_there_is_told_at_its_key(hpo: Hpo, endpoint: str) -> None:
    job(hpo, train(hpo), options={"profile": "tame", "endpoint": endpoint}, limits=ONE)
    said = hpo.refused("run", "spec.yaml")
    assert "spec.yaml:" in said
    assert (
        "`launcher.profile`: The config profile (tame) could not be found; `aws configure list-prof" in said
    )

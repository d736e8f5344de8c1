"""`hpo copy sagemaker:NAME` where AWS or the user's files keep it from copying, and elsewhere."""

from __future__ import annotations

import re

import pytest
import yaml

from hpo.testing.aws import Aws, Fault
from tests.amt.aws import add, calls, refusing
from tests.amt.tuning_jobs import SMALL, SMALL_SPEC
from tests.amt.written import exact, written
from tests.command_line import Hpo


def test_another_name_and_another_region(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    copied = hpo("copy", "sagemaker:digits", "--name", "digits-2", "--region", "eu-west-1").out
    assert yaml.safe_load(copied)["name"] == "digits-2"
    assert "tuning job digits in eu-west-1 " in copied.splitlines()[0]
    assert "--name 'a b'" in hpo.refused("copy", "sagemaker:digits", "--name", "a b")


def test_no_file_is_overwritten(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    hpo.write("tune.yaml", "mine")
    assert "tune.yaml exists already" in hpo.refused("copy", "sagemaker:digits", "-o", "tune.yaml")
    assert (hpo.text("tune.yaml"), calls(aws)) == ("mine", [])


@pytest.mark.parametrize(
    ("code", "message", "status", "words"),
    [
        (
            "ResourceNotFound",
            "Amazon SageMaker can't find a tuning job with the name digits.",
            4,
            r"SageMaker has no tuning job digits in us-east-1; --region asks another one",
        ),
        ("ValidationException", "Requested resource not found.", 4, r"SageMaker has no tuning job digits"),
        ("ValidationException", "1 error", 1, r"AWS refuses DescribeHyperParameterTuningJob \(Validation"),
        ("UnrecognizedClientException", "token", 1, r"does not take the credentials .*aws sso login"),
    ],
)
def test_a_refusal_is_one_line_with_what_to_do(
    hpo: Hpo, aws: Aws, code: str, message: str, status: int, words: str
) -> None:
    with refusing(400, code, message) as env:
        called = hpo("copy", "sagemaker:digits", "-o", "tune.yaml", status=status, env=env)
    assert re.search(words, called.err), called.err
    assert (called.out, len(called.err.splitlines())) == ("", 1)
    assert not (hpo.folder / "tune.yaml").exists()


def test_an_unknown_job_expired_credentials_and_a_missing_permission(hpo: Hpo, aws: Aws) -> None:
    assert "SageMaker has no tuning job digits in us-east-1" in hpo("copy", "sagemaker:digits", status=4).err
    add(aws, SMALL)
    aws.settings.denied = {"sagemaker:DescribeHyperParameterTuningJob"}
    said = hpo("copy", "sagemaker:digits", status=1).err
    assert "lack the permission sagemaker:DescribeHyperParameterTuningJob (User: " in said
    aws.settings.expired = True
    said = hpo("copy", "sagemaker:digits", status=1).err
    assert re.search(r"does not take the credentials \(Expired.*renew them.*aws sso login", said)


def test_without_credentials_or_region_it_says_what_to_set(
    hpo: Hpo, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(aws, SMALL)
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    said = hpo("copy", "sagemaker:digits", status=1, env=nobody).err
    assert "there are no valid AWS credentials" in said
    assert "aws sso login" in said
    no_region = "no AWS region is set; give --region, or set AWS_DEFAULT_REGION"
    assert no_region in hpo("copy", "sagemaker:digits", status=1, env={"AWS_DEFAULT_REGION": ""}).err
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert no_region in hpo("copy", "sagemaker:digits", status=1).err
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    said = hpo("copy", "sagemaker:digits", "--profile", "nobody", status=1).err
    assert "nobody" in said
    assert len(said.splitlines()) == 1
    assert "no name of a tuning job" in hpo.refused("copy", "sagemaker:two words")


def test_a_service_that_fails_for_a_moment_is_asked_again(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    aws.settings.faults = {"ListTags": [Fault.THROTTLED, Fault.SERVER_ERROR]}
    hpo("copy", "sagemaker:digits")
    assert calls(aws).count("ListTags") == 3


def test_tags_that_may_not_be_read_are_told_and_keep_nothing_from_being_copied(hpo: Hpo, aws: Aws) -> None:
    add(aws, SMALL)
    aws.settings.denied = {"ListTags"}
    said = hpo("copy", "sagemaker:digits", "-o", "tune.yaml").err
    assert "not carried over: tags; the AWS credentials lack the permission sagemaker:ListTags" in said
    assert exact(written(hpo)) == exact(SMALL_SPEC)

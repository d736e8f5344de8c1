"""ListTrainingJobs, and tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hpo.testing.aws import Aws
from tests.aws.training import SLEEP, Training

FAIL = "import sys; sys.exit(1)"


def names(training: Training, **query: Any) -> list[str]:
    return [row["TrainingJobName"] for row in training.sm.list_training_jobs(**query)["TrainingJobSummaries"]]


@pytest.fixture
def three(training: Training) -> Training:
    for name, program in (("b-2", FAIL), ("a-1", ""), ("c-3", SLEEP)):
        training.create(name, program)
    training.end("b-2")
    training.end("a-1")
    return training


def test_names_orders_and_times(three: Training) -> None:
    assert names(three) == ["b-2", "a-1", "c-3"]
    assert names(three, SortBy="Name") == ["a-1", "b-2", "c-3"]
    assert names(three, SortBy="Name", SortOrder="Descending") == ["c-3", "b-2", "a-1"]
    assert names(three, NameContains="-1") == ["a-1"]
    now = datetime.now(UTC)
    assert names(three, CreationTimeAfter=now + timedelta(minutes=1)) == []
    assert len(names(three, LastModifiedTimeBefore=now + timedelta(minutes=1))) == 3
    (row,) = three.sm.list_training_jobs(NameContains="b-2")["TrainingJobSummaries"]
    assert {"TrainingJobArn", "CreationTime", "LastModifiedTime", "TrainingEndTime"} <= row.keys()
    assert (row["TrainingJobStatus"], row["SecondaryStatus"]) == ("Failed", "Failed")


def test_the_status_is_looked_at_after_the_page_is_cut(three: Training) -> None:
    page = three.sm.list_training_jobs(StatusEquals="InProgress", MaxResults=2)
    assert page["TrainingJobSummaries"] == []
    assert names(three, StatusEquals="InProgress", NextToken=page["NextToken"]) == ["c-3"]


def test_a_page_has_ten_unless_told(training: Training, aws: Aws) -> None:
    aws.settings.start_delay = 60
    for number in range(12):
        training.create(f"job-{number:02}")
    first = training.sm.list_training_jobs()
    assert len(first["TrainingJobSummaries"]) == 10
    training.create("job-new")  # what comes meanwhile moves nothing
    rest = names(training, NextToken=first["NextToken"])
    assert rest == ["job-10", "job-11", "job-new"]
    assert len(names(training, MaxResults=100)) == 13


def test_tags_of_jobs(training: Training, aws: Aws) -> None:
    arn = training.create("job-1")
    training.sm.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    training.sm.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert training.sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_the_model_registry_is_there(training: Training) -> None:
    training.sm.create_model_package_group(ModelPackageGroupName="models")
    arn = training.sm.create_model_package(
        ModelPackageGroupName="models",
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": "s3://data/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    described = training.sm.describe_model_package(ModelPackageName=arn)
    assert described["ModelPackageGroupName"] == "models"

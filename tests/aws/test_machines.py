"""Spot interruptions, warm pools and prices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hpo.testing.aws import Aws
from tests.aws.test_jobs import refusal
from tests.aws.training import OBEDIENT, READY, SLEEP, Training

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
    "CheckpointConfig": {"S3Uri": "s3://data/checkpoints"},
}
ONCE_MORE = """
import os, signal, sys, time
path = sys.argv[1] + '/done'
if os.path.exists(path):
    print('resumed')
    sys.exit(0)
def stop(*_):
    open(path, 'w').write('x')
    sys.exit(1)
signal.signal(signal.SIGTERM, stop)
print('ready', flush=True)
time.sleep(60)
"""


def pool(training: Training, name: str) -> dict[str, Any]:
    status: dict[str, Any] = training.describe(name)["WarmPoolStatus"]
    return status


def test_an_interrupted_job_goes_on_from_its_checkpoints(training: Training, aws: Aws) -> None:
    training.create("job-1", ONCE_MORE, arguments=("/opt/ml/checkpoints",), **SPOT)
    training.printed("job-1")
    aws.interrupt("job-1")
    job = training.end("job-1")
    assert job["TrainingJobStatus"] == "Completed"
    first = ["Starting", "Downloading", "Training", "Interrupted"]
    assert training.secondaries("job-1") == [*first, *first[:3], "Uploading", "Completed"]
    assert training.log("job-1") == ["ready", "resumed"]
    assert len(training.streams("job-1")) == 2
    assert aws.starts == {"job-1": 2}


def test_planned_interruptions_and_what_is_billed(training: Training, aws: Aws) -> None:
    aws.settings.time_scale = 1000
    aws.settings.spot_interruptions = {"job-1": [0.05, 0.05]}
    program = f"import time; {READY}time.sleep(0.3)"
    job = training.run("job-1", program, **SPOT)
    assert training.secondaries("job-1").count("Interrupted") == 2
    assert job["TrainingTimeInSeconds"] >= 400
    assert job["BillableTimeInSeconds"] == pytest.approx(0.3 * job["TrainingTimeInSeconds"], abs=1)
    aws.settings.spot_interruptions = 1.0
    training.create("job-2", SLEEP, **SPOT)
    training.until("job-2", lambda _: training.secondaries("job-2").count("Interrupted") >= 2)
    with pytest.raises(ValueError, match="job-1 is no managed spot training job that runs"):
        aws.interrupt("job-1")


def test_machines_are_reused_by_a_job_that_matches(training: Training, aws: Aws) -> None:
    aws.settings.start_delay, aws.settings.time_scale = 0.5, 100
    warm = {"KeepAlivePeriodInSeconds": 3600}
    training.create("job-1", resources=warm)
    assert pool(training, "job-1") == {"Status": "InUse"}
    training.end("job-1")
    assert pool(training, "job-1") == {"Status": "Available"}
    listed = training.sm.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert [row["TrainingJobName"] for row in listed] == ["job-1"]
    assert training.describe("job-1")["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 3600
    aws.settings.start_delay = 60
    training.create("job-2", resources=warm | {"VolumeSizeInGB": 11})  # matches not
    training.run("job-3", resources=warm)
    reused = pool(training, "job-1")
    assert reused["Status"] == "Reused"
    assert reused["ReusedByJob"] == "job-3"
    assert reused["ResourceRetainedBillableTimeInSeconds"] >= 1
    assert training.describe("job-2")["SecondaryStatus"] == "Starting"
    refused = {"EnableManagedSpotTraining": True, "StoppingCondition": SPOT["StoppingCondition"]}
    assert "managed spot" in refusal(training.create, name="job-4", resources=warm, **refused)[1]


def test_a_pool_ends_with_its_time_or_when_it_is_released(training: Training, aws: Aws) -> None:
    aws.settings.time_scale = 1000
    training.run("job-1", resources={"KeepAlivePeriodInSeconds": 300})
    training.until("job-1", lambda job: job["WarmPoolStatus"]["Status"] == "Terminated")
    assert pool(training, "job-1")["ResourceRetainedBillableTimeInSeconds"] == 300
    training.run("job-2", "import sys; sys.exit(1)", resources={"KeepAlivePeriodInSeconds": 3600})
    assert pool(training, "job-2")["Status"] == "Available"
    training.sm.update_training_job(TrainingJobName="job-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    assert pool(training, "job-2")["Status"] == "Terminated"
    code, message = refusal(
        training.sm.update_training_job,
        TrainingJobName="job-2",
        ResourceConfig={"KeepAlivePeriodInSeconds": 0},
    )
    assert (code, "no warm pool" in message) == ("ValidationException", True)


def test_a_pool_survives_a_stop_and_counts_in_the_quotas(training: Training, aws: Aws) -> None:
    warm = {"KeepAlivePeriodInSeconds": 3600}
    aws.settings.quotas = {"ml.m5.large": 1, "ml.m5.large for training warm pool usage": 1}
    training.create("job-1", OBEDIENT, arguments=("/opt/ml/model",), resources=warm)
    training.printed("job-1")
    training.sm.stop_training_job(TrainingJobName="job-1")
    training.end("job-1")
    assert pool(training, "job-1")["Status"] == "Available"
    assert (
        refusal(training.create, name="job-2", resources={"VolumeSizeInGB": 11})[0] == "ResourceLimitExceeded"
    )
    training.run("job-3", resources=warm)  # the same machines are not counted twice
    aws.settings.quotas = {"ml.m5.large for training warm pool usage": 1}
    code, message = refusal(training.create, name="job-4", resources=warm | {"VolumeSizeInGB": 11})
    assert code == "ResourceLimitExceeded"
    assert "'ml.m5.large for training warm pool usage' is 1 Instances" in message


def test_prices(aws: Aws) -> None:
    pricing = aws.client("pricing")
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in (
            ("instanceName", "ml.m5.large"),
            ("regionCode", "us-east-1"),
            ("component", "Training"),
            ("productFamily", "ML Instance"),
        )
    ]
    (row,) = pricing.get_products(ServiceCode="AmazonSageMaker", Filters=filters)["PriceList"]
    (term,) = json.loads(row)["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert (dimension["unit"], dimension["pricePerUnit"]) == ("Hrs", {"USD": "0.1150000000"})
    pages = pricing.get_paginator("get_products").paginate(
        ServiceCode="AmazonSageMaker", Filters=filters[1:2]
    )
    assert len([row for page in pages for row in page["PriceList"]]) > 20
    filters[0]["Value"] = "ml.unknown"
    assert pricing.get_products(ServiceCode="AmazonSageMaker", Filters=filters)["PriceList"] == []
    pricing.close()

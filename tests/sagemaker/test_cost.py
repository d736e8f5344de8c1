"""What training jobs cost, and the limit of it, which AWS's own numbers are held against."""

from __future__ import annotations

from typing import Any

import pytest

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import job
from tests.sagemaker.test_jobs import train

PRICE = 3600.0
"""USD an hour: one a second."""

GRACE = 120.0
"""Seconds that SageMaker gives a program to end by itself, which are charged."""


def options(**more: object) -> dict[str, object]:
    return {"prices": {"ml.m5.large": PRICE}, **more}


def test_max_cost_is_kept_at_every_launch(hpo: Hpo, aws: Aws) -> None:
    aws.settings.time_scale = 100.0  # two seconds here are 200 of SageMaker's
    limit, worst = 2000.0, 600.0 + GRACE
    limits = {"max_jobs": 20, "max_parallel_jobs": 4, "max_job_runtime": 600, "max_cost": limit}
    job(hpo, train(hpo, "sleep 2\necho loss=$HPO_TRIAL\n"), options=options(), limits=limits)
    said = hpo("run", "spec.yaml").err
    jobs = [aws.client("sagemaker").describe_training_job(TrainingJobName=name) for name in aws.starts]
    for each in jobs:
        others = [other for other in jobs if other["CreationTime"] < each["CreationTime"]]
        assert charged(each, others) + worst <= limit
    spent = hpo("status", "job", "--json").json["cost"]["spent"]
    assert spent == pytest.approx(sum(float(each["BillableTimeInSeconds"]) for each in jobs))
    assert limit - worst < spent <= limit  # all that it pays was used
    assert "limits.max_cost, 2000, does not pay another run" in said


def charged(launched: dict[str, Any], others: list[dict[str, Any]]) -> float:
    """Return what others had cost as one was launched; one that ran then counts as what it could cost."""
    return sum(
        float(other["BillableTimeInSeconds"])
        if other["TrainingEndTime"] < launched["CreationTime"]
        else 600.0 + GRACE
        for other in others
    )


def test_the_plan_reckons_with_the_worst(hpo: Hpo, aws: Aws) -> None:
    limits = {"max_jobs": 4, "max_parallel_jobs": 2, "max_job_runtime": "30m"}
    kinds = {"instance_type": None, "instance_types": ["ml.m5.large", "ml.m5.xlarge"]}
    prices = {"ml.m5.large": 1.0, "ml.m5.xlarge": 2.0}
    more = {"instance_count": 2, "keep_alive": "10m", "prices": prices}
    job(hpo, train(hpo), options={**kinds, **more}, limits=limits)
    a_run = (1800.0 + GRACE + 600.0) / 3600.0 * 2 * 2.0  # on the dearest, with its grace, and kept ready
    planned = hpo("plan", "spec.yaml", "--json").json["cost"]
    assert planned["per_trial"] == pytest.approx(a_run, abs=1e-4)
    assert planned["worst"] == pytest.approx(4 * a_run, abs=1e-3)
    assert f"at most ${4 * a_run:.2f}: 4 trials" in hpo("plan", "spec.yaml").out

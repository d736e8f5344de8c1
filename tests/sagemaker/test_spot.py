"""Spot machines: interrupted, gone on from their checkpoints, and cheaper."""

from __future__ import annotations

import pytest

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import BUCKET, job
from tests.sagemaker.test_jobs import Eventually, train

STEPS = """
last=$(cat "$CHECKPOINTS/step" 2>/dev/null || echo 0)
echo "from $last"
for step in $(seq $((last + 1)) 20); do
    echo "$step" > "$CHECKPOINTS/step"
    echo "loss=0.$step"
    sleep 0.1
done
"""
"""Twenty steps, gone on with after the last one that is in the checkpoints."""


def test_an_interrupted_trial_goes_on_from_its_checkpoint(hpo: Hpo, aws: Aws) -> None:
    aws.settings.spot_interruptions = 0.6
    aws.settings.spot_interruption_delay = 1.5
    options: dict[str, object] = {
        "spot": True,
        "max_wait": "2h",
        "max_run": "1h",
        "prices": {"ml.m5.large": 3600.0},
        "env": {"CHECKPOINTS": "/opt/ml/checkpoints"},
    }
    job(hpo, train(hpo, STEPS), options=options, limits={"max_jobs": 4, "max_parallel_jobs": 4})
    hpo("run", "spec.yaml")
    status = hpo("status", "job", "--json").json
    assert status["counts"]["completed"] == 4
    assert status["interruptions"] > 0
    jobs = [aws.client("sagemaker").describe_training_job(TrainingJobName=name) for name in aws.starts]
    billed = sum(each["BillableTimeInSeconds"] for each in jobs)
    assert status["cost"]["spent"] == pytest.approx(billed)  # at a price of one a second
    trained = sum(each["TrainingTimeInSeconds"] for each in jobs)
    assert status["cost"]["saved_by_spot"] == pytest.approx(trained - billed)
    trials = hpo("trials", "job", "--json").json
    assert sum(trial["interruptions"] for trial in trials) == status["interruptions"]
    interrupted = next(trial for trial in trials if trial["interruptions"])
    log = hpo("logs", "job", str(interrupted["trial"])).out.splitlines()
    assert log[0] == "from 0"
    gone_on = [line for line in log if line.startswith("from ")]
    assert len(gone_on) == 1 + interrupted["interruptions"]
    assert log[-1] == "loss=0.20"
    assert "interrupt" in hpo("status", "job").out


def test_each_trial_has_checkpoints_of_its_own_and_its_runs_share_them(hpo: Hpo, aws: Aws) -> None:
    options: dict[str, object] = {"spot": True, "env": {"CHECKPOINTS": "/opt/ml/checkpoints"}}
    job(hpo, train(hpo, STEPS.replace("sleep 0.1", "true")), options=options, limits={"max_jobs": 2})
    hpo("run", "spec.yaml")
    stored = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="hpo/checkpoints")["Contents"]
    keys = sorted(entry["Key"] for entry in stored)
    assert len(keys) == 2
    assert keys[0].rpartition("/")[0] != keys[1].rpartition("/")[0]


def test_each_repeat_is_a_training_job_of_its_own_and_begins_anew(hpo: Hpo, aws: Aws) -> None:
    options: dict[str, object] = {"spot": True, "env": {"CHECKPOINTS": "/opt/ml/checkpoints"}}
    job(
        hpo,
        train(hpo, STEPS.replace("sleep 0.1", "true")),
        options=options,
        limits={"max_jobs": 1},
        repeats=3,
    )
    hpo("run", "spec.yaml")
    assert sorted(name.rpartition("-")[2] for name in aws.starts) == ["1", "2", "3"]
    for run in (1, 2, 3):
        given = aws.client("sagemaker").describe_training_job(
            TrainingJobName=next(name for name in aws.starts if name.endswith(f"-{run}"))
        )
        assert given["HyperParameters"]["seed"] == str(run)
        assert hpo("logs", "job", "1", "--run", str(run)).out.startswith("from 0\n")
    (trial,) = hpo("trials", "job", "--json").json
    assert [each["value"] for each in trial["repeats"]] == [0.2] * 3


def test_without_a_spot_machine_a_trial_is_launched_again_and_no_attempt_is_lost(
    hpo: Hpo, aws: Aws, eventually: Eventually
) -> None:
    aws.settings.pending_delay = 60.0
    options: dict[str, object] = {"spot": True, "max_run": 1, "max_wait": 1}
    job(hpo, train(hpo), options=options, limits={"max_jobs": 1}, retry={"attempts": 1})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: "no spot machine was to be had within launcher.max_wait" in hpo.text("err"))
    aws.settings.pending_delay = 0.0
    assert process.wait(60) == 0
    (trial,) = hpo("trials", "job", "--json").json
    assert (trial["status"], trial["attempts"], trial["value"]) == ("completed", 1, 0.1)
    assert int(trial["launcher_id"].rpartition("-")[2]) > 1
    assert aws.starts.total() == 1


def test_waiting_and_training_longer_than_max_wait_is_a_timeout(hpo: Hpo, aws: Aws) -> None:
    aws.settings.pending_delay, aws.settings.stop_grace = 1.0, 0.2
    options: dict[str, object] = {"spot": True, "max_run": 3, "max_wait": 3}
    job(hpo, train(hpo, "echo loss=1\nsleep 60\n"), options=options, limits={"max_jobs": 1})
    hpo("run", "spec.yaml", status=1)
    (trial,) = hpo("trials", "job", "--json").json
    assert (trial["status"], trial["reason"]) == ("failed", "timeout")
    assert "longer than launcher.max_wait; raise it" in trial["detail"]

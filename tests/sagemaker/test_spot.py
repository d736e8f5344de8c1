"""Spot machines: interrupted, gone on from their checkpoints, and cheaper."""

from __future__ import annotations

import pytest

from hpo.testing.aws import Aws
from tests.command_line import PATIENCE, Hpo
from tests.sagemaker.conftest import BUCKET, job
from tests.sagemaker.test_jobs import Eventually, train

STEPS = """
last=$(cat "$CHECKPOINTS/step" 2>/dev/null || echo 0)
echo "from $last"
for step in $(seq $((last + 1)) 20); do
    echo "$step" > "$CHECKPOINTS/step"
    echo "loss=0.$step"
    if [ "$HALT$last$step" = yes010 ]; then echo "$HPO_TRIAL" >> "$FOLDER/halted"; sleep 1000; fi
done
"""
"""Twenty steps, gone on with after the last one that is in the checkpoints.

Where it is to HALT, a program that begins anew takes ten, and waits for what is to befall it.
"""

CHECKPOINTS = "/opt/ml/checkpoints"


def test_an_interrupted_trial_goes_on_from_its_checkpoint(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    options: dict[str, object] = {
        "spot": True,
        "max_wait": "2h",
        "max_run": "1h",
        "prices": {"ml.m5.large": 3600.0},
        "env": {"CHECKPOINTS": CHECKPOINTS, "HALT": "yes"},
    }
    job(hpo, train(hpo, STEPS), options=options, limits={"max_jobs": 3, "max_parallel_jobs": 2})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: sorted(hpo.text("halted").splitlines()) == ["1", "2"])
    one, _ = sorted(aws.running())
    aws.interrupt(one)
    eventually(lambda: sorted(hpo.text("halted").splitlines()) == ["1", "2", "3"])
    for name in aws.running():
        aws.interrupt(name)
    assert process.wait(PATIENCE) == 0
    status = hpo("status", "job", "--json").json
    assert (status["counts"]["completed"], status["interruptions"]) == (3, 3)
    jobs = [aws.client("sagemaker").describe_training_job(TrainingJobName=name) for name in aws.starts]
    billed = sum(each["BillableTimeInSeconds"] for each in jobs)
    assert status["cost"]["spent"] == pytest.approx(billed)  # at a price of one a second
    trained = sum(each["TrainingTimeInSeconds"] for each in jobs)
    assert status["cost"]["saved_by_spot"] == pytest.approx(trained - billed)
    for trial in hpo("trials", "job", "--json").json:
        assert trial["interruptions"] == 1
        log = hpo("logs", "job", str(trial["trial"])).out.splitlines()
        assert [line for line in log if line.startswith("from ")] == ["from 0", "from 10"]
        assert (log[0], log[-1]) == ("from 0", "loss=0.20")
    assert "interrupt" in hpo("status", "job").out


def test_each_trial_has_checkpoints_of_its_own_and_its_runs_share_them(hpo: Hpo, aws: Aws) -> None:
    options: dict[str, object] = {"spot": True, "env": {"CHECKPOINTS": CHECKPOINTS}}
    job(hpo, train(hpo, STEPS), options=options, limits={"max_jobs": 2})
    hpo("run", "spec.yaml")
    stored = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="hpo/checkpoints")["Contents"]
    keys = sorted(entry["Key"] for entry in stored)
    assert len(keys) == 2
    assert keys[0].rpartition("/")[0] != keys[1].rpartition("/")[0]


def test_each_repeat_is_a_training_job_of_its_own_and_begins_anew(hpo: Hpo, aws: Aws) -> None:
    options: dict[str, object] = {"spot": True, "env": {"CHECKPOINTS": CHECKPOINTS}}
    job(
        hpo,
        train(hpo, STEPS),
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
    assert process.wait(PATIENCE) == 0
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

"""Machines that are kept ready: reused by the next trial, and given back after the last."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import job
from tests.sagemaker.test_jobs import Eventually, train


def pools(aws: Aws) -> Counter[str]:
    """Count the training jobs by what became of the machines that they left."""
    client = aws.client("sagemaker")
    jobs = client.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    return Counter(entry.get("WarmPoolStatus", {}).get("Status", "none") for entry in jobs)


def reused(hpo: Hpo) -> Any:
    return hpo("status", "job", "--json").json["warm_pools"]


@pytest.mark.parametrize("slots", [1, 2])
def test_every_trial_but_the_first_ones_gets_machines_that_are_ready(hpo: Hpo, aws: Aws, slots: int) -> None:
    aws.settings.start_delay = 0.5
    program = train(hpo, "sleep 0.2\necho loss=0.$HPO_TRIAL\n")
    job(hpo, program, options={"keep_alive": "30m"}, limits={"max_jobs": 8, "max_parallel_jobs": slots})
    hpo("run", "spec.yaml")
    assert pools(aws) == {"Reused": 8 - slots, "Terminated": slots}
    assert reused(hpo)["reused"] == 8 - slots
    assert reused(hpo)["runs"] == 8
    assert reused(hpo)["saved_seconds"] > 0
    assert f"{8 - slots} of 8" in hpo("status", "job").out


def test_machines_are_given_back_as_soon_as_no_trial_is_to_come_for_them(
    hpo: Hpo, aws: Aws, eventually: Eventually
) -> None:
    wait = 'until [ -e "$FOLDER/go" ]; do sleep 0.02; done'
    program = train(hpo, f"[ $HPO_TRIAL = 1 ] || exec echo loss=2\n{wait}\necho loss=1\n")
    job(hpo, program, options={"keep_alive": "30m"}, limits={"max_jobs": 3, "max_parallel_jobs": 3})
    process = hpo.start("run", "spec.yaml")
    try:
        eventually(lambda: pools(aws)["Terminated"] == 2)
        assert len(aws.running()) == 1
    finally:
        hpo.write("go", "")
    assert process.wait() == 0
    assert pools(aws) == {"Terminated": 3}


def test_a_stop_gives_machines_back(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    program = train(hpo, "echo loss=1\n[ $HPO_TRIAL = 1 ] || sleep 60\n")
    job(hpo, program, options={"keep_alive": "30m"}, limits={"max_jobs": 5})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: aws.starts.total() == 2)
    hpo("stop", "job")
    assert process.wait() == 1
    assert "Available" not in pools(aws)
    assert not aws.running()


def test_machines_that_a_program_s_failure_left_are_reused(hpo: Hpo, aws: Aws) -> None:
    program = train(hpo, "echo loss=1\n[ $HPO_TRIAL != 2 ]\n")
    job(hpo, program, options={"keep_alive": "10m"}, limits={"max_jobs": 4})
    hpo("run", "spec.yaml")
    assert pools(aws) == {"Reused": 3, "Terminated": 1}


def test_machines_reused_around_a_sigkill_are_counted_and_paid(
    hpo: Hpo, aws: Aws, eventually: Eventually
) -> None:
    aws.settings.time_scale = 100.0
    wait = 'until [ $HPO_TRIAL != 3 ] || [ -e "$FOLDER/go" ]; do sleep 0.02; done'
    program = train(hpo, f'echo "$HPO_TRIAL" >> "$FOLDER/started"\n{wait}\necho loss=$HPO_TRIAL\n')
    options: dict[str, object] = {"keep_alive": "30m", "prices": {"ml.m5.large": 3600.0}}
    job(hpo, program, options=options, limits={"max_jobs": 5})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: "3" in hpo.text("started"))
    process.kill()
    process.wait()
    hpo.write("go", "")
    hpo("resume", "job")
    assert pools(aws) == {"Reused": 4, "Terminated": 1}
    assert reused(hpo)["reused"] == 4
    described = [aws.client("sagemaker").describe_training_job(TrainingJobName=name) for name in aws.starts]
    trained = sum(each["BillableTimeInSeconds"] for each in described)
    kept = sum(
        each["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"]
        for each in described
        if each["WarmPoolStatus"]["Status"] == "Reused"
    )
    assert kept > 0
    assert hpo("status", "job", "--json").json["cost"]["spent"] == pytest.approx(trained + kept)

"""What goes wrong at AWS, and what comes of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from hpo.testing.aws import Aws
from tests.command_line import PATIENCE, Hpo
from tests.sagemaker.conftest import job
from tests.sagemaker.test_jobs import TRAIN, train

Eventually = Callable[[Callable[[], object]], None]


def trials(hpo: Hpo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", "job", "--json").json
    return found


def waiting(hpo: Hpo) -> str:
    return json.dumps(hpo("status", "job", "--json").json["waiting"])


def test_a_program_that_fails_says_why(hpo: Hpo, aws: Aws) -> None:
    program = 'echo loss=1; echo "no data today" > "$SM_OUTPUT_DIR/failure"; exit 3\n'
    job(hpo, program, limits={"max_jobs": 1})
    hpo("run", "spec.yaml", status=1)
    assert [(trial["status"], trial["reason"], trial["attempts"]) for trial in trials(hpo)] == [
        ("failed", "exit status", 1)
    ]
    assert "exit status 3: no data today" in trials(hpo)[0]["detail"]


def test_data_that_cannot_be_read_is_no_fault_of_the_program(hpo: Hpo, aws: Aws) -> None:
    aws.settings.denied = {"s3:ListBucket"}
    job(hpo, train(hpo), inputs={"train": "s3://tuning/none"}, limits={"max_jobs": 1})
    hpo("run", "spec.yaml", status=1)
    (trial,) = trials(hpo)
    assert (trial["status"], trial["reason"]) == ("failed", "could not start")
    assert "s3://tuning/none" in trial["detail"]


def test_a_failure_of_the_service_is_tried_again(hpo: Hpo, aws: Aws) -> None:
    aws.settings.internal_errors = 0.5
    limits = {"max_jobs": 6, "max_parallel_jobs": 3}
    job(hpo, train(hpo, TRAIN + "sleep 0.3\n"), limits=limits, retry={"attempts": 10})
    hpo("run", "spec.yaml")
    assert {trial["status"] for trial in trials(hpo)} == {"completed"}
    assert sum(trial["attempts"] for trial in trials(hpo)) > 6


def test_where_there_is_no_machine_the_next_kind_is_tried(hpo: Hpo, aws: Aws) -> None:
    aws.settings.capacity = {"ml.p4d.24xlarge": 1}
    kinds = ["ml.p4d.24xlarge", "ml.g5.xlarge"]
    job(hpo, train(hpo), options={"instance_type": None, "instance_types": kinds}, limits={"max_jobs": 2})
    hpo("run", "spec.yaml")
    found = trials(hpo)
    assert [trial["status"] for trial in found] == ["completed", "completed"]
    assert [trial["machine"] for trial in found] == ["ml.g5.xlarge", "ml.g5.xlarge"]
    assert [trial["launcher_id"][-6:] for trial in found] == ["0001-2", "0002-1"]


def test_no_capacity_at_all_is_waited_for_and_no_attempt_is_lost(
    hpo: Hpo, aws: Aws, eventually: Eventually
) -> None:
    aws.settings.capacity = {"ml.m5.large": 3}
    job(hpo, train(hpo), limits={"max_jobs": 1}, retry={"attempts": 1})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: (hpo.home / "jobs/job/job.db").exists() and "CapacityError" in waiting(hpo))
    assert process.wait() == 0
    assert trials(hpo)[0]["status"] == "completed"


def test_a_quota_makes_trials_wait_and_says_so(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    aws.settings.quotas = {"ml.m5.large": 1}
    program = TRAIN + 'until [ -e "$FOLDER/go" ]; do sleep 0.02; done\n'
    job(hpo, train(hpo, program), limits={"max_jobs": 3, "max_parallel_jobs": 3})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: hpo.text("started") and "account-level service limit" in waiting(hpo))
    hpo.write("go", "")
    assert process.wait() == 0
    assert [trial["attempts"] for trial in trials(hpo)] == [1, 1, 1]
    assert sorted(hpo.text("started").splitlines()) == ["1 1", "2 1", "3 1"]


def test_expired_credentials_pause_the_job_until_they_are_renewed(
    hpo: Hpo, aws: Aws, eventually: Eventually
) -> None:
    program = TRAIN + 'until [ -e "$FOLDER/go-$HPO_TRIAL" ]; do sleep 0.02; done\n'
    job(hpo, train(hpo, program), limits={"max_jobs": 2})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: hpo.text("started"))
    aws.settings.expired = True
    eventually(lambda: "aws sso login" in waiting(hpo))  # of the running trial
    hpo.write("go-1", "")
    hpo.write("go-2", "")
    assert process.poll() is None
    aws.settings.expired = False
    assert process.wait() == 0
    assert {trial["status"] for trial in trials(hpo)} == {"completed"}


def test_trials_that_cannot_be_stopped_can_be_left(hpo: Hpo, aws: Aws, eventually: Eventually) -> None:
    job(hpo, train(hpo, TRAIN + "sleep 60\n"), limits={"max_jobs": 1})
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: hpo.text("started"))
    aws.settings.expired = True
    process.send_signal(signal.SIGINT)
    eventually(lambda: "stops them at once" in hpo.text("err"))
    process.send_signal(signal.SIGINT)
    eventually(lambda: "leaves them to themselves" in hpo.text("err"))
    eventually(lambda: "cannot be stopped yet: AWS does not take the credentials" in hpo.text("err"))
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert len(aws.running()) == 1
    aws.settings.expired = False
    hpo("stop", "job")
    assert not aws.running()


def test_what_is_not_permitted_is_said_with_the_action(hpo: Hpo, aws: Aws) -> None:
    aws.settings.denied = {"CreateTrainingJob"}
    job(hpo, train(hpo), limits={"max_jobs": 5})
    hpo("run", "spec.yaml", status=1)
    assert len(trials(hpo)) == 3  # the breaker
    assert "CreateTrainingJob is not permitted" in trials(hpo)[0]["detail"]


def test_a_run_that_takes_too_long_is_stopped_by_sagemaker(hpo: Hpo, aws: Aws) -> None:
    aws.settings.stop_grace = 0.2
    job(hpo, train(hpo, TRAIN + "sleep 60\n"), limits={"max_jobs": 1, "max_job_runtime": 1})
    hpo("run", "spec.yaml", status=1)
    (trial,) = trials(hpo)
    assert (trial["status"], trial["reason"]) == ("failed", "timeout")
    assert "SageMaker stopped it" in trial["detail"]


@pytest.mark.parametrize("shuffle", [0.0, 0.3])
def test_logs_that_come_late_and_out_of_order_are_read_to_the_last_line(
    hpo: Hpo, aws: Aws, shuffle: float
) -> None:
    aws.settings.log_delay = 0.3
    aws.settings.log_shuffle = shuffle
    aws.settings.log_shuffle_delay = 0.2
    lines = "".join(f"echo loss={step}\n" for step in range(40))
    job(hpo, lines, limits={"max_jobs": 2, "max_parallel_jobs": 2}, options={"poll": 0.3})
    hpo("run", "spec.yaml")
    for number in (1, 2):
        assert sorted(hpo("logs", "job", str(number)).out.splitlines()) == sorted(
            f"loss={step}" for step in range(40)
        )


def test_the_value_is_that_of_the_line_that_was_printed_last_whichever_comes_last(hpo: Hpo, aws: Aws) -> None:
    aws.settings.log_shuffle, aws.settings.log_shuffle_delay = 0.5, 0.6
    lines = "".join(f"echo loss={step}\nsleep 0.05\n" for step in range(12))
    job(hpo, lines, limits={"max_jobs": 3, "max_parallel_jobs": 3}, options={"poll": 0.3})
    hpo("run", "spec.yaml")
    came = [hpo("logs", "job", str(number)).out.splitlines()[-1] for number in (1, 2, 3)]
    assert set(came) != {"loss=11"}
    assert [(trial["value"], trial["detail"]) for trial in trials(hpo)] == [(11.0, None)] * 3


def test_where_the_log_does_not_come_the_value_is_the_one_that_sagemaker_read(hpo: Hpo, aws: Aws) -> None:
    aws.settings.log_delay = 600.0
    job(hpo, train(hpo), limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    (trial,) = trials(hpo)
    assert trial["value"] == pytest.approx(0.1)
    assert "no line of the log gave loss: its value is the one that sagemaker read" in trial["detail"]


def test_a_storm_of_throttling_and_server_errors_loses_and_doubles_nothing(hpo: Hpo, aws: Aws) -> None:
    aws.settings.throttling = 0.2
    aws.settings.server_errors = 0.1
    job(hpo, train(hpo), limits={"max_jobs": 12, "max_parallel_jobs": 4})
    hpo("run", "spec.yaml")
    assert sorted(hpo.text("started").splitlines()) == sorted(f"{number} 1" for number in range(1, 13))
    assert {trial["status"] for trial in trials(hpo)} == {"completed"}

"""How SageMaker's statuses and words read."""

from __future__ import annotations

import pytest

from hpo.core.trial import Reason, RunState
from hpo.launchers.sagemaker.answers import Described, Pool, PoolStatus, Status
from hpo.launchers.sagemaker.states import report, usage_of


def job(
    status: Status, secondary: str = "", failure: str = "", *, training: float | None = 60.0
) -> Described:
    return Described(
        name="job-1-0001-1",
        status=status,
        secondary=secondary or status.value,
        message="",
        failure=failure,
        created=100.0,
        started=280.0,
        ended=340.0,
        training_seconds=training,
        billable_seconds=training,
        metrics={"f1": 0.5},
        machines={"ml.m5.large": 1},
    )


@pytest.mark.parametrize(
    ("found", "state", "reason", "words"),
    [
        (job(Status.IN_PROGRESS, "Training"), RunState.RUNNING, None, ""),
        (job(Status.IN_PROGRESS, "Starting"), RunState.RUNNING, None, "SageMaker: Starting"),
        (job(Status.STOPPING), RunState.RUNNING, None, "SageMaker: Stopping"),
        (job(Status.COMPLETED), RunState.SUCCEEDED, None, ""),
        (job(Status.STOPPED), RunState.STOPPED, None, ""),
        (job(Status.STOPPED, "MaxRuntimeExceeded"), RunState.FAILED, Reason.TIMEOUT, "after 60 seconds"),
        (job(Status.STOPPED, "MaxWaitTimeExceeded"), RunState.FAILED, Reason.TIMEOUT, "launcher.max_wait"),
        (
            job(Status.STOPPED, "MaxWaitTimeExceeded", training=None),
            RunState.LOST,
            Reason.NO_CAPACITY,
            "no spot machine",
        ),
        (
            job(Status.FAILED, failure="AlgorithmError: no data, exit code: 3"),
            RunState.FAILED,
            Reason.EXIT_STATUS,
            "exit status 3: no data",
        ),
        (
            job(Status.FAILED, failure="AlgorithmError: , exit code: 1"),
            RunState.FAILED,
            Reason.EXIT_STATUS,
            "exit status 1",
        ),
        (
            job(Status.FAILED, failure="AlgorithmError: CUDA out of memory, exit code: 1"),
            RunState.FAILED,
            Reason.OUT_OF_MEMORY,
            "exit status 1: CUDA out of memory",
        ),
        (
            job(Status.FAILED, failure="ClientError: Please use an instance type with more memory"),
            RunState.FAILED,
            Reason.OUT_OF_MEMORY,
            "more memory",
        ),
        (
            job(Status.FAILED, failure="ClientError: Data download failed: no s3://a/b"),
            RunState.FAILED,
            Reason.COULD_NOT_START,
            "Data download failed",
        ),
        (
            job(Status.FAILED, failure="InternalServerError: try again"),
            RunState.LOST,
            Reason.LOST,
            "try again",
        ),
        (
            job(Status.FAILED, failure="CapacityError: Unable to provision"),
            RunState.LOST,
            Reason.NO_CAPACITY,
            "Unable to provision",
        ),
        (job(Status.FAILED, failure=""), RunState.LOST, Reason.LOST, "does not say why"),
    ],
)
def test_the_table_of_outcomes(found: Described, state: RunState, reason: Reason | None, words: str) -> None:
    outcome = report(found, usage_of(found, prices={}, before=None))
    assert (outcome.state, outcome.reason) == (state, reason)
    assert words in outcome.detail
    assert bool(outcome.metrics) is (state is RunState.SUCCEEDED)


def test_what_a_run_took_counts_the_machine_that_was_kept_for_it() -> None:
    before = Pool(PoolStatus.REUSED, idle_seconds=30.0, reused_by="job-1-0001-1")
    usage = usage_of(job(Status.COMPLETED), prices={"ml.m5.large": 3.6}, before=before)
    assert usage.start_seconds == 180.0
    assert usage.is_warm
    assert usage.cost == pytest.approx((60.0 + 30.0) * 0.001)

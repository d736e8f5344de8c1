"""hpo under SIGKILL while AWS throttles, fails and tells late: nothing is lost, nothing runs twice."""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter

import pytest

from hpo.testing.aws import Aws
from tests.command_line import PATIENCE, Hpo
from tests.sagemaker.conftest import job
from tests.sagemaker.test_jobs import train

TRIALS = 8
KILLS = 3

PROGRAM = """
echo "$HPO_TRIAL $HPO_RUN" >> "$FOLDER/started"
for step in 1 2 3; do echo "loss=$step.$HPO_TRIAL"; sleep 0.1; done
"""


def prepare(hpo: Hpo, aws: Aws, seed: int) -> None:
    settings = aws.settings
    settings.seed = seed
    settings.throttling, settings.server_errors = 0.1, 0.05
    settings.log_delay, settings.log_shuffle, settings.log_shuffle_delay = 0.1, 0.2, 0.1
    job(
        hpo,
        train(hpo, PROGRAM),
        seed=seed,
        limits={"max_jobs": TRIALS, "max_parallel_jobs": 3},
        options={"poll": 0.2},
    )


def kill_several_times(hpo: Hpo, rng: random.Random, *, times: int = KILLS) -> None:
    for _ in range(times):
        process = hpo.start("run", "spec.yaml", "--or-resume")
        try:
            process.wait(timeout=rng.uniform(0.5, 4.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(s, marks=pytest.mark.slow) for s in range(2, 24))]
)
def test_acceptance_15_nothing_is_lost_and_nothing_runs_twice(hpo: Hpo, aws: Aws, seed: int) -> None:
    prepare(hpo, aws, seed)
    kill_several_times(hpo, random.Random(seed))
    hpo("run", "spec.yaml", "--or-resume")
    started = Counter(hpo.text("started").splitlines())
    assert started == {f"{number} 1": 1 for number in range(1, TRIALS + 1)}
    trials = hpo("trials", "job", "--json").json
    assert [(trial["status"], trial["value"]) for trial in trials] == [
        ("completed", float(f"3.{number}")) for number in range(1, TRIALS + 1)
    ]
    for number in range(1, TRIALS + 1):
        lines = hpo("logs", "job", str(number)).out.splitlines()
        assert sorted(lines) == [f"loss={step}.{number}" for step in (1, 2, 3)]
    assert not aws.running()
    assert aws.starts.total() == TRIALS
    assert_refused_often(aws)


def assert_refused_often(aws: Aws) -> None:
    """See that AWS was the one that was meant: it refused about 15 % of the calls that it may refuse."""
    answers = [request.status for request in aws.requests if request.service in {"sagemaker", "logs"}]
    refused = sum(status >= 400 for status in answers)
    assert 0.03 * len(answers) < refused, (refused, len(answers))


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in range(1, 20))])
def test_acceptance_15_no_training_job_is_left_after_a_stop(hpo: Hpo, aws: Aws, seed: int) -> None:
    prepare(hpo, aws, seed)
    limits = {"max_jobs": TRIALS, "max_parallel_jobs": 3}
    job(hpo, train(hpo, PROGRAM + "sleep 60\n"), seed=seed, limits=limits, options={"poll": 0.2})
    rng = random.Random(seed)
    kill_several_times(hpo, rng, times=1)
    process = hpo.start("run", "spec.yaml", "--or-resume")
    try:
        process.wait(timeout=rng.uniform(1.0, 4.0))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
    if process.wait(PATIENCE) == -signal.SIGTERM:  # before it could handle signals
        hpo("stop", "job", status=None)
    assert not aws.running()

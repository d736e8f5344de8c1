"""A hundred trials at a time: all followed, and AWS asked no more often than is allowed."""

from __future__ import annotations

import bisect

import pytest

from hpo.testing.aws import Aws
from tests.command_line import Hpo
from tests.sagemaker.conftest import job
from tests.sagemaker.test_jobs import train


def busiest_second(aws: Aws) -> int:
    """Return the most requests, to whichever service, of any second."""
    times = sorted(request.at for request in aws.requests)
    return max(bisect.bisect_left(times, start + 1.0) - place for place, start in enumerate(times))


@pytest.mark.slow
def test_a_hundred_trials_are_followed_within_ten_requests_a_second(hpo: Hpo, aws: Aws) -> None:
    program = train(hpo, "for step in $(seq 10); do echo loss=0.$step$HPO_TRIAL; sleep 1; done\n")
    options: dict[str, object] = {"poll": 5.0, "requests_per_second": 10}
    job(hpo, program, options=options, limits={"max_jobs": 100, "max_parallel_jobs": 100})
    aws.requests.clear()
    process = hpo.start("run", "spec.yaml")
    assert process.wait() == 0
    assert busiest_second(aws) <= 10
    values = [trial["value"] for trial in hpo("trials", "job", "--json").json]
    assert values == [float(f"0.10{number}") for number in range(1, 101)]

"""The emulated AWS, with processes, emptied for each test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from hpo.testing.aws import Aws, AwsSettings
from tests.aws.training import Training


def quick(runner: str) -> AwsSettings:
    return AwsSettings(runner=runner, start_delay=0.02, stop_grace=1.0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[Training]:
    """One for a module."""
    with Aws(quick("process")) as aws:
        training = Training(aws)
        yield training
        training.close()


@pytest.fixture
def training(server: Training) -> Iterator[Training]:
    aws = server.aws
    for name, value in dataclasses.asdict(quick("process")).items():
        setattr(aws.settings, name, value)
    aws.reset()
    server.begin()
    aws.requests.clear()
    yield server
    aws.reset()
    assert not aws.running()


@pytest.fixture
def aws(training: Training) -> Aws:
    return training.aws

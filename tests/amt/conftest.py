"""An AWS with tuning jobs, which boto3 finds by the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hpo.testing.aws import Aws, AwsSettings
from tests.sagemaker.permissions import HPO_KEY, allowed, needed


@pytest.fixture(scope="module")
def emulator() -> Iterator[Aws]:
    with Aws(AwsSettings(runner="process", start_delay=0.0)) as aws:
        yield aws


@pytest.fixture
def aws(emulator: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An AWS without any tuning job."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HPO_KEY)
    settings = emulator.settings
    settings.denied, settings.expired, settings.faults = set(), False, {}
    emulator.reset()
    yield emulator
    assert needed(emulator) <= allowed(), "docs/sagemaker-policy.json lacks what hpo has asked for"
    settings.denied, settings.expired, settings.faults = set(), False, {}

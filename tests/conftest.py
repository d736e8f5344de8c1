"""What several suites share."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import docker_engine, services
from tests.command_line import PATIENCE, Hpo
from tests.s3_server import S3Server


def pytest_configure() -> None:
    """Let signals end programs, also in the background or under nohup; let no example run out of time.

    There SIGINT and SIGHUP are ignored, which every program that is started inherits.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("hpo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("hpo")  # how long an example takes says how busy the machine is
    services.read_once()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs a Docker engine where none answers, or fail it where one is required."""
    if item.get_closest_marker("docker") and (why := docker_engine.missing()):
        (pytest.fail if docker_engine.is_required() else pytest.skip)(why)


@pytest.fixture
def hpo(tmp_path: Path) -> Iterator[Hpo]:
    """The command line in a folder of its own; what it leaves running is killed in the end."""
    yield from _in(tmp_path)


@pytest.fixture(scope="module")
def shared_hpo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hpo]:
    """The command line in a folder that a module's tests share, as for looking at one job."""
    yield from _in(tmp_path_factory.mktemp("shared"))


def _in(folder: Path) -> Iterator[Hpo]:
    hpo = Hpo(folder)
    yield hpo
    hpo.kill()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until a condition holds, or fail."""

    def wait(condition: Callable[[], object], patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """The one S3 of all tests."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An S3 with one empty bucket, which boto3 finds by the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    s3_server.reset()
    yield s3_server
    s3_server.reset()

"""What the suites of containers share."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import docker_engine
from tests.command_line import Hpo
from tests.docker.containers import containers, docker


@pytest.fixture
def hpo(tmp_path: Path) -> Iterator[Hpo]:
    """The command line in a folder of its own; what it leaves is killed, and its containers removed."""
    hpo = Hpo(tmp_path)
    yield hpo
    hpo.kill()
    if not docker_engine.missing() and (left := containers(tmp_path)):
        docker("rm", "--force", "--volumes", *left)


@pytest.fixture
def only_doctor() -> Iterator[None]:
    """Let no other test's doctor clean up meanwhile: it would remove what this test's is to remove."""
    with (Path(tempfile.gettempdir()) / "hpo-tests-doctor").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield

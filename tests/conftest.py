"""What several suites share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import PATIENCE, Hpo


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

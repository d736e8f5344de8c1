from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launchers.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine on which no process of a run is left afterwards."""
    machine = Machine(tmp_path)
    yield machine
    for trial in range(1, 5):
        for pid in machine.processes(trial):
            os.kill(pid, signal.SIGKILL)

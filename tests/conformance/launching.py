"""Launching on a stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hpo.core.trial import Launch
from hpo.launchers.launcher import Launcher
from tests.conformance.stages import Stage


def launch(trial: int = 1, run: int = 1) -> Launch:
    return Launch("job", trial, run, {"lr": 0.1})


@asynccontextmanager
async def launcher_on(stage: Stage) -> AsyncIterator[Launcher]:
    launcher = stage.launcher()
    try:
        yield launcher
    finally:
        await launcher.close()


def told(stage: Stage, printed: bytes) -> bytes:
    """Return how a log comes: as it was printed, or as lines of text."""
    if not stage.tells_lines:
        return printed
    text = printed.decode(errors="replace")
    return (text if text.endswith("\n") else f"{text}\n").encode()

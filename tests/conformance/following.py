"""Following runs in tests, as the scheduler does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hpo.core.trial import JobHandle, RunReport
from hpo.launchers.launcher import Launcher
from tests.command_line import PATIENCE

T = TypeVar("T")


def patiently(test: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine, and fail if it takes far too long."""
    return asyncio.run(asyncio.wait_for(test, PATIENCE))


class Follower:
    """Follows one run as the scheduler does: the state first, then the log."""

    def __init__(self, launcher: Launcher, handle: JobHandle, cursor: str = "") -> None:
        self.launcher = launcher
        self.handle = handle
        self.cursor = cursor
        self.chunks: list[bytes] = []

    @property
    def log(self) -> bytes:
        return b"".join(self.chunks)

    async def look(self) -> RunReport:
        report = (await self.launcher.poll([self.handle]))[self.handle]
        more = True
        while more:
            chunk = await self.launcher.read(self.handle, self.cursor, ended=report.state.is_final)
            self.cursor, more = chunk.cursor, chunk.more
            if chunk.data:
                self.chunks.append(chunk.data)
        return report

    async def until(self, text: bytes) -> None:
        while text not in self.log:
            await self.launcher.changed([self.handle])
            report = await self.look()
            assert text in self.log or not report.state.is_final, (report, self.log)

    async def end(self) -> RunReport:
        while not (report := await self.look()).state.is_final:
            await self.launcher.changed([self.handle])
        return report

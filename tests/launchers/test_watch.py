"""Waiting for changes of processes."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.following import patiently
from tests.launchers.machine import Machine


def test_a_log_with_more_to_read_is_a_change(machine: Machine) -> None:
    async def test() -> None:
        async with machine.following(
            machine.launcher("head -c 3000000 /dev/zero | tr '\\0' '\\n'; sleep 1000")
        ) as run:
            read = 0
            while read < 3_000_000:  # a chunk at a time
                await run.launcher.changed([run.handle])
                await run.launcher.poll([run.handle])
                chunk = await run.launcher.read(run.handle, str(read), ended=False)
                read = int(chunk.cursor)
            await run.launcher.stop(run.handle, at_once=True)
            await run.end()

    patiently(test())


def test_quiet_runs_are_no_change(machine: Machine) -> None:
    async def test() -> None:
        async with machine.following(machine.launcher("echo here; sleep 1000")) as run:
            await run.until(b"here\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(run.launcher.changed([run.handle]), 0.5)
            await run.launcher.stop(run.handle, at_once=True)
            await run.end()

    patiently(test())

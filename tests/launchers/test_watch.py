"""Waiting for changes of processes."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.following import Follower, patiently
from tests.launchers.machine import Machine


def test_quiet_runs_are_no_change(machine: Machine) -> None:
    async def test() -> None:
        launcher = machine.launcher("echo here; sleep 1000")
        run = Follower(launcher, await launcher.launch(machine.launch()))
        await run.until(b"here\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(launcher.changed([run.handle]), 0.5)
        await launcher.stop(run.handle, at_once=True)
        await run.end()
        await launcher.close()

    patiently(test())

"""One run by itself, outside of any job: a try before a job is started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hpo.core.trial import JobHandle, Launch, RunReport
from hpo.errors import Preparing
from hpo.launchers.launcher import Launcher


async def rehearse(launcher: Launcher, launch: Launch, show: Callable[[bytes], None]) -> RunReport:
    """Run a launch to its end, give its log to `show` as it grows, and return how it ended.

    A cancelled rehearsal stops the run at once, and returns when nothing of it is left; one that is
    cancelled again while it still launches no longer waits for that.
    """
    launching = asyncio.ensure_future(launcher.launch(launch))
    report: RunReport | None = None
    handle: JobHandle | None = None
    try:
        while handle is None:
            try:
                # A launch that is cut off may have started the run all the same.
                handle = await asyncio.shield(launching)
            except Preparing:
                launching = asyncio.ensure_future(launcher.launch(launch))
        cursor = ""
        while True:
            await launcher.changed([handle])
            report = (await launcher.poll([handle]))[handle]
            more = True
            while more:
                chunk = await launcher.read(handle, cursor, ended=report.state.is_final)
                show(chunk.data)
                cursor, more = chunk.cursor, chunk.more
            if report.state.is_final:
                return report
    finally:
        try:
            if report is None or not report.state.is_final:
                await _end(launcher, launch, launching)
        finally:
            await launcher.close()


async def _end(launcher: Launcher, launch: Launch, launching: asyncio.Future[JobHandle]) -> None:
    try:
        await asyncio.wait([launching])
    finally:
        if handle := await launcher.find(launch):
            await launcher.stop(handle, at_once=True)
            while not (await launcher.poll([handle]))[handle].state.is_final:
                await launcher.changed([handle])

"""Effects made real: each awaits what the launcher does and returns the event that came of it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from hpo.core.effects import Abandon, Start, Stop
from hpo.core.events import Abandoned, Deferred, Event, Launched, LaunchFailed, Observed, StopSent
from hpo.core.progress import stand_ins
from hpo.core.trial import JobHandle, Launch, Reason, RunReport, RunState, Trial
from hpo.errors import CannotStart, DiskFull, LauncherError
from hpo.launchers.launcher import Launcher
from hpo.metrics.scan import Scan, Scanner
from hpo.scheduler.clock import Clock

RETRY_AFTER = 1.0
"""Seconds until a launch is tried again that the launcher could not take."""

SCANNED_AT_ONCE = 2**16
"""Bytes of log that are scanned without handing them to a thread."""

LOG_FOR_ADVICE = 8 * 2**20
"""Bytes from the beginning, and again from the end, of a log that the metric doctor looks at."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads the logs of an algorithm's runs; `advise` turns one without an objective into advice."""

    scanner: Scanner
    advise: Callable[[bytes], str]


class Performer:
    """Performs effects on a launcher; `readers` are by algorithm, with None for a job without several."""

    def __init__(
        self,
        launcher: Launcher,
        *,
        readers: Mapping[str | None, Reader],
        objectives: Collection[str],
        clock: Clock,
    ) -> None:
        self._launcher = launcher
        self._readers = readers
        self._objectives = frozenset(objectives)
        self._clock = clock

    async def start(self, effect: Start) -> Event:
        """Start a run; where it must wait, say so; where it never can start, fail it.

        Raises DiskFull.
        """
        launch, began = effect.launch, self._clock.now()
        try:
            handle = await self._launcher.launch(launch)
        except CannotStart as error:
            return self._failed(launch, str(error))
        except LauncherError as error:
            now = self._clock.now()
            return Deferred(launch.trial, launch.run, str(error), now + RETRY_AFTER, now)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFull(
                    f"no space is left to launch trial {launch.trial} ({error}); what was committed is "
                    f"safe: free some space, then go on with `hpo resume {launch.job}`"
                ) from error
            return self._failed(launch, str(error))
        return Launched(launch.trial, launch.run, handle, began)

    def _failed(self, launch: Launch, why: str) -> LaunchFailed:
        return LaunchFailed(launch.trial, launch.run, Reason.COULD_NOT_START, why, self._clock.now())

    async def abandon(self, effect: Abandon) -> Event:
        """Find a queued run launched after all, or give it up."""
        launch = effect.launch
        handle = await self._launcher.find(launch)
        now = self._clock.now()
        if handle is None:
            return Abandoned(launch.trial, launch.run, now)
        return Launched(launch.trial, launch.run, handle, now)

    async def stop(self, effect: Stop) -> Event:
        """Tell a run to stop."""
        await self._launcher.stop(effect.handle, at_once=effect.at_once)
        return StopSent(effect.trial, effect.run, effect.at_once, self._clock.now())

    async def look(self, trials: Mapping[JobHandle, Trial]) -> list[Observed]:
        """Look at some runs: first at the state of each, then at its log, so that no last line is lost."""
        reports = await self._launcher.poll(list(trials))
        return [await self._observe(handle, trial, reports[handle]) for handle, trial in trials.items()]

    async def _observe(self, handle: JobHandle, trial: Trial, report: RunReport) -> Observed:
        run, reader = trial.run, self._readers[trial.algorithm]
        chunk = await self._launcher.read(handle, run.cursor, ended=report.state.is_final)
        scan = await _scan(reader.scanner, chunk.data)
        is_last = report.state.is_final and not chunk.more
        given = stand_ins(report, run.progress, scan.matches) if is_last else ()
        matches = (*scan.matches, *given)
        found = run.progress.counts.keys() | {match.metric for match in matches}
        mute = report.state is RunState.SUCCEEDED and not chunk.more and not self._objectives <= found
        return Observed(
            trial.number,
            run.number,
            report,
            matches,
            since=run.cursor,
            cursor=chunk.cursor,
            at=self._clock.now(),
            more=chunk.more,
            advice=await asyncio.to_thread(reader.advise, await self._log(handle)) if mute else "",
            stand_ins=len(given),
        )

    async def _log(self, handle: JobHandle) -> bytes:
        """Return a run's whole log, or a long one's beginning and end."""
        head, tail, cursor, more = bytearray(), bytearray(), "", True
        while more:
            chunk = await self._launcher.read(handle, cursor, ended=True)
            more = chunk.more and chunk.cursor != cursor
            cursor = chunk.cursor
            (head if len(head) < LOG_FOR_ADVICE else tail).extend(chunk.data)
            if len(tail) > 2 * LOG_FOR_ADVICE:
                del tail[:-LOG_FOR_ADVICE]
        return bytes(head + tail)


async def _scan(scanner: Scanner, data: bytes) -> Scan:
    """Find the metrics of a piece of log; a large one is left to a thread, so that nothing waits."""
    if len(data) < SCANNED_AT_ONCE:
        return scanner.scan(data)
    return await asyncio.to_thread(scanner.scan, data)

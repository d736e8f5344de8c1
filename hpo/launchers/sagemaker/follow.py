"""Following one training job: its log into the run's, its end into the run's record."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hpo.core.trial import RunReport, RunState
from hpo.core.usage import Usage
from hpo.launchers.end_record import End, read_end, write_end
from hpo.launchers.indexed_log import CopyBusy
from hpo.launchers.sagemaker.answers import Described, LogEvent, Summary
from hpo.launchers.sagemaker.api import Api
from hpo.launchers.sagemaker.faults import Fault
from hpo.launchers.sagemaker.log_copy import LogCopy, copied
from hpo.launchers.sagemaker.states import gone, report

SILENCES = 3.0
"""Times the pause between two looks for which an ended job's log must be quiet, where nothing tells that
all of it has come."""

_LONGEST_PAUSE = 30.0
"""Seconds between two looks at the most, while AWS does not answer."""

_UNHEARD = 120.0
"""Seconds without a word of it after which a training job is asked for by its name."""

_APPEARS_WITHIN = 60.0
"""Seconds after its launch in which a training job may not be known yet."""

_FULL = 900_000
"""Bytes of a page of events that is probably not the last one."""

_BEFORE_TRAINING = frozenset(
    {
        "",
        "Starting",
        "Pending",
        "LaunchingMLInstances",
        "PreparingTrainingStack",
        "Downloading",
        "DownloadingTrainingImage",
    }
)
"""Secondary statuses in which a program has printed nothing."""

_NOT_WAITING = frozenset({"", "Training", "Uploading", "Completed"})
_WORTH_TELLING = 2.0
"""Times the pause between two looks for which a run waits before that is told."""

_SAME = 1e-6
"""The relative difference within which two numbers are one, as AWS keeps 32 bits of each."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all followers of a job share."""

    api: Api
    every: float  # seconds between two looks at a log
    last_values: Callable[[bytes], Mapping[str, float]]  # of each metric in a piece of log
    usage: Callable[[Described], Awaitable[Usage]]
    trouble: Callable[[], str]  # why nothing is heard of any run at the moment
    ended: Callable[[Described], None]  # told as soon as a training job has, before its log is complete


class Follower:
    """Follows one run to its end; calls `changed` when there is news of it.

    `trouble` says what the run waits for, or why it cannot be followed at the moment.
    """

    def __init__(
        self, around: Surroundings, folder: Path, name: str, *, is_new: bool, changed: Callable[[], object]
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / "log"
        self.end: RunReport | None = None
        self.trouble = ""
        self._around = around
        self._changed = changed
        self._job: Described | None = None
        self._outcome: RunReport | None = None
        self._secondary = ""
        self._entered = asyncio.get_running_loop().time()
        self._heard = asyncio.get_running_loop().time()
        self._launched = self._heard if is_new else -math.inf
        self._must_describe = not is_new
        self._streams: list[str] = []
        self._tokens: dict[str, str] = {}
        self._latest: dict[str, float] = {}
        self._copy: LogCopy | None = None
        self._size_aside = 0
        self._news = asyncio.Event()

    def note(self, summary: Summary) -> None:
        """Take in what a list says of the training job."""
        self._heard = asyncio.get_running_loop().time()
        if self._job is not None and self._job.status.is_final:
            return
        if summary.status.is_final or (not summary.secondary and self._is_changed(summary)):
            self._must_describe = True
            self._news.set()
        elif summary.secondary != self._secondary:
            self._enter(summary.secondary)
            self._news.set()

    def _enter(self, secondary: str) -> None:
        if secondary != self._secondary:
            self._secondary = secondary
            self._entered = asyncio.get_running_loop().time()
            if secondary == "Training":  # after an interruption that may be on another machine
                self._streams = []

    def _is_changed(self, summary: Summary) -> bool:
        return self._job is None or summary.status is not self._job.status or not self._job.started

    async def follow(self) -> None:
        """Return once the end of the run is written down. Raises OSError where there is no room for it."""
        pause = self._around.every
        try:
            while self.end is None:
                try:
                    await self._look()
                    pause = self._around.every
                except CopyBusy:
                    self._look_aside()
                except Fault as error:
                    self._say(str(error))
                    pause = min(2 * pause, _LONGEST_PAUSE)
                if self.end is None:
                    await self._wait(pause)
        finally:
            if self._copy is not None:
                self._copy.close()

    async def _wait(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._must_describe or now - self._heard > _UNHEARD:
            self._job = await self._around.api.describe(self.name)
            self._heard = now
            if self._job is None and now - self._launched > _APPEARS_WITHIN:
                await self._write_down(gone(self.name))
                return
            self._must_describe = self._job is None
            self._enter(self._job.secondary if self._job is not None else "")
        if self._job is not None and self._job.status.is_final:
            await self._finish(self._job)
            return
        if self._secondary not in _BEFORE_TRAINING:
            await self._copy_log()
        self._say(self._waits_for())

    def _waits_for(self) -> str:
        """Return what holds up a training job for so long that it is worth telling, or why nobody knows."""
        if trouble := self._around.trouble():
            return trouble
        lasted = asyncio.get_running_loop().time() - self._entered
        if self._secondary in _NOT_WAITING or lasted < _WORTH_TELLING * self._around.every:
            return ""
        message = self._job.message if self._job and self._job.secondary == self._secondary else ""
        return f"SageMaker: {self._secondary}{f': {message}' if message else ''}"

    async def _finish(self, job: Described) -> None:
        """Read the log until it is quiet, then write down the end of the run."""
        clock = asyncio.get_running_loop().time
        if self._outcome is None:
            self._around.ended(job)
            self._outcome = report(job, await self._around.usage(job))
        outcome, quiet_since = self._outcome, clock()
        self._streams = []  # the last lines may be in one that was not there before
        while True:
            if await self._copy_log(whole=True):
                quiet_since = clock()
            left = quiet_since + self._silence(job, outcome) - clock()
            if left <= 0:
                if not await self._complete_log():
                    break
                quiet_since = clock()
                continue
            await asyncio.sleep(min(left, self._around.every))
        copy = await self._opened()
        latest = await self._around.api.in_thread(lambda: self._latest_in_time(copy))
        await self._write_down(replace(outcome, latest=latest))

    def _silence(self, job: Described, outcome: RunReport) -> float:
        """Return for how long an ended training job's log must be quiet to be complete."""
        if outcome.state is RunState.STOPPED:
            return 0.0
        has_all = job.metrics and all(
            name in self._latest and math.isclose(self._latest[name], value, rel_tol=_SAME)
            for name, value in job.metrics.items()
        )
        return self._around.every * (1.0 if has_all else SILENCES)

    async def _copy_log(self, *, whole: bool = False) -> bool:
        """Copy what is new of the log, with `whole` up to its end; return whether there was anything."""
        count = self._job.count if self._job is not None else 1
        if len(self._streams) < count:
            self._streams = await self._around.api.streams(self.name)
        any_news = False
        for stream in self._streams:
            while True:
                copy = await self._opened()
                token = self._tokens.get(stream, "")
                since = None if token else copy.since(stream)
                page = await self._around.api.events(stream, token=token, since=since)
                self._tokens[stream] = page.token
                any_news = await self._take(copy, stream, page.events) or any_news
                is_full = sum(len(event.message) for event in page.events) > _FULL
                if page.token == token or not (whole or is_full):
                    break
        return any_news

    async def _complete_log(self) -> bool:
        """Append what came late of each stream; return whether there was anything."""
        any_news = False
        for stream in self._streams:
            copy = await self._opened()
            events = [event async for page in self._around.api.pages(stream) for event in page.events]
            data = await self._around.api.in_thread(lambda c=copy, s=stream, e=events: c.complete(s, e))  # type: ignore[misc]
            any_news = self._took(data) or any_news
        return any_news

    async def _opened(self) -> LogCopy:
        """Return the copy of the log; what is in it already counts. Raises CopyBusy and OSError."""
        if self._copy is None:
            self._copy = await self._around.api.in_thread(lambda: LogCopy(self.log))
            self._latest.update(await self._around.api.in_thread(self._read_values))
        return self._copy

    def _read_values(self) -> Mapping[str, float]:
        return self._around.last_values(self.log.read_bytes()[: copied(self.log)])

    def _latest_in_time(self, copy: LogCopy) -> Mapping[str, float]:
        """Return the last values by the times of their lines; nothing where the log is in that order."""
        log = copy.in_time()
        return {} if log is None else self._around.last_values(log)

    async def _take(self, copy: LogCopy, stream: str, events: tuple[LogEvent, ...]) -> bool:
        if not events:
            return False
        return self._took(await self._around.api.in_thread(lambda: copy.add(stream, events)))

    def _took(self, data: bytes) -> bool:
        if data:
            self._latest.update(self._around.last_values(data))
            self._changed()
        return bool(data)

    def _look_aside(self) -> None:
        """Where another one copies the log, see how far it has come."""
        if (end := read_end(self.folder)) is not None:
            self.end = end.report
        if (size := copied(self.log)) != self._size_aside or self.end is not None:
            self._size_aside = size
            self._changed()

    async def _write_down(self, outcome: RunReport) -> None:
        if (end := read_end(self.folder)) is None:  # another one may have been quicker
            end = End(self.name, outcome)
            await self._around.api.in_thread(
                lambda: write_end(self.folder, self.log, End(self.name, outcome))
            )
        self.end = end.report
        self._changed()

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

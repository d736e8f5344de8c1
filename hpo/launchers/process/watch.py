"""Noticing that local runs changed: that their logs grew, or that they ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from hpo.core.trial import JobHandle
from hpo.launchers.process.events import RunEvents
from hpo.launchers.process.folder import LOG, STATE, Place, state

SHORTEST, LONGEST = 0.005, 0.1
"""Seconds between two looks at runs without events: doubled while nothing changes."""

SURELY = 5.0
"""Seconds after which runs without events count as changed: their guard may have been killed."""


class RunWatch:
    """Tells which runs may have changed, by `events` where the system has them, else by looking.

    A run is new to the first call; from then on, what changed counts as changed until it is `seen`.
    """

    def __init__(self, *, events: bool = True) -> None:
        self._wants_events = events
        self._events: RunEvents | None = None
        self._runs: dict[JobHandle, Place] = {}
        self._changed: set[JobHandle] = set()
        self._wake = asyncio.Event()
        self._silent: dict[JobHandle, tuple[Place, int]] = {}  # runs without events, and their files' size
        self._looking: asyncio.Task[None] | None = None

    async def changed(self, runs: Mapping[JobHandle, Place]) -> set[JobHandle]:
        """Wait until some of the runs may have changed, and return those; all others are forgotten."""
        for handle in self._runs.keys() - runs.keys():
            self._forget(handle)
        for handle in runs.keys() - self._runs.keys():
            self._follow(handle, runs[handle])
        while not self._changed:
            self._wake.clear()
            await self._wake.wait()
        return set(self._changed)

    def seen(self, handle: JobHandle) -> None:
        """Take note that a run is looked at now: from here on it has not changed."""
        self._changed.discard(handle)

    def mark(self, handle: JobHandle) -> None:
        """Take note that a run may have changed."""
        if handle in self._runs:
            self._changed.add(handle)
            self._wake.set()

    def close(self) -> None:
        """Forget all runs."""
        for handle in tuple(self._runs):
            self._forget(handle)
        if self._looking is not None:
            self._looking.cancel()
        if self._events is not None:
            self._events.close()
            self._events = None

    def _follow(self, handle: JobHandle, place: Place) -> None:
        self._runs[handle] = place
        try:
            if not self._wants_events:
                raise OSError("events are not wanted")
            self._events = self._events or RunEvents(self.mark, self._look_after)
            self._events.follow(handle, place)
            news = _has_news(place)
        except OSError:  # no events on this system, or its limits are reached, or the run is gone
            self._look_after(handle, place)
            news = True
        if news:
            self.mark(handle)

    def _forget(self, handle: JobHandle) -> None:
        del self._runs[handle]
        self._changed.discard(handle)
        self._silent.pop(handle, None)
        if self._events is not None:
            self._events.forget(handle)

    def _look_after(self, handle: JobHandle, place: Place) -> None:
        self._silent[handle] = (place, _size(place))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        """Look at the runs without events, as long as there are any."""
        pause, since = SHORTEST, 0.0
        while self._silent:
            await asyncio.sleep(pause)
            since += pause
            changed = False
            for handle, (place, size) in self._silent.items():
                if size != (now := _size(place)) or since >= SURELY:
                    changed = True
                    self._silent[handle] = (place, now)
                    self.mark(handle)
            pause = SHORTEST if changed else min(2 * pause, LONGEST)
            since = 0.0 if since >= SURELY else since


def _has_news(place: Place) -> bool:
    try:
        return _size_of(Path(place.folder, LOG)) > 0 or state(place.folder)[1] is not None
    except ValueError:  # damaged
        return True


def _size(place: Place) -> int:
    return sum(_size_of(Path(place.folder, name)) for name in (LOG, STATE))


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""What Linux tells of local runs by itself: that a log grew, that a run ended, that a guard died."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from hpo.core.trial import JobHandle
from hpo.launchers.process.folder import LOG, STATE, Place
from hpo.launchers.process.identity import open_pidfd
from hpo.launchers.process.inotify import Inotify

GATHER = 0.002
"""Seconds from a log's growth until it is told of, with all growth until then; an end is told of at once."""


class RunEvents:
    """Calls `changed` when something may have changed about a run. Raises OSError where there are no events.

    A run whose folder was deleted can't be listened to any more: it is passed to `lost_sight`.
    """

    def __init__(
        self, changed: Callable[[JobHandle], None], lost_sight: Callable[[JobHandle, Place], None]
    ) -> None:
        self._changed = changed
        self._lost_sight = lost_sight
        self._loop = asyncio.get_running_loop()
        self._runs: dict[
            JobHandle, tuple[Place, int, int]
        ] = {}  # with inotify's descriptors of state and log
        self._by_state: dict[int, JobHandle] = {}
        self._by_log: dict[int, JobHandle] = {}
        self._guards: dict[str, int] = {}  # identity → pidfd
        self._gathering: asyncio.TimerHandle | None = None
        self._states = Inotify()
        try:
            self._logs = Inotify()
        except OSError:
            self._states.close()
            raise
        self._loop.add_reader(self._states.fd, self._hear_states)
        self._listen_to_logs()

    def follow(self, handle: JobHandle, place: Place) -> None:
        """Listen to a run. Raises OSError where that is impossible."""
        if place.guard not in self._guards:
            self._guards[place.guard] = pidfd = open_pidfd(place.guard)
            self._loop.add_reader(pidfd, self._end_guard, place.guard)
        state = self._states.add(f"{place.folder}/{STATE}")
        self._by_state[state] = handle
        try:
            log = self._logs.add(f"{place.folder}/{LOG}")
        except OSError:
            self._states.remove(state)
            del self._by_state[state]
            raise
        self._by_log[log] = handle
        self._runs[handle] = (place, state, log)

    def forget(self, handle: JobHandle) -> None:
        """Listen to a run no more."""
        if handle in self._runs:
            _, state, log = self._runs.pop(handle)
            del self._by_state[state], self._by_log[log]
            self._states.remove(state)
            self._logs.remove(log)

    def close(self) -> None:
        """Listen to nothing any more."""
        if self._gathering is not None:
            self._gathering.cancel()
        for inotify in (self._states, self._logs):
            self._loop.remove_reader(inotify.fd)
            inotify.close()
        for pidfd in self._guards.values():
            self._loop.remove_reader(pidfd)
            os.close(pidfd)

    def _hear_states(self) -> None:
        heard = self._states.read()
        for state in tuple(self._by_state.keys() if heard is None else heard & self._by_state.keys()):
            handle = self._by_state[state]
            self._changed(handle)
            place = self._runs[handle][0]
            if not Path(place.folder, STATE).exists():
                self.forget(handle)
                self._lost_sight(handle, place)

    def _listen_to_logs(self) -> None:
        self._loop.add_reader(self._logs.fd, self._hear_logs)

    def _hear_logs(self) -> None:
        """Wait a little for more: a program that prints much, or prints and ends, is looked at once."""
        self._loop.remove_reader(self._logs.fd)
        self._gathering = self._loop.call_later(GATHER, self._take_logs)

    def _take_logs(self) -> None:
        heard = self._logs.read()
        for log in self._by_log.keys() if heard is None else heard & self._by_log.keys():
            self._changed(self._by_log[log])
        self._listen_to_logs()

    def _end_guard(self, guard: str) -> None:
        pidfd = self._guards.pop(guard)
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        for handle, (place, _, _) in self._runs.items():
            if place.guard == guard:
                self._changed(handle)

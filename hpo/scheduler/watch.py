"""Following the launched runs: wait until some change, look at those, and begin again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence

from hpo.core.events import Event, Observed
from hpo.core.trial import JobHandle, Trial
from hpo.launchers.launcher import Launcher

Look = Callable[[Mapping[JobHandle, Trial]], Coroutine[None, None, list[Observed]]]
Deliver = Callable[[Sequence[Event] | BaseException], None]


class Watcher:
    """Looks at runs whenever they change; what it saw is delivered, and taken in, before it looks again.

    A log with more to read than one look takes is looked at again at once, in turn with the others.
    """

    def __init__(self, launcher: Launcher, look: Look, deliver: Deliver) -> None:
        self._launcher = launcher
        self._look = look
        self._deliver = deliver
        self._trials: Mapping[JobHandle, Trial] = {}
        self._unread: set[JobHandle] = set()
        self._looking: asyncio.Task[list[Observed]] | None = None
        self._waiting: asyncio.Task[Collection[JobHandle]] | None = None
        self._awaited: frozenset[JobHandle] = frozenset()
        self._is_current = True  # `_trials` are as what was seen has left them

    def follow(self, trials: Mapping[JobHandle, Trial]) -> None:
        """Follow these runs from now on; called whenever the job changed, all that was seen taken in."""
        self._trials, self._is_current = trials, True
        if self._looking is not None or not trials:
            return
        if self._waiting is None or (not self._waiting.done() and self._awaited != trials.keys()):
            self._wait_for(frozenset(trials))
        if self._unread & trials.keys() or (self._waiting is not None and self._waiting.done()):
            self._start_look()

    def _wait_for(self, handles: frozenset[JobHandle]) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._awaited = handles
        self._waiting = asyncio.ensure_future(self._launcher.changed(handles))
        self._waiting.add_done_callback(self._changed)

    def close(self) -> None:
        """Stop following."""
        for task in (self._waiting, self._looking):
            if task is not None:
                task.cancel()

    def _changed(self, waiting: asyncio.Task[Collection[JobHandle]]) -> None:
        if waiting is not self._waiting or waiting.cancelled():
            return
        if error := waiting.exception():
            self._deliver(error)
        elif self._looking is None and self._is_current:
            self._start_look()

    def _start_look(self) -> None:
        handles = set(self._unread)
        if self._waiting is not None and self._waiting.done():
            handles.update(self._waiting.result())
            self._waiting = None
        current = {handle: self._trials[handle] for handle in handles if handle in self._trials}
        self._looking = asyncio.create_task(self._look(current))
        self._looking.add_done_callback(self._looked)

    def _looked(self, looking: asyncio.Task[list[Observed]]) -> None:
        if looking.cancelled():
            return
        self._looking, self._is_current = None, False
        if error := looking.exception():
            self._deliver(error)
        else:
            self._note_unread(looking.result())
            self._deliver(looking.result())

    def _note_unread(self, events: list[Observed]) -> None:
        handles = {trial.number: handle for handle, trial in self._trials.items()}
        self._unread = {handles[event.trial] for event in events if event.more and event.trial in handles}

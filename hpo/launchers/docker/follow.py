"""Following one container: its output into the run's log, its end into the run's record."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from pathlib import Path

from hpo.core.trial import RunReport
from hpo.errors import LauncherError
from hpo.launchers.docker.answers import Container
from hpo.launchers.docker.clean import COPIED
from hpo.launchers.docker.copy import Copy, Stream, copied
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.faults import ContainerGone, EngineDown
from hpo.launchers.docker.files import fetch
from hpo.launchers.docker.folder import RunFolder
from hpo.launchers.docker.output import Attached, Started, Told
from hpo.launchers.docker.states import Circumstances, gone, report
from hpo.launchers.end_record import End
from hpo.launchers.indexed_log import CopyBusy

SHORTEST, LONGEST = 0.05, 2.0
"""Seconds between two tries to reach a container: doubled while it cannot be."""

_LAST_LINES = 100
"""Lines of the output whose copy is compared when a container has ended."""

_LAST_BYTES = 4096
"""Bytes of the log in which the engine may say why it could not start the program."""


class Follower:
    """Follows one run to its end; calls `changed` when there is news of it.

    Nothing is lost where the connection breaks: the output is told again from its first byte, and what
    is in the log already is passed over. `trouble` says why the run cannot be followed at the moment.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        folder: RunFolder,
        started: Started,
        *,
        memory: int | None,
        threads: Executor,
        changed: Callable[[], object],
    ) -> None:
        self.folder = folder
        self.container = started.container
        self.end: RunReport | None = None
        self.trouble = ""
        self._engine = engine
        self._memory = memory
        self._threads = threads
        self._changed = changed
        self._watched_from = started.at
        self._news = False
        self._attached = started.output
        self._streams: list[Attached | Told] = []
        self._size_aside = 0
        self._doubts = 0
        self._closed = False
        self._closing = asyncio.Event()

    async def follow(self) -> None:
        """Return once the end of the run is written down. Raises OSError where there is no room for it."""
        loop, pause = asyncio.get_running_loop(), SHORTEST
        while self.end is None and not self._closed:
            try:
                await loop.run_in_executor(self._threads, self._copy_output)
                pause = SHORTEST if self.trouble else pause
                self._note("")
                await loop.run_in_executor(self._threads, self._look)
            except EngineDown as error:
                self._note(str(error))
            except CopyBusy:
                self._look_aside()
                pause = SHORTEST
            except LauncherError:  # between two states: it is being removed, or restored
                pass
            if self.end is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), pause)
                pause = min(2 * pause, LONGEST)

    def seen(self) -> None:
        """Take note that the run is looked at now: of what is new from here on it tells again."""
        self._news = False

    def doubt(self, *, is_running: bool) -> None:
        """Take note whether the engine says that the container runs; begin again where a stream hangs.

        A connection that is cut without a word, as by a firewall, never ends by itself.
        """
        self._doubts = 0 if is_running else self._doubts + 1
        if self._doubts > 1:
            for stream in tuple(self._streams):
                stream.end()

    def close(self) -> None:
        """Let go of the container, which goes on; `follow` returns soon."""
        self._closed = True
        self._closing.set()
        if self._attached is not None:
            self._attached.close()
        for stream in tuple(self._streams):
            stream.end()

    def _copy_output(self) -> None:
        """Copy what the container says until it ends, or the connection does."""
        attached, self._attached = self._attached, None
        if attached is not None:
            with closing(attached), Copy(self.folder.log) as copy, self._open(attached):
                for _ in copy.take(attached):
                    self._tell()
            return
        with Copy(self.folder.log) as copy:
            opened = time.time()
            try:
                output = self._engine().output(self.container, follow=True)
            except ContainerGone:
                return
            self._note("")
            self._watched_from = self._watched_from or opened
            with self._open(output):
                for _ in copy.take(output):
                    self._tell()

    @contextmanager
    def _open(self, stream: Attached | Told) -> Iterator[None]:
        """Let a stream be closed by `close` while it is read."""
        self._streams.append(stream)
        if self._closed:
            stream.end()
        try:
            yield
        except (AttributeError, ValueError, LauncherError):  # of a stream closed while it was read
            if not self._closed:
                raise
        finally:
            self._streams.remove(stream)

    def _look(self) -> None:
        """See whether the container has ended, and if so, write that down."""
        if self._closed:
            return
        container = self._engine().find(self.container)
        if end := self.folder.end():  # another one was quicker
            self.end = end.report
        elif container is None:
            self._write_down(gone(self._engine().address))
        elif container.has_ended:
            self._complete_log()
            if COPIED in container.labels:
                fetch(self._engine(), container.id, self.folder)
            self._write_down(report(container, self._circumstances(container)))

    def _complete_log(self) -> None:
        """See to it that all of the output is copied: what was followed may lack the last of it."""
        engine = self._engine()
        last: dict[Stream, bytes] = dict.fromkeys(Stream, b"")
        for stream, piece in engine.output(self.container, lines=_LAST_LINES):
            last[stream] += piece
        with Copy(self.folder.log) as copy:
            if not all(copy.ends_with(stream, end) for stream, end in last.items()):
                deque(copy.take(engine.output(self.container), whole=True), maxlen=0)

    def _look_aside(self) -> None:
        """Where another one copies the output, see how far it has come."""
        self.end = end.report if (end := self.folder.end()) else None
        size = copied(self.folder.log)
        if size != self._size_aside:
            self._size_aside = size
            self._tell()

    def _circumstances(self, container: Container) -> Circumstances:
        watched = self._watched_from
        return Circumstances(
            asked_to_stop=self.folder.was_asked_to_stop(),
            engine_was_away=watched is None or (container.ended or 0.0) < watched,
            memory=f"{self._memory / 2**20:,.0f} MiB" if self._memory else "",
            last_words=self.folder.last_words(),
            output_end=_end(self.folder.log),
        )

    def _write_down(self, outcome: RunReport) -> None:
        self.folder.write_end(End(self.container, outcome))
        self.end = outcome

    def _note(self, trouble: str) -> None:
        if trouble != self.trouble:
            if trouble:
                self._watched_from = None  # the engine may end it unseen
            self.trouble = trouble
            self._tell()

    def _tell(self) -> None:
        if not self._news and not self._closed:
            self._news = True
            self._changed()


def _end(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
        return file.read().decode(errors="replace")

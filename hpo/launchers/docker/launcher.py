"""The launcher of containers: each run is a container on a Docker engine, under SageMaker's contract."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hpo.core.trial import JobHandle, Launch, RunReport, RunState
from hpo.errors import DiskFull, HpoError, LauncherError
from hpo.launchers.docker import beforehand
from hpo.launchers.docker.clean import clean, remove_all
from hpo.launchers.docker.copy import copied
from hpo.launchers.docker.faults import EngineDown
from hpo.launchers.docker.folder import RunFolder
from hpo.launchers.docker.follow import LONGEST, SHORTEST, Follower
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.docker.output import Started
from hpo.launchers.docker.start import CONNECTIONS, Starter
from hpo.launchers.docker.states import gone
from hpo.launchers.launcher import Chunk, JobContext, Obstacle
from hpo.launchers.log_file import read_lines
from hpo.launchers.registry import Kind

NAME = "docker"

GATHER = 0.002
"""Seconds from a line's arrival until it is told of, with all lines until then."""

PATROL_EVERY = 15.0
"""Seconds between two looks at which containers run: a stream may hang without a word."""

_CLOSE_WITHIN = 10.0
"""Seconds for what is under way when the launcher is closed: containers are removed, streams ended."""

_T = TypeVar("_T")


class DockerLauncher:
    """Runs trials as containers; their logs and ends are copied into the runs' folders.

    A container is removed once both are safe there; what is asked about it then is read from there.
    """

    prepares = True

    def __init__(self, context: JobContext, options: DockerOptions) -> None:
        self._context = context
        self._options = options
        self._folder = context.folder.absolute()
        self._starter = Starter(context, options)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="docker")
        self._followers: dict[JobHandle, Follower] = {}
        self._following: dict[JobHandle, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._changed: set[JobHandle] = set()
        self._wake = asyncio.Event()
        self._preparing: dict[str, asyncio.Future[None]] = {}
        self._patrolling: asyncio.Task[None] | None = None
        self._tidying = False

    # -- starting

    def check(self) -> Sequence[Obstacle]:
        """Return what would keep every run from starting; the image is pulled or built for that."""
        return beforehand.obstacles(self._context, self._options, gpus=self._starter.gpus)

    def request(self, launch: Launch) -> str:
        """Return the `docker run` that does the same. Raises LauncherError."""
        folder, gpus = self._starter.folder(launch), self._starter.gpus
        return beforehand.command_line(launch, folder, self._context, self._options, gpus=gpus)

    async def launch(self, launch: Launch) -> JobHandle:
        """Start a run, or find it started.

        Raises CannotStart, NoCapacity while no GPU is free, EngineDown, and OSError where there is no
        room, here or at the engine.
        """
        if (preparing := self._preparing.pop(launch.name, None)) is not None:
            await asyncio.wait([preparing])
        started = await self._in_thread(lambda: self._starter.start(launch))
        handle = self._handle(launch, started.container)
        self._follow(handle, started)
        return handle

    async def prepare(self, launch: Launch) -> None:
        """Create the container of a run that will probably be launched next."""
        with contextlib.suppress(HpoError, OSError):  # `launch` meets the same, and says so
            work = self._in_thread(lambda: self._starter.prepare(launch))
            self._preparing[launch.name] = task = asyncio.ensure_future(work)
            await asyncio.shield(task)

    def expect(self, runs: int) -> None:
        """Do nothing: nothing is kept."""

    def worst_cost(self) -> float | None:
        """Return None: nothing is charged."""
        return None

    async def find(self, launch: Launch) -> JobHandle | None:
        """Return the run's handle if it was ever started; waits for an engine that does not answer."""
        container = await self._when_it_answers(lambda: self._starter.find(launch))
        return None if container is None else self._handle(launch, container)

    # -- following

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        """Return the state of each run; LOST for one that is unknown or was removed.

        A running one's detail says why it cannot be followed at the moment. Raises DiskFull.
        """
        reports = await asyncio.gather(*(self._report(handle) for handle in handles))
        return dict(zip(handles, reports, strict=True))

    async def _report(self, handle: JobHandle) -> RunReport:
        self._changed.discard(handle)
        if follower := self._followers.get(handle):
            self._raise_error(handle)
            follower.seen()
            return follower.end or RunReport(RunState.RUNNING, detail=follower.trouble)
        folder, container = self._place(handle)
        if end := folder.end():
            return end.report
        if not container:
            return gone("any engine")
        try:
            found = await self._in_thread(lambda: self._starter.engine.find(container))
        except EngineDown:
            found = None
        else:
            if found is None:
                end = folder.end()  # it may have been written down, and the container removed, in between
                self._starter.release(folder)
                return end.report if end else gone(self._starter.engine.address)
        self._follow(handle, Started(container))
        return RunReport(RunState.RUNNING)

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        """Return the log's next whole lines."""
        log = self._place(handle)[0].log
        chunk = read_lines(str(log), cursor, ended=ended, valid=copied(log))
        if chunk.more:
            self._mark(handle)
        return chunk

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        """Wait until some of these runs may have changed, and return those."""
        if not self._tidying:
            self._tidying = True
            self._behind(self._in_thread(self._starter.tidy))
        for handle in handles:
            if handle not in self._followers:
                self._changed.add(handle)  # it is followed once it was polled
        while not (changed := self._changed & set(handles)):
            self._wake.clear()
            await self._wake.wait()
        return changed

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        """Tell a run to end; waits for an engine that does not answer. Raises OSError on a full disk."""
        folder, container = self._place(handle)
        if folder.end() is not None or not container:
            return
        found = await self._when_it_answers(lambda: self._starter.engine.find(container))
        if found is None or found.has_ended:
            return
        folder.ask_to_stop()
        engine = self._starter.engine
        if at_once:
            await self._when_it_answers(lambda: engine.kill(container))
        else:
            grace = self._options.stop_grace
            self._behind(self._when_it_answers(lambda: engine.stop(container, grace=grace)))

    async def close(self) -> None:
        """Let go of the engine; the containers go on. What has ended is removed before."""
        for follower in self._followers.values():
            follower.close()
        if self._patrolling is not None:
            self._patrolling.cancel()
        left = {*self._following.values(), *self._background, *self._preparing.values()}
        if left:
            await asyncio.wait(left, timeout=_CLOSE_WITHIN)
        for task in left:
            task.cancel()
        with contextlib.suppress(LauncherError):  # the next session removes it
            await self._in_thread(self._starter.remove_prepared)
        self._starter.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # -- in the background

    def _follow(self, handle: JobHandle, started: Started) -> None:
        if handle in self._followers:
            if started.output is not None:
                started.output.close()
            return
        loop = asyncio.get_running_loop()
        follower = Follower(
            lambda: self._starter.engine,
            self._place(handle)[0],
            started,
            memory=self._options.memory,
            threads=self._threads,
            changed=lambda: loop.call_soon_threadsafe(loop.call_later, GATHER, self._mark_followed, handle),
        )
        self._followers[handle] = follower
        if self._patrolling is None:
            self._patrolling = asyncio.create_task(self._patrol())
        self._following[handle] = task = asyncio.create_task(follower.follow())
        task.add_done_callback(lambda _: self._followed(handle, follower))

    def _followed(self, handle: JobHandle, follower: Follower) -> None:
        """Tell of a run's end; all of it is written down, so that its container is not needed any more."""
        self._mark(handle)
        if follower.end is not None:  # from here on its folder answers for it
            del self._followers[handle], self._following[handle]
            self._behind(self._in_thread(lambda: self._starter.discard(follower.folder, follower.container)))

    def _raise_error(self, handle: JobHandle) -> None:
        """Raise what keeps a run from being followed for good."""
        task = self._following[handle]
        error = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(
                f"no space is left to follow {self._place(handle)[0].path} ({error}); what was committed is "
                f"safe: free some space, then go on with `hpo resume {self._context.job}`"
            ) from error
        if error is not None:
            raise error

    async def _patrol(self) -> None:
        """Ask the engine now and then for the containers that run, whatever the streams say."""
        while True:
            await asyncio.sleep(PATROL_EVERY)
            try:
                running = await self._in_thread(self._starter.running)
            except LauncherError:
                running = frozenset()
            for follower in tuple(self._followers.values()):
                follower.doubt(is_running=follower.container in running)

    def _behind(self, work: Coroutine[None, None, None]) -> None:
        """Do something in the background; what the engine refuses is left to the next session."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()

    def _mark_followed(self, handle: JobHandle) -> None:
        if handle in self._followers:
            self._mark(handle)

    def _mark(self, handle: JobHandle) -> None:
        self._changed.add(handle)
        self._wake.set()

    async def _when_it_answers(self, ask: Callable[[], _T]) -> _T:
        """Ask the engine until it answers."""
        pause = SHORTEST
        while True:
            try:
                return await self._in_thread(ask)
            except EngineDown:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST)

    async def _in_thread(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def _handle(self, launch: Launch, container: str) -> JobHandle:
        below = self._context.run_folder(launch.trial, launch.run).relative_to(self._context.folder)
        return JobHandle(NAME, json.dumps({"run": str(below), "container": container}))

    def _place(self, handle: JobHandle) -> tuple[RunFolder, str]:
        """Return where a handle's run lies and its container; for another launcher's handle, no container."""
        try:
            parts = json.loads(handle.id)
        except ValueError:
            parts = None
        match parts:
            case {"run": str(folder), "container": str(container)}:
                return RunFolder(self._folder / folder), container
            case _:
                return RunFolder(self._folder / "trials" / "unknown"), ""


KIND = Kind(DockerOptions, DockerLauncher, clean=clean, remove_all=remove_all)

"""A launcher that runs nothing: in its world every run does, in memory, what a script says.

For tests of what stands on launchers. Launchers come and go, as tuners do; the world stays.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hpo.core.trial import JobHandle, Launch, Reason, RunReport, RunState
from hpo.errors import LauncherError
from hpo.launchers.launcher import Chunk, Obstacle
from hpo.launchers.log_file import LIMIT, offset, whole_lines

NAME = "scripted"


@dataclass(frozen=True, slots=True)
class Hold:
    """A step that takes until the world opens this gate."""

    gate: str


@dataclass(frozen=True, slots=True)
class IgnoreStop:
    """A step from which on the run ends by force only."""


@dataclass(frozen=True, slots=True)
class UntilSeen:
    """A step that takes until the run's state or log is looked at; what follows happens right after that."""


Step = bytes | Hold | IgnoreStop | UntilSeen | RunReport
"""Something to print, to wait for, or how to end; a script that doesn't say how ends well."""

Script = Callable[[Launch], Sequence[Step]]


@dataclass(slots=True)
class _Run:
    steps: Iterator[Step]
    log: bytearray = field(default_factory=bytearray)
    report: RunReport = field(default_factory=lambda: RunReport(RunState.RUNNING))
    gate: str = ""
    waits_to_be_seen: bool = False
    ignores_stop: bool = False
    version: int = 0


class World:
    """The runs there are, and the gates they wait at; `starts` and `stops` count by name what was done."""

    def __init__(self, script: Script) -> None:
        self.starts: Counter[str] = Counter()
        self.stops: Counter[str] = Counter()
        self.refusals: dict[str, LauncherError] = {}  # names that cannot be launched while they are in here
        self._script = script
        self._open: set[str] = set()
        self._runs: dict[str, _Run] = {}
        self._listeners: set[asyncio.Event] = set()

    def open(self, gate: str) -> None:
        """Let runs go on that wait at this gate, or come to it later."""
        self._open.add(gate)
        for run in self._runs.values():
            if run.gate == gate:
                self._go_on(run)

    def end(self, name: str, report: RunReport) -> None:
        """End a running run from outside."""
        run = self._runs[name]
        if not run.report.state.is_final:
            run.report = report
            run.gate = ""
            run.waits_to_be_seen = False
            self._tell(run)

    def start(self, launch: Launch) -> None:
        """Start a run unless it was started. Raises what `refusals` has for it."""
        if launch.name in self._runs:
            return
        if launch.name in self.refusals:
            raise self.refusals[launch.name]
        self.starts[launch.name] += 1
        self._runs[launch.name] = _Run(iter(self._script(launch)))
        self._go_on(self._runs[launch.name])

    def run(self, name: str) -> _Run | None:
        """Return a run; None if it was never started."""
        return self._runs.get(name)

    def stop(self, name: str, *, at_once: bool) -> None:
        """Stop a run as far as it lets itself be stopped."""
        self.stops[name] += 1
        run = self._runs.get(name)
        if run is not None and (at_once or not run.ignores_stop):
            self.end(name, RunReport(RunState.STOPPED))

    def see(self, run: _Run) -> None:
        """Let a run go on that waits to be looked at."""
        if run.waits_to_be_seen:
            self._go_on(run)

    async def wait(self) -> None:
        """Wait until something happens in the world."""
        event = asyncio.Event()
        self._listeners.add(event)
        try:
            await event.wait()
        finally:
            self._listeners.remove(event)

    def _go_on(self, run: _Run) -> None:
        run.gate = ""
        run.waits_to_be_seen = False
        for step in run.steps:
            match step:
                case bytes():
                    run.log += step
                case Hold(gate) if gate in self._open:
                    pass
                case Hold(gate):
                    run.gate = gate
                    break
                case UntilSeen():
                    run.waits_to_be_seen = True
                    break
                case IgnoreStop():
                    run.ignores_stop = True
                case RunReport():
                    run.report = step
                    break
        else:
            run.report = RunReport(RunState.SUCCEEDED)
        self._tell(run)

    def _tell(self, run: _Run) -> None:
        run.version += 1
        for listener in self._listeners:
            listener.set()


class ScriptedLauncher:
    """A launcher into a world; it reads at most `limit` bytes of a log at once."""

    prepares = False

    def __init__(self, world: World, *, limit: int = LIMIT) -> None:
        self._world = world
        self._limit = limit
        self._seen: dict[JobHandle, int] = {}

    def check(self) -> Sequence[Obstacle]:
        """Return nothing: scripts always start."""
        return ()

    def request(self, launch: Launch) -> str:
        """Return the launch as text."""
        return str(launch)

    async def launch(self, launch: Launch) -> JobHandle:
        """Start a run, or find it started. Raises what the world's `refusals` has for it."""
        self._world.start(launch)
        return JobHandle(NAME, launch.name)

    async def prepare(self, launch: Launch) -> None:
        """Do nothing: a launch is quick."""

    def expect(self, runs: int) -> None:
        """Do nothing: nothing is kept."""

    def worst_cost(self) -> float | None:
        """Return None: nothing is charged."""
        return None

    async def find(self, launch: Launch) -> JobHandle | None:
        """Return the run's handle if it was ever started."""
        return JobHandle(NAME, launch.name) if self._world.run(launch.name) else None

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        """Return the state of each run; LOST for one that is unknown."""
        return {handle: self._report(handle) for handle in handles}

    def _report(self, handle: JobHandle) -> RunReport:
        run = self._world.run(handle.id)
        if run is None:
            return RunReport(RunState.LOST, Reason.LOST, "there is no such run")
        self._seen[handle] = run.version
        report = run.report
        self._world.see(run)
        return report

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        """Return the log's next whole lines."""
        run = self._world.run(handle.id)
        start = offset(cursor)
        data = bytes(run.log[start : start + self._limit]) if run else b""
        if run is not None:
            self._world.see(run)
        return whole_lines(data, start, ended=ended, limit=self._limit)

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        """Stop a run, unless it ignores that and is not to be stopped at once."""
        self._world.stop(handle.id, at_once=at_once)

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        """Wait until some of these runs changed since they were polled, and return those."""
        while not (changed := [handle for handle in handles if self._has_changed(handle)]):
            await self._world.wait()
        return changed

    def _has_changed(self, handle: JobHandle) -> bool:
        run = self._world.run(handle.id)
        return run is None or run.version != self._seen.get(handle)

    async def close(self) -> None:
        """Forget what was seen; the world goes on."""
        self._seen.clear()

"""A world in memory that outlives the tuner, and tuners that die in it at a chosen step."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hpo.core.apply import Change
from hpo.core.history import History
from hpo.core.job import Job, assemble, reopened
from hpo.core.settings import Settings
from hpo.core.trial import JobHandle, Launch, Reason, RunReport, RunState, Trial, TrialStatus
from hpo.launchers.launcher import Chunk
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer
from hpo.search import registry
from hpo.search.strategy import Strategy
from hpo.spec.space import Scalar, Space
from hpo.store.sqlite import JobRecord, Store


class Crash(BaseException):
    """The tuner dies: nothing after this happens."""


@dataclass
class Program:
    """A run as the world sees it: its whole log, and how much of it was printed."""

    lines: list[str]
    printed: int = 0
    stopped: bool = False
    lost: bool = False

    def report(self) -> RunReport:
        if self.lost:
            return RunReport(RunState.LOST)
        if self.stopped:
            return RunReport(RunState.STOPPED)
        if self.printed < len(self.lines):
            return RunReport(RunState.RUNNING)
        if self.lines and self.lines[-1] == "crash":
            return RunReport(RunState.FAILED, Reason.EXIT_STATUS, "exit status 1")
        return RunReport(RunState.SUCCEEDED)


@dataclass
class World:
    """Every program that was ever started, by the name of its launch."""

    write: Callable[[Launch], list[str]]
    programs: dict[str, Program] = field(default_factory=dict)
    starts: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)

    def start(self, launch: Launch) -> None:
        if launch.name not in self.programs:
            self.starts[launch.name] += 1
            self.programs[launch.name] = Program(self.write(launch))


@dataclass
class Countdown:
    """Dies at the given step; never, if it is None."""

    step: int | None
    steps: int = 0

    def tick(self) -> None:
        self.steps += 1
        if self.step is not None and self.steps > self.step:
            raise Crash


class MemoryLauncher:
    """A launcher whose runs live in a `World`; each look at one lets it print a line."""

    def __init__(self, world: World, countdown: Countdown) -> None:
        self._world = world
        self._countdown = countdown

    def check(self) -> Sequence[str]:
        return []

    def request(self, launch: Launch) -> str:
        return launch.name

    async def launch(self, launch: Launch) -> JobHandle:
        self._countdown.tick()
        self._world.start(launch)
        self._countdown.tick()
        return JobHandle("memory", launch.name)

    async def find(self, launch: Launch) -> JobHandle | None:
        return JobHandle("memory", launch.name) if launch.name in self._world.programs else None

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        self._countdown.tick()
        reports = {handle: self._world.programs[handle.id].report() for handle in handles}
        for handle in handles:  # what is printed between the look at the state and the reading
            program = self._world.programs[handle.id]
            program.printed += program.printed < len(program.lines)
        return reports

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        self._countdown.tick()
        program = self._world.programs[handle.id]
        start = int(cursor or 0)
        end = min(program.printed, start + 2)
        text = "".join(f"{line}\n" for line in program.lines[start:end])
        return Chunk(text.encode(), str(end), more=end < program.printed)

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        self._countdown.tick()
        self._world.stops[handle.id] += 1
        self._world.programs[handle.id].stopped = True

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        await asyncio.sleep(0)
        return handles

    async def close(self) -> None:
        pass


class DyingStore(Store):
    """A store whose process dies right before or right after a commit."""

    countdown = Countdown(None)

    def commit(self, changes: Iterable[Change], *, at: float) -> None:
        self.countdown.tick()
        super().commit(changes, at=at)
        self.countdown.tick()


@dataclass
class Tuner:
    """A job in a folder, run by one tuner after another until it is done."""

    folder: Path
    settings: Settings
    space: Space
    world: World
    strategy: str = "random"
    options: Mapping[str, Scalar] = field(default_factory=dict)

    def create(self) -> None:
        record = JobRecord(self.settings, self.strategy, "memory", 1, "", str(self.folder), created=0.0)
        Store.create(self.folder / "job.db", record).close()

    def run(
        self,
        crash_at: int | None = None,
        *,
        reopen: Collection[TrialStatus] = (),
        meddle: Callable[[Scheduler], None] | None = None,
    ) -> Job | None:
        """Run until the job is done, or until this tuner dies: then nothing is returned."""
        store = DyingStore(self.folder / "job.db")
        countdown = store.countdown = Countdown(crash_at)
        try:
            trials = [reopened(t) if t.status in reopen else t for t in store.trials()]
            store.reopen(trials)
            scheduler = Scheduler(assemble(self.settings, trials), self.parts(store, trials, countdown))
            if meddle is not None:
                meddle(scheduler)
            return asyncio.run(scheduler.run())
        except Crash:
            return None
        finally:
            store.close()

    def parts(self, store: Store, trials: list[Trial], countdown: Countdown) -> Parts:
        launcher = MemoryLauncher(self.world, countdown)
        objective = self.settings.objective
        performer = Performer(
            launcher,
            scanner=compile_metrics({objective.metric: r"loss=(\S+)"}),
            objective=objective.metric,
            advise=lambda log: f"no loss in {len(log)} bytes",
            clock=Hurried(),
        )
        history = History.of(objective, trials, store.points(metric=objective.metric))
        return Parts(store, history, self.new_strategy(), launcher, performer, Hurried())

    def new_strategy(self) -> Strategy:
        return registry.build(
            self.strategy,
            space=self.space,
            seed=1,
            objective=self.settings.objective,
            max_jobs=self.settings.max_jobs,
            options=self.options,
        )

    def trials(self) -> list[Trial]:
        store = Store(self.folder / "job.db")
        try:
            return store.trials()
        finally:
            store.close()


class Hurried:
    """The machine's clock, but waiting is over at once."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    async def until(self, moment: float) -> None:
        await asyncio.sleep(0.001)
        self._ahead = max(self._ahead, moment - time.time())

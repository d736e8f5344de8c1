"""Tuners that die at a chosen step, in a world that outlives them."""

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
from hpo.core.prior import NO_PRIOR, Prior, Priors
from hpo.core.settings import Settings
from hpo.core.trial import JobHandle, Launch, RunReport, Trial, TrialStatus
from hpo.launchers.algorithms import AlgorithmsLauncher
from hpo.launchers.launcher import Chunk, Launcher
from hpo.launchers.scripted import ScriptedLauncher, World
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.clock import Clock
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer, Reader
from hpo.search import registry
from hpo.search.algorithms import Algorithms, Searched
from hpo.search.early_stopping import EarlyStopping, Median
from hpo.search.hints import evidence_of
from hpo.search.strategy import Strategy
from hpo.spec.space import Scalar, Space
from hpo.store.sqlite import JobRecord, Store

PIECE = 64
"""Bytes of a log that are read at once: one or two lines of these tests, so that there often is more."""


class Crash(BaseException):
    """The tuner dies: nothing after this happens."""


@dataclass
class Countdown:
    """Dies at the given step; never, if it is None."""

    step: int | None
    steps: int = 0

    def tick(self) -> None:
        self.steps += 1
        if self.step is not None and self.steps > self.step:
            raise Crash


class DyingLauncher(ScriptedLauncher):
    """A launcher whose process dies right before or right after it did something."""

    def __init__(self, world: World, countdown: Countdown, asked: Counter[str]) -> None:
        super().__init__(world, limit=PIECE)
        self._countdown = countdown
        self._asked = asked

    async def launch(self, launch: Launch) -> JobHandle:
        self._countdown.tick()
        self._asked[launch.name] += 1
        handle = await super().launch(launch)
        self._countdown.tick()
        return handle

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        self._countdown.tick()
        return await super().poll(handles)

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        self._countdown.tick()
        return await super().read(handle, cursor, ended=ended)

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        self._countdown.tick()
        await super().stop(handle, at_once=at_once)
        self._countdown.tick()


class DyingStore(Store):
    """A store whose process dies right before or right after a commit."""

    countdown = Countdown(None)

    def commit(self, changes: Iterable[Change], *, at: float) -> None:
        self.countdown.tick()
        super().commit(changes, at=at)
        self.countdown.tick()


class Hurried:
    """The machine's clock, but waiting is over at once."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    async def until(self, moment: float) -> None:
        await asyncio.sleep(0.001)
        self._ahead = max(self._ahead, moment - time.time())


@dataclass
class Tuner:
    """A job in a folder, run by one tuner after another until it is done."""

    folder: Path
    settings: Settings
    space: Space
    world: World
    strategy: str = "random"
    options: Mapping[str, Scalar] = field(default_factory=dict)
    clock: Callable[[], Clock] = Hurried
    median: Mapping[str, int] | None = None  # the options of median early stopping
    priors: Priors = field(default_factory=dict)
    algorithms: Sequence[str] = ()  # several ones, all with the same space and program
    asked: Counter[str] = field(default_factory=Counter)  # how often the launcher was asked for each launch

    def create(self) -> None:
        record = JobRecord(self.settings, self.strategy, "scripted", 1, "", str(self.folder), created=0.0)
        Store.create(self.folder / "job.db", record, self.priors).close()

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
        launcher: Launcher = DyingLauncher(self.world, countdown, self.asked)
        if self.algorithms:
            each = {name: DyingLauncher(self.world, countdown, self.asked) for name in self.algorithms}
            launcher = AlgorithmsLauncher(each)
        objective = self.settings.objective
        scanner = compile_metrics({objective.metric: r"loss=(\S+)"})
        reader = Reader(scanner, lambda log: f"no loss in {len(log)} bytes")
        performer = Performer(
            launcher,
            readers=dict.fromkeys((*self.algorithms, None), reader),
            objectives=[objective.metric],
            clock=self.clock(),
        )
        history = History.of(objective, trials, store.points(metric=objective.metric))
        return Parts(store, history, self.new_strategy(store), launcher, performer, self.clock())

    def new_strategy(self, store: Store) -> Strategy:
        priors = {name: prior.within(self.space) for name, prior in store.priors().items()}
        if not self.algorithms:
            return self._new_strategy(priors.get(None, NO_PRIOR))
        each = {}
        for name in self.algorithms:
            prior = priors.get(name, NO_PRIOR)
            known = [values for _, values in evidence_of(self.space, prior)]
            each[name] = Searched(self._new_strategy(prior), known=known)
        return Algorithms(each, max_jobs=self.settings.max_jobs)

    def _new_strategy(self, prior: Prior) -> Strategy:
        strategy = registry.build(
            self.strategy,
            space=self.space,
            seed=1,
            objective=self.settings.objective,
            max_jobs=self.settings.max_jobs,
            prior=prior,
            options=self.options,
        )
        return EarlyStopping(strategy, Median(), **self.median) if self.median is not None else strategy

    def trials(self) -> list[Trial]:
        store = Store(self.folder / "job.db")
        try:
            return store.trials()
        finally:
            store.close()

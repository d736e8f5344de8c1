"""The scheduler with a launcher that takes no time, so that its own cost shows."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.overhead import finished
from hpo.core.history import History
from hpo.core.job import assemble
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import JobHandle, Launch, RunReport, RunState
from hpo.launchers.launcher import Chunk, Obstacle
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.clock import WallClock
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer, Reader
from hpo.search import registry as strategies
from hpo.spec.space import Continuous, Space
from hpo.store.sqlite import JobRecord, Store

FURTHER = 300
"""Trials that are run and measured."""


class InstantLauncher:
    """Its runs have ended well as soon as they are launched, and each printed one line."""

    prepares = False

    def check(self) -> Sequence[Obstacle]:
        return ()

    def request(self, launch: Launch) -> str:
        return launch.name

    async def launch(self, launch: Launch) -> JobHandle:
        return JobHandle("instant", launch.name)

    async def prepare(self, launch: Launch) -> None:
        """Do nothing: a launch is quick."""

    def expect(self, runs: int) -> None:
        pass

    def worst_cost(self) -> float | None:
        return None

    async def find(self, launch: Launch) -> JobHandle | None:
        return await self.launch(launch)

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        return dict.fromkeys(handles, RunReport(RunState.SUCCEEDED))

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:  # noqa: ARG002
        return Chunk(b"" if cursor else b"loss=0.5\n", "9")

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        pass

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        return handles

    async def close(self) -> None:
        pass


async def ms_a_trial(folder: Path, *, finished_trials: int) -> float:
    """Return the milliseconds of CPU that each further trial takes once so many have finished."""
    objective = Objective("loss", Goal.MINIMIZE)
    settings = Settings("overhead", objective, max_jobs=finished_trials, max_parallel_jobs=4)
    record = JobRecord(settings, "random", "instant", 1, "", "", 0.0)
    store = Store.create(folder / "job.db", record)
    space = Space((Continuous("x", 0.0, 1.0),))
    more = finished_trials + FURTHER
    strategy = strategies.build("random", space=space, seed=1, objective=objective, max_jobs=more)
    trials = finished.fill(store, settings, strategy, finished_trials)
    launcher, clock = InstantLauncher(), WallClock()
    performer = Performer(
        launcher,
        readers={None: Reader(compile_metrics({"loss": r"loss=(\S+)"}), bytes.decode)},
        objectives=["loss"],
        clock=clock,
    )
    history = History.of(objective, trials, store.points(metric="loss"))
    job = assemble(replace(settings, max_jobs=more), trials)
    scheduler = Scheduler(job, Parts(store, history, strategy, launcher, performer, clock))
    began = time.process_time()
    ended = await scheduler.run()
    took = time.process_time() - began
    store.close()
    if ended.tally.ended != more:
        raise RuntimeError(f"{ended.tally.ended} trials ended, not {more}")
    return 1000 * took / FURTHER

"""The loop over a real store: what other processes ask for, and what is noted while nothing happens."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hpo.core.apply import Change
from hpo.core.events import Event, Launched, Observed, StopRequested, Ticked
from hpo.core.history import History
from hpo.core.job import Job, JobStatus
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import JobHandle, Launch, Reason, RunReport, RunState
from hpo.errors import NoCapacity
from hpo.launchers.launcher import Chunk
from hpo.launchers.scripted import Hold, IgnoreStop, ScriptedLauncher, Step, World
from hpo.metrics.scan import compile_metrics
from hpo.scheduler import loop, perform
from hpo.scheduler.clock import Clock, WallClock
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer, Reader
from hpo.search import registry
from hpo.spec.space import Continuous, Space
from hpo.store.sqlite import JobRecord, Store

SETTINGS = Settings("job", Objective("loss", Goal.MINIMIZE), max_jobs=1)


class Leaping(WallClock):
    """A clock by which every look at it takes twenty seconds."""

    def __init__(self) -> None:
        self._times = itertools.count(1000.0, 20.0)

    def now(self) -> float:
        return next(self._times)


@dataclass
class Session:
    """A job of one trial under a scheduler, and the same store as another process sees it."""

    scheduler: Scheduler
    world: World
    other: Store


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Session]]:
    """Begin a session of a job whose trial does what a script says; it listens all the time."""
    monkeypatch.setattr(loop, "LISTEN_EVERY", 0.001)
    path = tmp_path / "job.db"
    stores = [Store.create(path, JobRecord(SETTINGS, "random", "scripted", 1, "", "/", created=0.0))]

    def make(
        script: Sequence[Step],
        clock: Clock,
        launcher_of: Callable[[World], ScriptedLauncher] = ScriptedLauncher,
    ) -> Session:
        store, world = stores[0], World(lambda _: script)
        store.begin_session(pid=1, at=clock.now())
        stores.append(Store.open(path))
        launcher = launcher_of(world)
        performer = Performer(
            launcher,
            readers={None: Reader(compile_metrics({"loss": r"loss=(\S+)"}), lambda _: "")},
            objectives=["loss"],
            clock=clock,
        )
        strategy = registry.build(
            "random",
            space=Space((Continuous("x", 0.0, 1.0),)),
            seed=1,
            objective=SETTINGS.objective,
            max_jobs=1,
            options={},
        )
        history = History(SETTINGS.objective)
        parts = Parts(store, history, strategy, launcher, performer, clock)
        return Session(Scheduler(Job(SETTINGS), parts), world, stores[1])

    yield make
    for store in stores:
        store.close()


class EndingWhenRead(ScriptedLauncher):
    """A launcher whose runs end while the rest of their logs is read, which a first look has left over."""

    def __init__(self, world: World) -> None:
        super().__init__(world, limit=10)
        self._ending = world

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        chunk = await super().read(handle, cursor, ended=ended)
        if cursor and not chunk.more:
            self._ending.end(handle.id, RunReport(RunState.SUCCEEDED))
        return chunk


class SlowAtLast(ScriptedLauncher):
    """A launcher that has no room at first, and then takes its time to launch."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.launches = 0
        self.go_on = asyncio.Event()

    async def launch(self, launch: Launch) -> JobHandle:
        self.launches += 1
        if self.launches == 1:
            raise NoCapacity("no room")
        await self.go_on.wait()
        return await super().launch(launch)


def test_quiet_time_counts_as_elapsed(begin: Callable[..., Session]) -> None:
    session = begin([b"loss=1\n", Hold("go")], Leaping())

    async def when_quiet() -> None:
        other = session.other
        while not other.points(metric="loss"):  # noqa: ASYNC110 -- as another process has to
            await asyncio.sleep(0.001)
        before = other.elapsed()
        while other.elapsed() < before + 100:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        session.world.open("go")

    async def test() -> Job:
        waiting = asyncio.create_task(when_quiet())
        job = await session.scheduler.run()
        await waiting
        return job

    assert asyncio.run(test()).status is JobStatus.COMPLETED


def test_every_request_is_heard_once(begin: Callable[..., Session]) -> None:
    session = begin([IgnoreStop(), b"loss=1\n", Hold("go")], WallClock())
    wanted = iter(["stop", "stop", "stop", "stop at once"])
    heard: list[bool] = []

    def listen(event: Event, change: Change) -> None:
        if isinstance(event, StopRequested):
            heard.append(event.at_once)
        seen = isinstance(event, Observed) and event.matches
        if (seen or isinstance(event, StopRequested)) and (kind := next(wanted, None)):
            session.other.request(kind, at=1.0)

    session.scheduler.listen(listen)
    assert asyncio.run(session.scheduler.run()).status is JobStatus.STOPPED
    assert heard == [False, False, False, True]


def test_a_stop_that_waits_already_comes_before_anything_is_started(begin: Callable[..., Session]) -> None:
    session = begin([b"loss=1\n"], WallClock())
    events: list[Event] = []
    session.scheduler.listen(lambda event, _: events.append(event))
    session.scheduler.request_stop(Reason.STOPPED, "`hpo stop` was called")
    assert asyncio.run(session.scheduler.run()).status is JobStatus.STOPPED
    assert not any(isinstance(event, Launched) for event in events)
    assert session.world.starts == {}


def test_a_run_that_ends_while_its_log_is_read_has_ended(begin: Callable[..., Session]) -> None:
    session = begin([b"loss=3\n", b"loss=2\n", Hold("never")], WallClock(), EndingWhenRead)

    async def test() -> Job:
        return await asyncio.wait_for(session.scheduler.run(), timeout=60)

    assert asyncio.run(test()).status is JobStatus.COMPLETED


def test_nothing_is_done_while_a_launch_that_had_to_wait_takes_its_time(
    begin: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perform, "RETRY_AFTER", 0.001)
    launchers: list[SlowAtLast] = []

    def launcher_of(world: World) -> SlowAtLast:
        launchers.append(SlowAtLast(world))
        return launchers[0]

    session = begin([b"loss=1\n"], WallClock(), launcher_of)
    events: list[Event] = []
    session.scheduler.listen(lambda event, _: events.append(event))

    async def let_it_take_time() -> int:
        (launcher,) = launchers
        while launcher.launches < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        before = len(events)
        for _ in range(1000):
            await asyncio.sleep(0)
        launcher.go_on.set()
        return sum(isinstance(event, Ticked) for event in events[before:])

    async def test() -> tuple[Job, int]:
        waiting = asyncio.create_task(let_it_take_time())
        job = await session.scheduler.run()
        return job, await waiting

    job, ticks = asyncio.run(test())
    assert job.status is JobStatus.COMPLETED
    assert ticks <= 1

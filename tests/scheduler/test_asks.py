"""A strategy that is asked beside the loop: what it sees of the job, and what becomes of its answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hpo.core.apply import Change
from hpo.core.events import Event, Observed, Proposed, StopRequested
from hpo.core.history import History
from hpo.core.job import Job, JobStatus
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import Launch, Reason, Trial, TrialStatus
from hpo.core.verdict import Verdict
from hpo.launchers.scripted import Hold, IgnoreStop, ScriptedLauncher, Step, World
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.clock import WallClock
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer, Reader
from hpo.search.strategy import Proposal
from hpo.store.sqlite import JobRecord, Store
from tests.command_line import PATIENCE

SETTINGS = Settings("job", Objective("loss", Goal.MINIMIZE), max_jobs=2, max_parallel_jobs=2)


class Thinker:
    """Thinks about trial 2 until it may answer, and stops a trial whose second value has come."""

    needs_results = True

    def __init__(self, answer: Callable[[], None] = lambda: None) -> None:
        self.may_answer = threading.Event()
        self.seen: list[tuple[int, int]] = []  # entries of the history's log, and points, around each ask
        self.judged: list[list[float]] = []
        self._answer = answer
        self._alone = threading.Lock()

    def prepare(self) -> None:
        pass

    @contextmanager
    def _work(self) -> Iterator[None]:
        assert self._alone.acquire(blocking=False), "it was called twice at once"
        try:
            yield
        finally:
            self._alone.release()

    def propose(self, history: History, number: int) -> Proposal:
        with self._work():
            self.seen.append((len(history.log), len(history.points)))
            if number == 2:
                assert self.may_answer.wait(PATIENCE)
                self.seen.append((len(history.log), len(history.points)))
                self._answer()
            return Proposal({"x": number}, "thought")

    def should_stop(self, history: History, number: int) -> Verdict | None:
        with self._work():
            values = [value for _, value in history.curve(number)]
            self.judged.append(values)
            return Verdict("two are enough") if len(values) == 2 else None


class Session:
    """A job in a folder under a thinker, each of whose trials does what a script says."""

    def __init__(self, folder: Path, thinker: Thinker, script: Callable[[Launch], Sequence[Step]]) -> None:
        self.thinker = thinker
        self.world = World(script)
        self.events: list[Event] = []
        record = JobRecord(SETTINGS, "random", "scripted", 1, "", "/", created=0.0)
        self._store = Store.create(folder / "job.db", record)
        launcher, clock = ScriptedLauncher(self.world), WallClock()
        reader = Reader(compile_metrics({"loss": r"loss=(\S+)"}), lambda _: "")
        performer = Performer(launcher, readers={None: reader}, objectives=["loss"], clock=clock)
        history = History(SETTINGS.objective)
        parts = Parts(self._store, history, thinker, launcher, performer, clock)
        self.scheduler = Scheduler(Job(SETTINGS), parts)

    def run(self, listen: Callable[[Event], None]) -> tuple[Job, list[Trial]]:
        def note(event: Event, _: Change) -> None:
            self.events.append(event)
            listen(event)

        self.scheduler.listen(note)
        try:
            return asyncio.run(self.scheduler.run()), self._store.trials()
        finally:
            self._store.close()


def losses(event: Event) -> list[float]:
    return [match.value for match in event.matches] if isinstance(event, Observed) else []


def test_what_happens_while_it_thinks_is_told_and_judged_when_it_has_answered(tmp_path: Path) -> None:
    def script(launch: Launch) -> Sequence[Step]:
        return [b"loss=1\n", Hold("more"), b"loss=2\n", Hold("never")] if launch.trial == 1 else [b"loss=3\n"]

    session = Session(tmp_path, Thinker(), script)

    def listen(event: Event) -> None:
        if losses(event) == [1]:
            session.world.open("more")
        elif losses(event) == [2]:
            assert session.thinker.judged == []
            session.thinker.may_answer.set()

    job, (first, second) = session.run(listen)
    assert job.status is JobStatus.COMPLETED
    assert session.thinker.seen == [(0, 0), (1, 0), (1, 0)]
    assert session.thinker.judged[:2] == [[1], [1, 2]]
    assert (first.status, first.detail) == (TrialStatus.PRUNED, "two are enough")
    assert (second.status, dict(second.params)) == (TrialStatus.COMPLETED, {"x": 2})


def test_what_it_raises_ends_the_session(tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError("no idea")

    session = Session(tmp_path, Thinker(fail), lambda _: [b"loss=1\n", Hold("never")])
    session.thinker.may_answer.set()
    with pytest.raises(ZeroDivisionError, match="no idea"):
        session.run(lambda _: None)
    assert session.world.stops == {}


@pytest.mark.parametrize("fails", [False, True])
def test_what_it_answers_to_a_job_that_ends_is_dropped(tmp_path: Path, fails: bool) -> None:
    def answer() -> None:
        loops[0].call_soon_threadsafe(session.world.open, "go")
        if fails:
            raise ZeroDivisionError

    def listen(event: Event) -> None:
        loops.append(asyncio.get_running_loop())
        if losses(event):
            session.scheduler.request_stop(Reason.STOPPED, "enough")
        elif isinstance(event, StopRequested):
            session.thinker.may_answer.set()

    loops: list[asyncio.AbstractEventLoop] = []
    session = Session(tmp_path, Thinker(answer), lambda _: [IgnoreStop(), b"loss=1\n", Hold("go")])
    job, trials = session.run(listen)
    assert job.status is JobStatus.STOPPED
    assert [trial.number for trial in trials] == [1]
    assert len([event for event in session.events if isinstance(event, Proposed)]) == 1

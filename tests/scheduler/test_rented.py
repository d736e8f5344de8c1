"""What the loop and a launcher that rents machines tell each other, over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hpo.core.apply import Change
from hpo.core.events import Event, Launched, Observed
from hpo.core.history import History
from hpo.core.job import EndReason, Job
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import Launch, Reason, RunReport, RunState, Trial, TrialStatus
from hpo.core.usage import Usage
from hpo.launchers.scripted import Hold, ScriptedLauncher, Step, World
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer, Reader
from hpo.search import registry
from hpo.spec.space import Continuous, Space
from hpo.store.sqlite import JobRecord, Store
from tests.crash.tuner import Hurried

METRICS = {"loss": r"loss=(\S+)", "epoch": r"epoch=(\S+)"}


class Renting(ScriptedLauncher):
    """A launcher that keeps what it was told to expect."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.expected: list[int] = []

    def expect(self, runs: int) -> None:
        self.expected.append(runs)


@dataclass
class Rented:
    """A job in a folder, each of whose trials does what a script says."""

    folder: Path
    script: Callable[[Launch], Sequence[Step]]
    settings: Settings
    advised: list[bytes] = field(default_factory=list)
    expected: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(self.script)
        self.path = self.folder / "job.db"
        record = JobRecord(self.settings, "random", "scripted", 1, "", "/", created=0.0)
        Store.create(self.path, record).close()

    def run(self, listen: Callable[[Event, Change], None] = lambda _event, _change: None) -> Job:
        store = Store.open(self.path)
        try:
            launcher = Renting(self.world)
            scheduler = Scheduler(Job(self.settings), self._parts(store, launcher))
            scheduler.listen(listen)
            return asyncio.run(scheduler.run())
        finally:
            store.close()
            self.expected = launcher.expected

    def _parts(self, store: Store, launcher: Renting) -> Parts:
        performer = Performer(
            launcher,
            readers={None: Reader(compile_metrics(METRICS), self._advise)},
            objectives=["loss"],
            clock=Hurried(),
        )
        strategy = registry.build(
            "random",
            space=Space((Continuous("x", 0.0, 1.0),)),
            seed=1,
            objective=self.settings.objective,
            max_jobs=self.settings.max_jobs,
            options={},
        )
        history = History(self.settings.objective)
        return Parts(store, history, strategy, launcher, performer, Hurried())

    def _advise(self, log: bytes) -> str:
        self.advised.append(log)
        return "print it"

    def trials(self) -> list[Trial]:
        store = Store.open(self.path)
        try:
            return store.trials()
        finally:
            store.close()

    def points(self, metric: str) -> list[float]:
        store = Store.open(self.path)
        try:
            return [point.value for point in store.points(metric=metric)]
        finally:
            store.close()


def settings(max_jobs: int = 1, max_parallel_jobs: int = 1, max_cost: float | None = None) -> Settings:
    objective = Objective("loss", Goal.MINIMIZE)
    worst = 1.0 if max_cost is not None else None
    return Settings("job", objective, max_jobs, max_parallel_jobs, max_cost=max_cost, worst_cost=worst)


def ending(metrics: Mapping[str, float], state: RunState = RunState.SUCCEEDED) -> RunReport:
    return RunReport(state, metrics=metrics, usage=Usage("m", billable_seconds=1800.0, price=1.0))


def test_a_launcher_is_told_how_many_runs_are_to_come(tmp_path: Path) -> None:
    rented = Rented(tmp_path, lambda _: [b"loss=1\n"], settings(max_jobs=3))
    rented.run()
    assert rented.expected == [3, 2, 1, 0]


def test_a_lost_run_is_expected_again(tmp_path: Path) -> None:
    def script(launch: Launch) -> Sequence[Step]:
        step: Step = RunReport(RunState.LOST) if launch.run == 1 else b"loss=1\n"
        return [step]

    rented = Rented(tmp_path, script, settings(2))
    rented.run()
    assert rented.expected == [2, 1, 2, 1, 0, 1, 0]


def test_of_a_job_that_ends_nothing_more_is_expected(tmp_path: Path) -> None:
    rented = Rented(tmp_path, lambda _: [b"loss=1\n", Hold("never")], settings(9, 2))
    scheduled: list[int] = []

    def listen(event: Event, change: Change) -> None:
        if isinstance(event, Launched):
            scheduled.append(event.trial)
            if len(scheduled) == 2:
                store = Store.open(rented.path)
                store.request("stop", at=1.0)
                store.close()

    rented.run(listen)
    assert rented.expected[0] == 9
    assert rented.expected[-2:] == [7, 0]


def test_a_metric_that_only_the_report_has_becomes_a_point(tmp_path: Path) -> None:
    script: list[Step] = [b"epoch=3\n", ending({"loss": 0.25, "epoch": 9.0})]
    rented = Rented(tmp_path, lambda _: script, settings())
    rented.run()
    (trial,) = rented.trials()
    assert (trial.status, trial.value) == (TrialStatus.COMPLETED, 0.25)
    assert rented.points("loss") == [0.25]
    assert trial.detail == "no line of the log gave loss: its value is the one that scripted read"
    assert trial.run.progress.latest == {"epoch": 3.0, "loss": 0.25}
    assert rented.advised == []


def test_the_log_is_believed_where_it_has_a_value(tmp_path: Path) -> None:
    rented = Rented(tmp_path, lambda _: [b"loss=0.5\n", ending({"loss": 0.25})], settings())
    rented.run()
    (trial,) = rented.trials()
    assert (trial.status, trial.value) == (TrialStatus.COMPLETED, 0.5)
    assert rented.points("loss") == [0.5]
    assert trial.detail == "the log's last loss is 0.5, scripted read 0.25"


def test_a_report_is_no_substitute_before_the_log_was_read_to_its_end(tmp_path: Path) -> None:
    lines = b"nothing here\n" * 200_000 + b"loss=0.5\n"
    rented = Rented(tmp_path, lambda _: [lines, ending({"loss": 0.25})], settings())
    looks: list[bool] = []

    def listen(event: Event, _: Change) -> None:
        if isinstance(event, Observed) and event.report.state.is_final:
            looks.append(event.more)

    rented.run(listen)
    assert looks[0] is True, "the log is longer than one look takes"
    assert rented.points("loss") == [0.5]


def test_without_any_value_there_is_still_advice(tmp_path: Path) -> None:
    rented = Rented(tmp_path, lambda _: [b"mute\n", ending({"epoch": 1.0})], settings())
    rented.run()
    (trial,) = rented.trials()
    assert (trial.status, trial.reason, trial.detail) == (
        TrialStatus.FAILED,
        Reason.NO_METRIC,
        "print it",
    )
    assert rented.advised == [b"mute\n"]


def test_a_job_ends_when_its_money_is_spent(tmp_path: Path) -> None:
    rented = Rented(tmp_path, lambda _: [b"loss=1\n", ending({})], settings(9, 2, max_cost=2.2))
    job = rented.run()
    assert job.ending is not None
    assert (job.ending.reason, job.proposed) == (EndReason.MAX_COST, 3)
    assert job.spent == pytest.approx(1.5)
    assert [trial.run.usage.cost for trial in rented.trials() if trial.run.usage] == [0.5, 0.5, 0.5]
    assert rented.expected[-1] == 0

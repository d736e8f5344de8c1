"""What is done once and written down first, though nothing dies."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hpo.core.apply import Change
from hpo.core.events import Event, Launched
from hpo.core.job import EndReason, JobStatus
from hpo.core.trial import Launch, Reason, RunReport, RunState, Trial, TrialStatus
from hpo.launchers.scripted import Hold, Step, UntilSeen, World
from hpo.scheduler.clock import WallClock
from hpo.scheduler.loop import Scheduler
from hpo.store.sqlite import Store
from tests.crash.shaken import losses, tuner


def test_the_last_line_counts_whenever_it_is_printed(folder: Path) -> None:
    """Right after the log was read and before the state is looked at, or the other way round."""

    def counted(launch: Launch) -> list[Step]:
        lines = [f"loss={line}\n".encode() for line in range(1, launch.trial + 1)]
        return [step for line in lines for step in (UntilSeen(), line)]

    made = tuner(folder / "job", max_jobs=4, script=counted)
    assert made.run() is not None
    assert [trial.value for trial in made.trials()] == [1, 2, 3, 4]


def test_exactly_max_jobs_whatever_happens(folder: Path) -> None:
    made = tuner(folder / "job", parallel=5, max_jobs=13)
    job = made.run()
    assert job is not None
    assert job.ending is not None
    assert (job.ending.reason, job.tally.ended) == (EndReason.MAX_JOBS, 13)
    assert len(made.world.starts) == 13


def test_values_are_written_down_before_they_are_tried(folder: Path) -> None:
    place = folder / "job"
    written: dict[int, list[Trial]] = {}

    def look_up(launch: Launch) -> list[Step]:
        written[launch.trial] = stored(place, launch.trial)
        return losses(launch)

    made = tuner(place, parallel=3, max_jobs=8, script=look_up)
    assert made.run() is not None
    assert {number: [dict(trial.params) for trial in trials] for number, trials in written.items()} == {
        trial.number: [dict(trial.params)] for trial in made.trials()
    }


def test_what_listeners_are_told_is_written_down(folder: Path) -> None:
    made = tuner(folder / "job", parallel=3, max_jobs=8)
    told: list[Trial] = []
    written: list[Trial] = []

    def look_up(_: Event, change: Change) -> None:
        told.extend(change.trials)
        for trial in change.trials:
            written.extend(stored(made.folder, trial.number))

    assert made.run(meddle=lambda scheduler: scheduler.listen(look_up)) is not None
    assert len(told) > 8
    assert written == told


def stored(place: Path, number: int) -> list[Trial]:
    """Return what another process finds of a trial."""
    store = Store.look(place / "job.db")
    try:
        return store.trials(number)
    finally:
        store.close()


def test_what_is_under_way_is_not_begun_again(folder: Path) -> None:
    made = tuner(folder / "job", strategy="hyperband", parallel=4, max_jobs=16, clock=WallClock)
    assert made.run() is not None
    assert made.asked == {f"j-{number:04d}-1": 1 for number in range(1, 17)}
    pruned = [trial.number for trial in made.trials() if trial.status is TrialStatus.PRUNED]
    assert made.world.stops == {f"j-{number:04d}-1": 1 for number in pruned}


@pytest.mark.parametrize("at_once", [False, True])
def test_a_stop_is_sent_once(folder: Path, at_once: bool) -> None:
    made = tuner(folder / "job", parallel=2, script=lambda _: [Hold("never")], clock=WallClock)

    def interrupt(scheduler: Scheduler) -> None:
        def listen(event: Event, _: Change) -> None:
            if isinstance(event, Launched) and event.trial == 2:
                scheduler.request_stop(Reason.INTERRUPTED, "^C", at_once=at_once)

        scheduler.listen(listen)

    job = made.run(meddle=interrupt)
    assert job is not None
    assert job.status is JobStatus.INTERRUPTED
    assert made.world.stops == {"j-0001-1": 1, "j-0002-1": 1}
    assert [trial.run.stopped_at_once for trial in made.trials()] == [at_once] * 2


def test_a_lost_run_is_launched_once_more(folder: Path) -> None:
    made = tuner(folder / "job", max_jobs=3)

    def lose(scheduler: Scheduler) -> None:
        scheduler.listen(lambda _event, _change: vanish(made.world, "j-0002-1"))

    job = made.run(meddle=lose)
    assert job is not None
    assert made.world.starts == {"j-0001-1": 1, "j-0002-1": 1, "j-0002-2": 1, "j-0003-1": 1}
    assert [trial.status for trial in made.trials()] == [TrialStatus.COMPLETED] * 3


def vanish(world: World, name: str) -> None:
    if world.run(name) is not None:
        world.end(name, RunReport(RunState.LOST))


def test_acceptance_7_pruned_trials_are_marked_and_never_best(folder: Path) -> None:
    made = tuner(folder / "job", strategy="hyperband", parallel=2, max_jobs=16)
    job = made.run()
    assert job is not None
    pruned = [trial for trial in made.trials() if trial.status is TrialStatus.PRUNED]
    assert pruned
    assert all("rung" in trial.detail for trial in pruned)
    assert job.tally.best is not None
    assert job.tally.best.status is TrialStatus.COMPLETED
    assert set(made.world.stops) == {f"j-{trial.number:04d}-1" for trial in pruned}
    best = min(t.value or math.inf for t in made.trials() if t.status is TrialStatus.COMPLETED)
    assert job.tally.best.value == best

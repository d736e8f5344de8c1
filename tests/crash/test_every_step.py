"""A tuner that dies at every single step: the next one finds everything, and nothing runs twice."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from random import Random

import pytest

from hpo.core.apply import Change
from hpo.core.events import Event, Launched
from hpo.core.inherit import Heir, inherit
from hpo.core.job import EndReason, JobStatus
from hpo.core.prior import NO_PRIOR, Parent, PastTrial, Prior, Priors, WarmStart
from hpo.core.repeats import Repeats
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import Launch, Reason, RunReport, RunState, Trial, TrialStatus
from hpo.launchers.scripted import Hold, Step, UntilSeen, World
from hpo.scheduler.clock import Clock, WallClock
from hpo.scheduler.loop import Scheduler
from hpo.spec.conditions import Condition
from hpo.spec.constraint import Domain
from hpo.spec.expression import parse
from hpo.spec.space import Categorical, Continuous, Integer, Space
from hpo.store.sqlite import Store
from tests.crash.tuner import Hurried, Tuner

SPACE = Space((Continuous("x", 0.0, 1.0), Integer("n", 1, 50)))

at_steps = pytest.mark.parametrize(
    "every", [5, pytest.param(1, marks=pytest.mark.slow)], ids=["every fifth step", "every step"]
)
"""Where it crashes: a fifth of the steps finds most of what all of them do."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is such a thing: hundreds of databases are written here."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


def losses(launch: Launch) -> list[Step]:
    """Return a script that goes on by a line with every look that is taken at it."""
    x = launch.params["x"]
    assert isinstance(x, float)
    if launch.trial % 4 == 0:
        return [UntilSeen(), b"no metric here\n"]
    if launch.trial % 7 == 0:
        failed = RunReport(RunState.FAILED, Reason.EXIT_STATUS, "exit status 1")
        return [UntilSeen(), b"loss=1\n", UntilSeen(), failed]
    lines = [f"step {step} loss={(x - 0.3) ** 2 + 0.1 / step!r}\n" for step in range(1, 5)]
    return [step for line in lines for step in (UntilSeen(), line.encode())]


def tuner(
    place: Path,
    *,
    strategy: str = "random",
    parallel: int = 1,
    max_jobs: int = 5,
    script: Callable[[Launch], Sequence[Step]] = losses,
    clock: Callable[[], Clock] = Hurried,
    repeats: int = 0,
    space: Space = SPACE,
    prior: Prior = NO_PRIOR,
) -> Tuner:
    place.mkdir()
    settings = Settings(
        "j",
        Objective("loss", Goal.MINIMIZE),
        max_jobs=max_jobs,
        max_parallel_jobs=parallel,
        attempts=2,
        repeats=Repeats("seed", tuple(range(1, repeats + 1))),
    )
    name, _, rule = strategy.partition(" with ")
    options = {"min_resource": 1, "max_resource": 4, "reduction_factor": 2} if name == "hyperband" else {}
    median = {"min_trials": 1, "min_steps": 2} if "median" in rule else None
    algorithms = ("one", "other") if "algorithms" in rule else ()
    priors: Priors = {None: prior} if not algorithms else {"one": prior} if prior.trials else {}
    made = Tuner(place, settings, space, World(script), name, options, clock, median, priors, algorithms)
    made.create()
    return made


def outcomes(made: Tuner) -> list[tuple[object, ...]]:
    """Return what became of each trial; how far a pruned one got until it was stopped is chance."""
    return [
        (
            trial.number,
            dict(trial.params),
            trial.status,
            None if trial.status is TrialStatus.PRUNED else trial.value,
            trial.detail,
            trial.verdict,
            trial.algorithm,
        )
        for trial in made.trials()
    ]


@pytest.mark.parametrize(
    "strategy",
    [
        "random",
        "bayesian",
        "hyperband",
        "random with median",
        "bayesian with median",
        "hyperband with algorithms",
    ],
)
@at_steps
def test_acceptance_3_a_crash_at_any_step_changes_nothing(strategy: str, every: int, folder: Path) -> None:
    stops_early = strategy not in {"random", "bayesian"}
    max_jobs = 12 if "algorithms" in strategy else 8 if stops_early else 5
    quiet = tuner(folder / "quiet", strategy=strategy, max_jobs=max_jobs)
    assert quiet.run() is not None
    expected = outcomes(quiet)
    pruned = [trial for trial in quiet.trials() if trial.status is TrialStatus.PRUNED]
    assert bool(pruned) is stops_early
    assert all(trial.verdict for trial in pruned)
    for step in count(1, every):
        shaken = tuner(folder / f"crash-{step}", strategy=strategy, max_jobs=max_jobs)
        if shaken.run(crash_at=step) is not None:
            break  # the job has no more steps
        assert shaken.run() is not None
        assert outcomes(shaken) == expected, f"after a crash at step {step}"
        assert set(shaken.world.starts.values()) == {1}
    assert step > 40


TIED = Space(
    (
        Continuous("x", 0.0, 1.0, step=0.125),
        Categorical("kind", ("sgd", "adam")),
        Continuous("momentum", 0.0, 0.75, step=0.75),
    ),
    {"momentum": (Condition("kind", ("sgd",)),)},
    (parse("x + momentum <= 1", {"x": Domain(), "momentum": Domain()}),),
)
"""A condition and a constraint, with 21 configurations."""


def parents(kind: WarmStart | None) -> Prior:
    """Return what eight trials of another job are to one of this space."""
    if kind is None:
        return NO_PRIOR
    random = Random(2)
    drawn = [TIED.cell(number) for number in random.sample(range(TIED.cardinality or 0), 8)]
    values = [(float(str(params["x"])) - 0.3) ** 2 for params in drawn]
    past = [PastTrial("p", number, *each) for number, each in enumerate(zip(drawn, values, strict=True), 1)]
    return inherit(Heir(kind, TIED, {}), [Parent("p", tuple(past))])


@pytest.mark.parametrize(
    ("strategy", "kind", "every"),
    [
        ("random with median", WarmStart.IDENTICAL, 5),
        ("random with median and algorithms", WarmStart.IDENTICAL, 7),  # the parents' are of one of the two
        ("grid with median", None, 13),  # which takes no parents
        ("hyperband", WarmStart.TRANSFER, 5),  # which stops trials itself
        ("bayesian with median", WarmStart.IDENTICAL, 17),
        ("bayesian with median", WarmStart.TRANSFER, 17),
    ],
)
def test_acceptance_3_nor_with_conditions_parents_and_early_stopping_at_once(
    strategy: str, kind: WarmStart | None, every: int, folder: Path
) -> None:
    prior, max_jobs = parents(kind), 21 if kind is None else 12
    quiet = tuner(folder / "quiet", strategy=strategy, max_jobs=max_jobs, space=TIED, prior=prior)
    assert quiet.run() is not None
    expected = outcomes(quiet)
    assert len(expected) == max_jobs
    assert any(trial.status is TrialStatus.PRUNED for trial in quiet.trials())
    assert {"momentum" in trial.params for trial in quiet.trials()} == {True, False}
    for step in count(1, every):
        place = folder / f"crash-{step}"
        shaken = tuner(place, strategy=strategy, max_jobs=max_jobs, space=TIED, prior=prior)
        if shaken.run(crash_at=step) is not None:
            break
        assert shaken.run() is not None
        assert outcomes(shaken) == expected, f"after a crash at step {step}"
    assert step > 40


@pytest.mark.parametrize(
    ("strategy", "seed"),
    [*(("random", seed) for seed in range(8)), *(("bayesian with median", seed) for seed in range(3))],
)
def test_acceptance_15_crash_after_crash_with_many_in_parallel(
    strategy: str, seed: int, folder: Path
) -> None:
    made = tuner(folder / "job", strategy=strategy, parallel=4, max_jobs=20)
    steps, crashes = 3 + seed, 0
    while made.run(crash_at=steps) is None:
        steps = 3 + (steps * 7 + seed) % 60
        crashes += 1
    assert crashes > 3
    assert made.world.starts == {f"j-{number:04d}-1": 1 for number in range(1, 21)}
    assert [trial.number for trial in made.trials()] == list(range(1, 21))
    assert all(trial.status.is_final for trial in made.trials())


def test_points_are_neither_lost_nor_doubled_by_a_crash(folder: Path) -> None:
    for step in range(1, 40):
        made = tuner(folder / str(step), max_jobs=2)
        made.run(crash_at=step)
        assert made.run() is not None
        points = Store(made.folder / "job.db").points(metric="loss")
        assert [point.step for point in points if point.trial == 1] == [1, 2, 3, 4]


def test_the_last_line_counts_whenever_it_is_printed(folder: Path) -> None:
    """Right after the log was read and before the state is looked at, or the other way round."""

    def counted(launch: Launch) -> list[Step]:
        lines = [f"loss={line}\n".encode() for line in range(1, launch.trial + 1)]
        return [step for line in lines for step in (UntilSeen(), line)]

    made = tuner(folder / "job", max_jobs=4, script=counted)
    assert made.run() is not None
    assert [trial.value for trial in made.trials()] == [1, 2, 3, 4]


def test_a_stop_cut_off_by_a_crash_leaves_trials_that_a_resume_runs_again(folder: Path) -> None:
    for step in range(6, 40):
        made = tuner(folder / str(step), parallel=3, max_jobs=6)
        died = made.run(crash_at=step, meddle=lambda s: s.request_stop(Reason.INTERRUPTED, "^C")) is None
        job = made.run(reopen={TrialStatus.CANCELLED})
        assert job is not None, f"died: {died}"
        assert job.status is JobStatus.COMPLETED
        finals = [trial.status for trial in made.trials()]
        assert len(finals) == 6
        assert TrialStatus.CANCELLED not in finals


def test_a_stop_after_a_crash_starts_nothing_in_order_to_stop_it(folder: Path) -> None:
    for step in range(1, 40):
        made = tuner(folder / str(step), parallel=3, max_jobs=6)
        made.run(crash_at=step)
        before = dict(made.world.starts)
        job = made.run(meddle=lambda s: s.request_stop(Reason.STOPPED, "`hpo stop` was called"))
        assert job is not None
        assert made.world.starts == before


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


def repeated(launch: Launch) -> list[Step]:
    """Return a script whose losses are other ones with each seed; two of its runs don't end well."""
    x, seed = launch.params["x"], launch.params["seed"]
    assert isinstance(x, float)
    assert isinstance(seed, int)
    lines = [
        f"loss={(x - 0.3) ** 2 + seed / 7 + 0.1 / step!r}\n".encode() for step in range(1, 4 // seed + 1)
    ]
    script: list[Step] = [step for line in lines for step in (UntilSeen(), line)]
    if (launch.trial, launch.run) == (1, 2):
        return [*script, RunReport(RunState.LOST)]
    if (launch.trial, seed) == (3, 2):
        return [*script, RunReport(RunState.FAILED, Reason.EXIT_STATUS, "exit status 1")]
    return script


@pytest.mark.parametrize(
    "strategy", ["random", "bayesian", "hyperband", "random with median", "random with algorithms"]
)
@at_steps
def test_a_crash_at_any_step_neither_loses_nor_doubles_a_repeat(
    strategy: str, every: int, folder: Path
) -> None:
    max_jobs = 6 if strategy in {"hyperband", "random with median"} else 3

    def shaken(place: Path) -> Tuner:
        return tuner(place, strategy=strategy, max_jobs=max_jobs, script=repeated, repeats=2)

    def runs(made: Tuner) -> list[list[tuple[object, ...]]]:
        return [[(run.repeat, run.value) for run in trial.runs] for trial in made.trials()]

    quiet = shaken(folder / "quiet")
    assert quiet.run() is not None
    first, _, third = quiet.trials()[:3]
    assert first.value == pytest.approx(sum(first.repeat_values) / 2)
    assert [(run.repeat, run.value is not None) for run in first.runs] == [(1, True), (2, False), (2, True)]
    assert (third.status, third.detail) == (TrialStatus.FAILED, "repeat 2 of 2: exit status 1")
    pruned = [trial for trial in quiet.trials() if trial.status is TrialStatus.PRUNED]
    assert bool(pruned) is (max_jobs == 6)
    assert all(len(trial.runs) == 1 for trial in pruned)
    for step in count(1, every):
        made = shaken(folder / f"crash-{step}")
        if made.run(crash_at=step) is not None:
            break  # the job has no more steps
        assert made.run() is not None
        assert outcomes(made) == outcomes(quiet), f"after a crash at step {step}"
        assert runs(made) == runs(quiet), f"after a crash at step {step}"
        assert set(made.world.starts.values()) == {1}
    assert step > 40


def test_a_job_that_is_stopped_between_repeats_goes_on_with_the_next_one(folder: Path) -> None:
    """Wherever it is stopped, and with a crash on top of that."""
    for step in range(6, 60, 3):
        made = tuner(folder / str(step), parallel=2, max_jobs=2, script=repeated, repeats=3)
        made.run(crash_at=step, meddle=lambda s: s.request_stop(Reason.INTERRUPTED, "^C"))
        made.run(crash_at=step + 20, reopen={TrialStatus.CANCELLED})
        assert made.run(reopen={TrialStatus.CANCELLED}) is not None
        for trial in made.trials():
            counting = [run.repeat for run in trial.runs if run.value is not None]
            assert (trial.status, counting) == (TrialStatus.COMPLETED, [1, 2, 3])
        ran = {f"j-{trial.number:04d}-{run.number}" for trial in made.trials() for run in trial.runs}
        assert made.world.starts == dict.fromkeys(ran, 1)


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

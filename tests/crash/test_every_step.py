"""A tuner that dies at every single step: the next one finds everything, and nothing runs twice."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from random import Random

import pytest

from hpo.core.inherit import Heir, inherit
from hpo.core.job import JobStatus
from hpo.core.prior import NO_PRIOR, Parent, PastTrial, Prior, WarmStart
from hpo.core.trial import Reason, TrialStatus
from hpo.spec.conditions import Condition
from hpo.spec.constraint import Domain
from hpo.spec.expression import parse
from hpo.spec.space import Categorical, Continuous, Space
from hpo.store.sqlite import Store
from tests.crash.shaken import at_steps, outcomes, tuner


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

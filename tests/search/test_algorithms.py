"""How trials are shared out among several algorithms, measured on functions in place of programs."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median

import pytest

from hpo.core.settings import Goal, Objective
from hpo.core.trial import Reason, TrialStatus
from hpo.search.algorithms import Algorithms, Searched
from hpo.search.registry import build
from hpo.search.strategy import Strategy
from hpo.spec.space import Continuous, Space, Values
from tests.search.conftest import Rehearsal

PLANE = Space((Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0)))
COUNT = 40

Function = Callable[[Values], float | None]


def bowl(floor: float) -> Function:
    """Return a function with its least value, `floor`, at (0.3, 0.7); random points have 0.25 more."""

    def loss(values: Values) -> float:
        x, y = values["x"], values["y"]
        assert isinstance(x, float)
        assert isinstance(y, float)
        return floor + (x - 0.3) ** 2 + (y - 0.7) ** 2

    return loss


class Several(Rehearsal):
    """Runs the trials of several algorithms, each on a function of its own; None fails."""

    functions: Mapping[str, Function]

    def end(self, number: int) -> None:
        self.function = self.functions[self.history.trials[number].algorithm or ""]
        super().end(number)


def several(name: str, functions: Mapping[str, Function], seed: int) -> Several:
    each = {key: Searched(_strategy(name, seed)) for key in functions}
    job = Several(Algorithms(each, max_jobs=COUNT), bowl(0.0))
    job.functions = functions
    return job


def _strategy(name: str, seed: int) -> Strategy:
    objective = Objective("loss", Goal.MINIMIZE)
    return build(name, space=PLANE, seed=seed, objective=objective, max_jobs=COUNT)


def shares(job: Rehearsal) -> Counter[str | None]:
    return Counter(trial.algorithm for trial in job.trials)


@functools.cache
def best_alone(name: str, seed: int) -> float:
    return Rehearsal(_strategy(name, seed), bowl(0.0)).run(COUNT, parallel=4).best


@pytest.mark.parametrize(
    ("name", "seeds"), [("random", 10), ("bayesian", 5), pytest.param("bayesian", 10, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("gap", [0.05, 0.2])
def test_the_better_algorithm_gets_clearly_most_and_is_tuned_as_if_alone(
    name: str, seeds: int, gap: float
) -> None:
    """Of 40 trials, 4 at a time: 80 % or more with every seed, and in the median within 0.003 of it alone."""
    functions = {"worse": bowl(gap), "better": bowl(0.0)}
    jobs = [several(name, functions, seed).run(COUNT, parallel=4) for seed in range(seeds)]
    assert min(shares(job)["better"] for job in jobs) >= 0.8 * COUNT
    assert min(shares(job)["worse"] for job in jobs) >= 5
    assert median(job.best - best_alone(name, seed) for seed, job in enumerate(jobs)) < 0.003


def test_neither_the_scale_of_the_objective_nor_its_goal_matters() -> None:
    def times(k: float, floor: float) -> Function:
        return lambda values: k * (bowl(floor)(values) or 0.0)

    small, large = (
        several("random", {"worse": times(k, 0.2), "better": times(k, 0.0)}, 1) for k in (1.0, 1e9)
    )
    of_both = [[trial.algorithm for trial in job.run(COUNT).trials] for job in (small, large)]
    assert of_both[0] == of_both[1]


def test_algorithms_that_are_alike_get_about_the_same() -> None:
    job = several("random", {"one": lambda _: 0.5, "other": lambda _: 0.5}, 1).run(COUNT, parallel=3)
    assert set(shares(job).values()) == {COUNT // 2}


def test_one_that_always_fails_is_hardly_tried_again() -> None:
    job = several("bayesian", {"broken": lambda _: None, "fine": bowl(0.0)}, 1).run(COUNT, parallel=2)
    assert 5 <= shares(job)["broken"] <= 10
    assert all(trial.status is TrialStatus.FAILED for trial in job.trials if trial.algorithm == "broken")


def test_while_nothing_has_completed_all_are_tried_alike() -> None:
    job = several("random", {"one": lambda _: None, "other": lambda _: None}, 1).run(20)
    assert shares(job) == {"one": 10, "other": 10}


def test_trials_that_have_not_ended_count() -> None:
    """As many as run at once are not all given to one for what it promised before."""
    job = several("random", {"one": bowl(0.0), "other": bowl(0.01)}, 3).run(12)
    for number in range(13, 25):
        proposal = job.strategy.propose(job.history, number)
        assert proposal is not None
        trial = replace(job.trials[-1], number=number, params=proposal.params, value=None, place=None)
        job.history.record(replace(trial, status=TrialStatus.RUNNING, algorithm=proposal.algorithm))
    assert len({trial.algorithm for trial in job.trials[12:]}) == 2


def test_a_trial_that_ran_again_counts_once() -> None:
    job = several("random", {"one": bowl(0.0), "other": bowl(0.2)}, 1).run(10)
    lost = replace(job.trials[-1], status=TrialStatus.FAILED, reason=Reason.LOST, value=None)
    job.history.record(lost)
    job.strategy.propose(job.history, 11)
    job.history.record(job.trials[-1])
    fresh = several("random", {"one": bowl(0.0), "other": bowl(0.2)}, 1)
    assert job.strategy.propose(job.history, 11) == fresh.strategy.propose(job.history, 11)


def test_it_says_why_an_algorithm_was_chosen() -> None:
    job = several("bayesian", {"worse": bowl(0.2), "better": bowl(0.0)}, 1).run(20)
    said = [trial.proposed_by for trial in job.trials]
    assert said[0].endswith("; trial 1 of the first 5 of worse")
    assert said[-1].endswith("; better promises most, after 14 trials of it")
    alone = Rehearsal(_strategy("bayesian", 1), bowl(0.0)).run(1)
    assert said[0].startswith(f"{alone.trials[0].proposed_by}; ")

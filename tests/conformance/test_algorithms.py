"""What holds of every strategy also where each of several algorithms is searched by one."""

from __future__ import annotations

from random import Random

import pytest

from hpo.core.trial import TrialStatus
from hpo.search.algorithms import Algorithms, Searched
from hpo.search.early_stopping import EarlyStopping, Median
from hpo.search.registry import build, names
from hpo.search.strategy import Strategy
from hpo.spec.space import Categorical, Continuous, Integer, Space, identity
from tests.conformance.jobs import MAX_JOBS, OBJECTIVE, OPTIONS, TIED, Job, schedules

SMALL = Space((Categorical("size", ("s", "m")), Integer("depth", 1, 3)))
"""Six configurations, with a parameter that the other space has as well, of another type."""

every_strategy = pytest.mark.parametrize("name", names())


def under(name: str, spaces: dict[str, Space], *, early: bool = False, initial: int = 0) -> Strategy:
    def searched(space: Space) -> Searched:
        first = [space.cell(number) for number in range(initial)]
        strategy = build(
            name,
            space=space,
            seed=7,
            objective=OBJECTIVE,
            max_jobs=MAX_JOBS,
            options=OPTIONS.get(name, {}),
            initial=first,
        )
        if early:
            strategy = EarlyStopping(strategy, Median(), min_trials=2, min_steps=1)
        return Searched(strategy, initial)

    return Algorithms({key: searched(space) for key, space in spaces.items()}, max_jobs=MAX_JOBS)


@every_strategy
@schedules(2, of=4)
@pytest.mark.parametrize("early", [False, True])
def test_a_resumed_job_goes_on_as_the_uninterrupted_one(name: str, schedule: int, *, early: bool) -> None:
    wide = TIED if name == "grid" else Space((*TIED, Continuous("x", 0.0, 1.0)), TIED.conditions)
    spaces = {"wide": wide, "small": SMALL}
    job = Job(under(name, spaces, early=early), Random(schedule))
    for number, proposal in enumerate(job.proposals(MAX_JOBS), 1):
        loaded, resumed = job.as_loaded(), under(name, spaces, early=early)
        assert resumed.propose(loaded, number) == proposal
        assert proposal is not None
        assert spaces[proposal.algorithm or ""].contains(proposal.params)
        for trial in job.open():
            verdict = job.strategy.should_stop(job.history, trial.number)
            assert resumed.should_stop(loaded, trial.number) == verdict


@every_strategy
@pytest.mark.parametrize("parallel", [1, 8])
def test_every_configuration_of_each_algorithm_is_tried_once_then_nothing_is_left(
    name: str, parallel: int
) -> None:
    spaces = {"tied": TIED, "small": SMALL}
    job = Job(under(name, spaces), Random(4), parallel=parallel)
    proposals = list(job.proposals(50 + 6 + 1))
    assert proposals.pop() is None
    tried = [(each.algorithm, identity(each.params)) for each in proposals if each is not None]
    assert len(set(tried)) == 50 + 6
    assert sum(algorithm == "small" for algorithm, _ in tried) == 6


@every_strategy
def test_what_is_to_be_tried_first_is_in_turn(name: str) -> None:
    job = Job(under(name, {"tied": TIED, "small": SMALL}, initial=4), Random(5))
    first = [proposal for proposal in list(job.proposals(10))[:8] if proposal is not None]
    assert [proposal.algorithm for proposal in first] == ["tied", "small"] * 4
    assert [proposal.params for proposal in first] == [
        space.cell(number) for number in range(4) for space in (TIED, SMALL)
    ]


def test_trials_are_stopped_by_comparison_with_their_own_algorithm_alone() -> None:
    strategy = under("hyperband", {"wide": Space((Continuous("x", 0.0, 1.0),)), "small": SMALL})
    job = Job(strategy, Random(2))
    list(job.proposals(MAX_JOBS))
    trials = job.history.trials
    pruned = [trial for trial in trials.values() if trial.status is TrialStatus.PRUNED]
    assert pruned
    assert isinstance(strategy, Algorithms)
    for trial in pruned:
        decisions = strategy.decisions(job.history, trial.number)
        assert decisions[-1].stops
        assert trial.number in [number for number, _ in decisions[-1].against]
        for decision in decisions:
            assert {trials[number].algorithm for number, _ in decision.against} == {trial.algorithm}

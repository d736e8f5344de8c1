"""What every strategy that takes several objectives must do, with some trials that miss a requirement."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hpo.core.history import History
from hpo.core.inherit import Heir, inherit
from hpo.core.prior import NO_PRIOR, Parent, PastTrial, Prior, WarmStart
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Reason, Trial, TrialStatus
from hpo.search.registry import build
from hpo.search.strategy import Strategy
from hpo.spec.space import Categorical, Continuous, Integer, Space, identity
from tests.conformance.jobs import (
    OBJECTIVE,
    TIED,
    TWENTY_FOUR,
    Job,
    few_examples,
    schedules,
)
from tests.conformance.spaces import tied_spaces

OTHERS = (Objective("latency", Goal.MINIMIZE), Objective("size", Goal.MINIMIZE))
MIXED = Space((*TWENTY_FOUR, Continuous("x", 0.0, 1.0)))

every_strategy = pytest.mark.parametrize("name", ["bayesian", "random", "grid"])
every_count = pytest.mark.parametrize("others", [OTHERS[:1], OTHERS], ids=["two", "three"])


def strategy(
    name: str,
    space: Space,
    *,
    others: tuple[Objective, ...] = OTHERS[:1],
    seed: int = 7,
    max_jobs: int = 20,
    prior: Prior = NO_PRIOR,
) -> Strategy:
    return build(
        name, space=space, seed=seed, objective=OBJECTIVE, max_jobs=max_jobs, others=others, prior=prior
    )


def began(space: Space, others: int) -> Prior:
    """Return the trials of a parent of as many objectives."""
    random = Random(5)
    past = [
        PastTrial(
            "parent",
            number,
            space.from_unit([random.random() for _ in space]),
            random.random(),
            tuple(random.random() for _ in range(others)),
        )
        for number in range(1, 9)
    ]
    return inherit(Heir(WarmStart.IDENTICAL, space, {}), [Parent("parent", tuple(past))])


class JobOfSeveral(Job):
    """A job whose trials have a value of each objective, some of them odd, and may miss a requirement."""

    def __init__(self, under: Strategy, random: Random, *, others: int = 1, parallel: int = 4) -> None:
        super().__init__(under, random, parallel=parallel)
        self._others = others

    def ended(self, trial: Trial) -> Trial:
        trial = super().ended(trial)
        values = [self.random.choice([self.random.random(), 0.5, 1e308]) for _ in range(self._others)]
        violation = self.random.choice([0.0, 0.0, self.random.random(), math.inf])
        if trial.status is not TrialStatus.COMPLETED:
            return trial
        return replace(trial, others=tuple(values), violation=violation)


@every_strategy
@every_count
@schedules(2, of=4)
def test_a_resumed_job_goes_on_as_the_uninterrupted_one(
    name: str, others: tuple[Objective, ...], schedule: int
) -> None:
    space = TWENTY_FOUR if name == "grid" else MIXED
    job = JobOfSeveral(strategy(name, space, others=others), Random(schedule), others=len(others))
    for number, proposal in enumerate(job.proposals(24), 1):
        assert strategy(name, space, others=others).propose(job.as_loaded(), number) == proposal
        assert job.strategy.propose(job.history, number) == proposal
        assert proposal is None or space.contains(proposal.params)


@pytest.mark.parametrize("name", ["bayesian", "random"])
@every_count
def test_a_resumed_job_with_parents_goes_on_as_the_uninterrupted_one(
    name: str, others: tuple[Objective, ...]
) -> None:
    prior = began(MIXED, len(others))

    def new(prior: Prior = prior) -> Strategy:
        return strategy(name, MIXED, others=others, prior=prior)

    job = JobOfSeveral(new(), Random(1), others=len(others))
    cold = []
    for number, proposal in enumerate(job.proposals(16), 1):
        assert new().propose(job.as_loaded(), number) == proposal
        assert proposal is not None
        cold.append(new(NO_PRIOR).propose(job.as_loaded(), number) == proposal)
    assert all(cold) is (name == "random"), "what parents know changes what a model proposes"


@every_strategy
def test_conditions_and_constraints_are_kept_to_and_the_same_seed_is_the_same(name: str) -> None:
    @settings(few_examples, max_examples=8)
    @given(tied_spaces(finite=name == "grid"), st.integers(0, 2**40), st.integers(0, 99))
    def check(space: Space, seed: int, schedule: int) -> None:
        assume(name != "grid" or space.cardinality is not None)
        under = [strategy(name, space, seed=seed, max_jobs=9) for _ in range(2)]
        job, again = (JobOfSeveral(each, Random(schedule)) for each in under)
        for proposal, same in zip(job.proposals(10), again.proposals(10), strict=True):
            assert proposal == same
            assert proposal is None or space.contains(proposal.params), proposal

    check()


@every_strategy
@pytest.mark.parametrize(
    ("space", "count", "parallel"),
    [(TWENTY_FOUR, 24, 1), (TWENTY_FOUR, 24, 8), (TIED, 50, 4)],
    ids=["one at a time", "eight at a time", "tied"],
)
def test_a_finite_space_is_tried_exactly_once_then_nothing_is_left(
    name: str, space: Space, count: int, parallel: int
) -> None:
    job = JobOfSeveral(strategy(name, space, max_jobs=99), Random(3), parallel=parallel)
    proposals = list(job.proposals(count + 1))
    assert proposals.pop() is None
    assert len({identity(proposal.params) for proposal in proposals if proposal is not None}) == count


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e308, -1e308, 0.0], ids=lambda value: f"all {value}")
@pytest.mark.parametrize("violation", [0.0, math.inf])
@every_count
def test_odd_and_tied_values_do_no_harm(
    others: tuple[Objective, ...], violation: float, value: float
) -> None:
    under = strategy("bayesian", TWENTY_FOUR, others=others)
    history = History(OBJECTIVE)
    for number in range(1, 21):
        proposal = under.propose(history, number)
        assert proposal is not None
        trial = Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING)
        history.record(trial)
        values = (value,) * len(others)
        completed = TrialStatus.COMPLETED
        history.record(replace(trial, status=completed, value=value, others=values, violation=violation))


@pytest.mark.parametrize("reason", Reason)
def test_it_goes_on_where_all_trials_fail(reason: Reason) -> None:
    under = strategy("bayesian", TWENTY_FOUR)
    history = History(OBJECTIVE)
    for number in range(1, 21):
        proposal = under.propose(history, number)
        assert proposal is not None
        trial = Trial(number, proposal.params, proposal.proposed_by)
        history.record(trial)
        history.record(replace(trial, status=TrialStatus.FAILED, reason=reason, others=(None,)))


def test_in_narrowed_ranges_earlier_trials_do_no_harm() -> None:
    narrow = Space((Categorical("kind", (1, True)), Integer("size", 2, 4), Continuous("x", 0.4, 0.5)))
    job = JobOfSeveral(strategy("bayesian", MIXED), Random(1))
    chosen = []
    for number, _ in enumerate(job.proposals(30), 1):
        if number == 20:
            job.strategy = strategy("bayesian", narrow)
        if number >= 20:
            proposal = job.strategy.propose(job.history, number)
            assert proposal is not None
            assert narrow.contains(proposal.params)
            assert strategy("bayesian", narrow).propose(job.as_loaded(), number) == proposal
            chosen.append(proposal.proposed_by)
    assert "outside of the ranges" in chosen[-1]

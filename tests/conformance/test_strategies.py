"""What every strategy must do, whichever it is."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hpo.core.history import History
from hpo.core.prior import WarmStart
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Reason, Trial, TrialStatus
from hpo.search.early_stopping import EarlyStopping, Median, Percentile, Rule
from hpo.search.registry import build, names
from hpo.search.strategy import Strategy
from hpo.spec.space import Categorical, Continuous, Integer, Space, identity
from tests.conformance.jobs import (
    MAX_JOBS,
    OBJECTIVE,
    OPTIONS,
    TIED,
    TWENTY_FOUR,
    Job,
    few_examples,
    schedules,
    strategy,
    warm,
)
from tests.conformance.spaces import spaces, tied_spaces

every_strategy = pytest.mark.parametrize("name", names())


@every_strategy
def test_conditions_and_constraints_are_kept_to_and_the_same_seed_is_the_same(name: str) -> None:
    @settings(few_examples, max_examples=12)
    @given(tied_spaces(finite=name == "grid"), st.integers(0, 2**40), st.integers(0, 99))
    def check(space: Space, seed: int, schedule: int) -> None:
        assume(name != "grid" or space.cardinality is not None)
        job, again = (Job(strategy(name, space, seed=seed), Random(schedule)) for _ in range(2))
        both = zip(job.proposals(10), again.proposals(10), strict=True)
        for number, (proposal, same) in enumerate(both, 1):
            assert proposal == same
            if number == 6:
                assert strategy(name, space, seed=seed).propose(job.as_loaded(), number) == proposal
            if proposal is not None:
                assert space.contains(proposal.params), proposal
                active = [parameter.name for parameter in space if parameter.name in proposal.params]
                assert list(proposal.params) == active

    check()


@every_strategy
@pytest.mark.parametrize("parallel", [1, 8])
def test_a_tied_space_is_tried_exactly_once_then_nothing_is_left(name: str, parallel: int) -> None:
    assert TIED.cardinality == 50
    job = Job(strategy(name, TIED, max_jobs=60), Random(4), parallel=parallel)
    proposals = list(job.proposals(51))
    assert proposals.pop() is None
    assert len({identity(proposal.params) for proposal in proposals if proposal is not None}) == 50
    assert all(proposal is not None and TIED.contains(proposal.params) for proposal in proposals)


@every_strategy
def test_initial_trials_come_first_and_are_not_tried_again(name: str) -> None:
    initial = [TIED.cell(number) for number in (21, 3, 49)]
    options = OPTIONS.get(name, {})
    under = build(
        name, space=TIED, seed=7, objective=OBJECTIVE, max_jobs=60, options=options, initial=initial
    )
    job = Job(under, Random(5))
    proposals = [proposal for proposal in job.proposals(51) if proposal is not None]
    assert [proposal.params for proposal in proposals[:3]] == initial
    assert [proposal.proposed_by for proposal in proposals[:3]] == [f"initial {n} of 3" for n in (1, 2, 3)]
    assert len({identity(proposal.params) for proposal in proposals}) == 50
    assert job.strategy.propose(job.history, 51) is None


@every_strategy
def test_proposals_lie_inside_the_space_and_keep_their_types(name: str) -> None:
    @few_examples
    @given(spaces(finite=name == "grid"), st.integers(0, 2**40), st.integers(0, 99))
    def check(space: Space, seed: int, schedule: int) -> None:
        for proposal in Job(strategy(name, space, seed=seed), Random(schedule)).proposals(12):
            if proposal is not None:
                assert space.contains(proposal.params), proposal
                assert list(proposal.params) == [parameter.name for parameter in space]
                assert proposal.proposed_by

    check()


@every_strategy
@schedules(2, of=4)
@pytest.mark.parametrize("early", [None, Median(), Percentile()], ids=["off", "median", "percentile"])
def test_a_resumed_job_goes_on_as_the_uninterrupted_one(name: str, schedule: int, early: Rule | None) -> None:
    def new() -> Strategy:
        inner = strategy(name, space)
        return inner if early is None else EarlyStopping(inner, early, min_trials=2, min_steps=1)

    space = TWENTY_FOUR if name == "grid" else Space((*TWENTY_FOUR, Continuous("x", 0.0, 1.0)))
    job = Job(new(), Random(schedule))
    for number, proposal in enumerate(job.proposals(MAX_JOBS), 1):
        loaded = job.as_loaded()
        resumed = new()
        assert resumed.propose(loaded, number) == proposal
        for trial in job.open():
            verdict = job.strategy.should_stop(job.history, trial.number)
            assert resumed.should_stop(loaded, trial.number) == verdict


@pytest.mark.parametrize("name", [name for name in names() if name != "grid"])  # whose ranges stay
@schedules(1, of=3)
def test_in_narrowed_ranges_earlier_trials_do_no_harm(name: str, schedule: int) -> None:
    wide = Space((*TWENTY_FOUR, Continuous("x", 0.0, 1.0)))
    kind, size, x = Categorical("kind", (1, True)), Integer("size", 2, 4), Continuous("x", 0.4, 0.5)
    narrow = Space((kind, size, x))
    job = Job(strategy(name, wide), Random(schedule))
    for number, _ in enumerate(job.proposals(2 * MAX_JOBS), 1):
        if number < MAX_JOBS:
            continue
        if number == MAX_JOBS:
            job.strategy = strategy(name, narrow)
        loaded = job.as_loaded()
        proposal = job.strategy.propose(job.history, number)
        assert proposal is not None
        assert narrow.contains(proposal.params)
        assert strategy(name, narrow).propose(loaded, number) == proposal


@every_strategy
@pytest.mark.parametrize("kind", WarmStart)
@schedules(1, of=3)
def test_a_resumed_job_with_parents_goes_on_as_the_uninterrupted_one(
    name: str, kind: WarmStart, schedule: int
) -> None:
    space = TWENTY_FOUR if name == "grid" else Space((*TWENTY_FOUR, Continuous("x", 0.0, 1.0)))
    prior = warm(kind, space)
    job = Job(strategy(name, space, prior=prior), Random(schedule))
    for number, proposal in enumerate(job.proposals(MAX_JOBS), 1):
        assert strategy(name, space, prior=prior).propose(job.as_loaded(), number) == proposal
        assert proposal is None or space.contains(proposal.params)


@every_strategy
@pytest.mark.parametrize("kind", WarmStart)
@schedules(1, of=2)
def test_a_resumed_job_goes_on_with_conditions_parents_and_early_stopping(
    name: str, kind: WarmStart, schedule: int
) -> None:
    space = TIED if name == "grid" else replace(TIED, parameters=(*TIED, Continuous("x", 0.0, 1.0)))
    prior = warm(kind, space)

    def new() -> Strategy:
        return EarlyStopping(strategy(name, space, prior=prior), Median(), min_trials=2, min_steps=1)

    job = Job(new(), Random(schedule))
    for number, proposal in enumerate(job.proposals(MAX_JOBS), 1):
        loaded, resumed = job.as_loaded(), new()
        assert resumed.propose(loaded, number) == proposal
        assert proposal is not None
        assert space.contains(proposal.params)
        for trial in job.open():
            verdict = job.strategy.should_stop(job.history, trial.number)
            assert resumed.should_stop(loaded, trial.number) == verdict


@every_strategy
@pytest.mark.parametrize("kind", WarmStart)
def test_parents_keep_a_finite_space_from_being_tried_twice(name: str, kind: WarmStart) -> None:
    prior = warm(kind, TWENTY_FOUR)
    job = Job(strategy(name, TWENTY_FOUR, prior=prior), Random(3))
    tried = [identity(proposal.params) for proposal in job.proposals(25) if proposal is not None]
    known = {identity(trial.params) for trial in prior.trials if trial.params is not None}
    assert len(set(tried)) == len(tried)
    if name == "bayesian" and kind is WarmStart.IDENTICAL:  # the others' values don't depend on results
        assert {*tried, *known} == {identity(TWENTY_FOUR.cell(index)) for index in range(24)}
        assert not known.intersection(tried)
    else:
        assert len(tried) == 24


@every_strategy
def test_asking_again_changes_nothing(name: str) -> None:
    job = Job(strategy(name, TWENTY_FOUR), Random(1))
    for number, proposal in enumerate(job.proposals(MAX_JOBS), 1):
        assert job.strategy.propose(job.history, number) == proposal


@every_strategy
def test_one_strategy_answers_for_whichever_history_it_is_given(name: str) -> None:
    jobs = [Job(strategy(name, TWENTY_FOUR), Random(schedule)) for schedule in (1, 2)]
    shared = strategy(name, TWENTY_FOUR)
    both = zip(jobs[0].proposals(MAX_JOBS), jobs[1].proposals(MAX_JOBS), strict=True)
    for number, proposals in enumerate(both, 1):
        for job, proposal in zip(jobs, proposals, strict=True):
            assert shared.propose(job.history, number) == proposal


@every_strategy
@pytest.mark.parametrize("parallel", [1, 4, 8, 24])
def test_a_finite_space_is_tried_exactly_once_then_nothing_is_left(name: str, parallel: int) -> None:
    job = Job(strategy(name, TWENTY_FOUR), Random(3), parallel=parallel)
    proposals = list(job.proposals(25))
    assert proposals.pop() is None
    tried = {identity(proposal.params) for proposal in proposals if proposal is not None}
    assert len(tried) == len(proposals) == 24
    assert job.strategy.propose(job.history, 25) is None


@every_strategy
@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0], ids=lambda value: f"all {value}"
)
def test_odd_and_tied_values_do_no_harm(name: str, value: float, goal: Goal) -> None:
    objective = Objective("score", goal)
    options = OPTIONS.get(name, {})
    under = build(name, space=TWENTY_FOUR, seed=1, objective=objective, max_jobs=MAX_JOBS, options=options)
    history = History(objective)
    for number in range(1, MAX_JOBS + 1):
        proposal = under.propose(history, number)
        assert proposal is not None
        assert TWENTY_FOUR.contains(proposal.params)
        trial = Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING)
        history.record(trial)
        history.extend([Point(number, 1, "score", 1.0, value, 0.0)])
        under.should_stop(history, number)
        history.record(replace(trial, status=TrialStatus.COMPLETED, value=value))


@every_strategy
@pytest.mark.parametrize("reason", Reason)
def test_it_goes_on_where_all_trials_fail(name: str, reason: Reason) -> None:
    under = strategy(name, TWENTY_FOUR)
    history = History(OBJECTIVE)
    for number in range(1, MAX_JOBS + 1):
        proposal = under.propose(history, number)
        assert proposal is not None
        trial = Trial(number, proposal.params, proposal.proposed_by)
        history.record(trial)
        history.record(replace(trial, status=TrialStatus.FAILED, reason=reason))


@every_strategy
def test_a_trial_that_has_shown_nothing_goes_on(name: str) -> None:
    under = strategy(name, TWENTY_FOUR)
    under.prepare()
    history = History.of(OBJECTIVE, [Trial(1, TWENTY_FOUR.middle(), "test", TrialStatus.RUNNING)])
    assert not under.should_stop(history, 1)

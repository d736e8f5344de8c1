"""Draws of random search, which Hyperband and the Bayesian start share; and the grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Trial
from hpo.search.registry import build
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space

Rehearse = Callable[..., Any]
OBJECTIVE = Objective("loss", Goal.MINIMIZE)


def cumulative(scaling: Scaling) -> Callable[[float], float]:
    """Return the distribution function of the scaling on [0.01, 0.9]."""
    match scaling:
        case Scaling.LINEAR:
            return lambda x: (x - 0.01) / 0.89
        case Scaling.LOGARITHMIC:
            return lambda x: math.log(x / 0.01) / math.log(90)
        case Scaling.REVERSE_LOGARITHMIC:
            return lambda x: math.log(0.99 / (1 - x)) / math.log(9.9)


@pytest.mark.parametrize("name", ["random", "hyperband"])
@pytest.mark.parametrize("scaling", Scaling)
def test_acceptance_2_draws_follow_the_scaling(name: str, scaling: Scaling) -> None:
    """The Kolmogorov-Smirnov distance of 2,000 draws stays below its bound for 1 %."""
    space = Space((Continuous("x", 0.01, 0.9, scaling),))
    options = {"min_resource": 1, "max_resource": 9} if name == "hyperband" else {}
    under = build(name, space=space, seed=3, objective=OBJECTIVE, max_jobs=2000, options=options)
    proposals = [under.propose(History(OBJECTIVE), number) for number in range(1, 2001)]
    expected = cumulative(scaling)
    places = sorted(expected(float(str(proposal.params["x"]))) for proposal in proposals if proposal)
    distance = max(
        max((rank + 1) / len(places) - place, place - rank / len(places)) for rank, place in enumerate(places)
    )
    assert distance < 1.63 / math.sqrt(2000)


def tried(space: Space, indices: range) -> History:
    cells = (space.cell(index) for index in indices)
    return History.of(OBJECTIVE, (Trial(number, cell, "test") for number, cell in enumerate(cells, 1)))


@pytest.mark.parametrize("missing", [0, 617, 999])
@pytest.mark.parametrize("name", ["random", "bayesian"])
def test_the_last_new_configuration_is_found(name: str, missing: int) -> None:
    space = Space((Integer("a", 1, 100), Integer("b", 1, 1000, Scaling.LOGARITHMIC, step=100)))
    cells = [index for index in range(1000) if index != missing]
    trials = [Trial(number, space.cell(index), "test") for number, index in enumerate(cells, 1)]
    history = History.of(OBJECTIVE, trials)
    under = build(name, space=space, seed=1, objective=OBJECTIVE, max_jobs=2000)
    proposal = under.propose(history, 1000)
    assert proposal is not None
    assert proposal.params == space.cell(missing)
    history.record(Trial(1000, proposal.params, proposal.proposed_by))
    assert under.propose(history, 1001) is None


def test_a_finite_space_beyond_all_counting_is_no_harder() -> None:
    space = Space(tuple(Integer(f"p-{index}", 1, 10**15) for index in range(4)))
    under = build("random", space=space, seed=1, objective=OBJECTIVE, max_jobs=10)
    proposal = under.propose(tried(space, range(100)), 101)
    assert proposal is not None
    assert space.contains(proposal.params)


def test_another_seed_or_number_gives_other_values() -> None:
    space = Space((Continuous("x", 0.0, 1.0),))
    drawn = set()
    for seed in (0, 1, -1, 2**70):
        under = build("random", space=space, seed=seed, objective=OBJECTIVE, max_jobs=10)
        for number in range(1, 51):
            proposal = under.propose(History(OBJECTIVE), number)
            assert proposal is not None
            drawn.add(proposal.params["x"])
    assert len(drawn) == 200


def test_a_grid_goes_through_its_cells_with_the_last_parameter_fastest(rehearse: Rehearse) -> None:
    space = Space((Categorical("kind", ("a", "b")), Integer("size", 1, 5, step=2)))
    trials = rehearse("grid", space, lambda _: 0.0).run(6).trials
    assert [tuple(trial.params.values()) for trial in trials] == [
        ("a", 1),
        ("a", 3),
        ("a", 5),
        ("b", 1),
        ("b", 3),
        ("b", 5),
    ]
    assert trials[3].proposed_by == "grid cell 4 of 6"


def test_acceptance_1_a_grid_takes_discrete_parameters_only() -> None:
    space = Space((Continuous("x", 0.0, 1.0),))
    with pytest.raises(ValueError, match="discrete parameters only"):
        build("grid", space=space, seed=1, objective=OBJECTIVE, max_jobs=10)

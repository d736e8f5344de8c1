"""The Bayesian engine by itself: what it proposes for odd evidence, and where it looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.engine import Engine
from hpo.search.bayesian.pull import Pull
from hpo.search.bayesian.start import POINTS, Start
from hpo.search.bayesian.subset import subset
from hpo.search.bayesian.surrogate import Evidence
from hpo.spec.space import Continuous, Space
from tests.search.evidence import ENCODING, SPACE, points


def evidence(
    where: Array, losses: Array, *, failed: Array | None = None, pending: Array | None = None
) -> Evidence:
    none = np.empty((0, where.shape[1]))
    return Evidence(
        points=where,
        losses=losses,
        doubts=np.zeros(len(losses)),
        misses=np.zeros(len(losses), dtype=bool),
        beyond=np.zeros(len(losses), dtype=bool),
        seconds=np.full(len(losses), np.nan),
        failed=none if failed is None else failed,
        pending=none if pending is None else pending,
    )


def ranked(given: Evidence, number: int = 40) -> Array:
    return Engine(ENCODING).ranked(given, number=number, random=np.random.default_rng(number))


def test_the_pull_says_nothing_of_conditional_parameters_nor_of_categories() -> None:
    where = points(20)
    pull = Pull(where, where[:, 0], ENCODING.is_free)
    moved = where.copy()
    moved[:, 2:] = points(20, seed=2)[:, 2:]
    assert np.array_equal(pull(moved), pull(where))
    assert not np.array_equal(pull(points(20, seed=2)), pull(where))


LOSSES = st.sampled_from([0.0, 1.0, -1e308, 1e308, 1e-300, 0.1 + 1e-15, 0.1])


@settings(max_examples=40, derandomize=True, database=None)
@given(
    st.lists(LOSSES, min_size=1, max_size=12),
    st.integers(0, 3),
    st.integers(0, 8),
    st.integers(1, 99),
    st.booleans(),
)
def test_whatever_is_known_proposals_are_configurations(
    losses: list[float], failed: int, pending: int, number: int, same: bool
) -> None:
    where = points(len(losses) + failed + pending, seed=number)
    if same:
        where = where[:1].repeat(len(where), axis=0)
    given = evidence(
        where[: len(losses)],
        np.array(losses),
        failed=where[len(losses) : len(losses) + failed],
        pending=where[len(losses) + failed :],
    )
    proposals = ranked(given, number)
    assert len(proposals) > 100
    assert np.isfinite(proposals).all()
    assert all(SPACE.contains(ENCODING.values(point)) for point in proposals[:20])
    assert np.array_equal(proposals, ranked(given, number))


def test_many_trials_are_modelled_by_some_of_them() -> None:
    where = points(3_000)
    proposals = ranked(evidence(where, (where[:, 0] - 0.7) ** 2 + where[:, 1]))
    assert abs(proposals[0, 0] - 0.7) < 0.1
    assert proposals[0, 1] == where[:, 1].min()


def test_a_subset_has_the_best_and_others() -> None:
    losses = np.random.default_rng(1).permutation(1_000).astype(float)
    chosen = subset(losses, 100, np.random.default_rng(2))
    assert len(set(chosen.tolist())) == 100
    assert sorted(losses[chosen])[:50] == list(range(50))
    assert max(losses[chosen]) > 900


def test_where_what_is_required_is_missed_is_closed_like_where_trials_fail() -> None:
    where = points(40)
    losses = where[:, 0]  # the lower the better, and all below 0.4 misses what is required
    given = evidence(where, losses)
    missed = replace(given, misses=where[:, 0] < 0.4)
    assert ranked(given)[0, 0] < 0.1
    assert 0.3 < ranked(missed)[0, 0] < 0.6


@pytest.mark.parametrize(
    ("outside", "low", "high"), [((1.1, 1.3, 1.6), 0.9, 1.0), ((-0.6, -0.3, -0.1), 0.0, 0.1)]
)
def test_what_lies_outside_of_the_space_tells_where_in_it_to_look(
    outside: tuple[float, ...], low: float, high: float
) -> None:
    line = Encoding(Space((Continuous("x", 0.0, 1.0),)))
    where = np.array([[0.1], [0.3], [0.5], [0.7], [0.9], *([x] for x in outside)])
    losses = np.array([0.5, 0.51, 0.5, 0.51, 0.5, 0.2, 0.1, 0.2])  # nothing within will be as good
    given = replace(evidence(where, losses), beyond=(where[:, 0] < 0.0) | (where[:, 0] > 1.0))
    for number in range(9, 12):
        random = np.random.default_rng(number)
        first = Engine(line).ranked(given, number=number, random=random, explores=False)[0, 0]
        assert low <= first <= high


@pytest.mark.parametrize("dimensions", [1, 3, 40])
def test_the_first_trials_are_spread_evenly_over_every_parameter(dimensions: int) -> None:
    space = Space(tuple(Continuous(f"x-{axis}", 0.0, 1.0) for axis in range(dimensions)))
    first = Start(space, seed=3)
    for count in (8, POINTS):
        where = np.array([first.point(number) for number in range(1, count + 1)])
        parts = np.sort((where * count).astype(int), axis=0)
        if count == POINTS or dimensions < 30:  # past the sequence's own axes only all 16 are even
            assert (parts == np.arange(count)[:, None]).all()
    assert Start(space, seed=4).point(1) != first.point(1)


def test_what_is_expected_beforehand_decides_between_what_is_alike() -> None:
    few = evidence(points(4), np.array([1.0, 1.1, 0.9, 1.0]))

    def first(sign: float) -> float:
        best = Engine(ENCODING).ranked(
            few, number=1, random=np.random.default_rng(1), mean=lambda f: sign * 4.0 * f[:, 0]
        )
        return float(best[0, 0])

    assert first(1.0) + 0.2 < first(-1.0)

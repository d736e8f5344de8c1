"""The Pareto front and its hypervolume, against their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.core.settings import Goal
from hpo.report.pareto import hypervolume, pareto_front

UP, DOWN = Goal.MAXIMIZE, Goal.MINIMIZE

some = settings(max_examples=200, derandomize=True, database=None)


def dominates(one: Sequence[float], other: Sequence[float], goals: Sequence[Goal]) -> bool:
    """Tell it by the definition."""
    triples = list(zip(one, other, goals, strict=True))
    return not any(goal.is_better(b, a) for a, b, goal in triples) and any(
        goal.is_better(a, b) for a, b, goal in triples
    )


@st.composite
def clouds(draw: st.DrawFn) -> tuple[list[tuple[float, ...]], list[Goal]]:
    """Points with many ties, or hardly any, in one to four objectives."""
    count = draw(st.integers(1, 4))
    goals = draw(st.lists(st.sampled_from(Goal), min_size=count, max_size=count))
    values = draw(st.sampled_from([st.integers(0, 3).map(float), st.floats(-1e300, 1e300)]))
    return draw(st.lists(st.tuples(*[values] * count), max_size=30)), goals


@some
@given(clouds())
def test_the_front_is_what_no_other_point_dominates(
    cloud: tuple[list[tuple[float, ...]], list[Goal]],
) -> None:
    points, goals = cloud
    front = pareto_front(points, goals)
    assert sorted(front) == [
        index
        for index, point in enumerate(points)
        if not any(dominates(other, point, goals) for other in points)
    ]
    firsts = [points[index][0] for index in front]
    assert firsts == sorted(firsts, reverse=goals[0] is UP)


@pytest.mark.parametrize(
    ("points", "goals", "front"),
    [
        ([], (UP, DOWN), []),
        ([(1, 1)], (UP, DOWN), [0]),
        ([(0.9, 40), (0.8, 20), (0.7, 30), (0.95, 90)], (UP, DOWN), [3, 0, 1]),
        ([(0.9, 40), (0.8, 20), (0.7, 30), (0.95, 90)], (DOWN, UP), [2, 0, 3]),
        ([(1, 2), (1, 2), (1, 3), (0, 2), (2, 2)], (DOWN, DOWN), [3]),
        ([(1, 2), (1, 2), (1, 3), (2, 1)], (DOWN, DOWN), [0, 1, 3]),
        ([(5, 5), (5, 5), (5, 5)], (UP, UP), [0, 1, 2]),
        ([(1, 1, 3), (1, 2, 2), (2, 1, 1), (2, 2, 3)], (DOWN, DOWN, DOWN), [0, 1, 2]),
    ],
    ids=["none", "one", "up_and_down", "down_and_up", "dominated_twins", "twins", "all_equal", "three"],
)
def test_ties_and_goals(points: list[tuple[float, ...]], goals: tuple[Goal, ...], front: list[int]) -> None:
    assert pareto_front(points, goals) == front


@pytest.mark.parametrize(
    ("points", "goals", "reference", "volume"),
    [
        ([], (DOWN, DOWN), (1, 1), 0.0),
        ([(0.5, 0.5)], (DOWN, DOWN), (1, 1), 0.25),
        ([(1, 3), (2, 2), (3, 1)], (DOWN, DOWN), (4, 4), 6.0),
        ([(3, 1), (2, 2), (1, 3)], (UP, UP), (0, 0), 6.0),
        ([(3, -1), (2, -2), (1, -3)], (UP, DOWN), (0, 0), 6.0),
        ([(1, 3), (1, 3), (5, 0)], (DOWN, DOWN), (4, 4), 3.0),
        ([(0, 0, 1), (1, 1, 0)], (DOWN, DOWN, DOWN), (2, 2, 2), 5.0),
    ],
    ids=["none", "one", "stairs", "maximized", "mixed", "twins_and_one_outside", "three"],
)
def test_hypervolumes_that_are_known(
    points: list[tuple[float, ...]], goals: tuple[Goal, ...], reference: tuple[float, ...], volume: float
) -> None:
    assert hypervolume(points, goals, reference) == pytest.approx(volume)


@some
@given(st.integers(2, 4), st.integers(0, 8), st.integers(0, 10**6))
def test_the_hypervolume_is_the_share_of_cells_that_are_dominated(count: int, size: int, seed: int) -> None:
    """On a grid of whole numbers every cell is dominated as a whole, or not at all."""
    random = Random(seed)
    points = [tuple(float(random.randrange(5)) for _ in range(count)) for _ in range(size)]
    goals = [DOWN] * count
    cells = list(product(range(4), repeat=count))
    covered = sum(
        any(all(a <= b for a, b in zip(point, cell, strict=True)) for point in points) for cell in cells
    )
    assert hypervolume(points, goals, (4.0,) * count) == pytest.approx(covered)

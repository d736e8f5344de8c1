"""Several objectives made into one: what holds of the loss that they come to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.search.attained import Attained, Losses
from hpo.search.chebyshev import Weighed, weights

values = st.integers(-50, 50).map(float)
points = st.integers(2, 4).flatmap(
    lambda count: st.lists(st.tuples(*[values] * count), min_size=1, max_size=12)
)


def attained(results: list[Losses]) -> Attained:
    made = Attained()
    for losses in results:
        made.add(losses)
    return made


def losses_of(results: list[Losses], number: int) -> list[float]:
    weighed = Weighed.of_front(attained(results), weights(len(results[0]), number))
    return [weighed.loss(losses) for losses in results]


@settings(deadline=None)
@given(points, st.integers(1, 1000))
def test_the_least_loss_is_on_the_front_and_no_worse_point_has_less(
    results: list[Losses], number: int
) -> None:
    made = losses_of(results, number)
    assert results[made.index(min(made))] in attained(results).front
    for one, loss in zip(results, made, strict=True):
        for other, more in zip(results, made, strict=True):
            if all(a <= b for a, b in zip(one, other, strict=True)):
                assert loss <= more


@settings(deadline=None)
@given(points, st.integers(1, 1000), st.lists(st.sampled_from([0.25, 1.0, 1024.0]), min_size=4, max_size=4))
def test_neither_units_nor_offsets_matter(results: list[Losses], number: int, units: list[float]) -> None:
    def turned(losses: Losses) -> Losses:
        return tuple(unit * (loss + 7.0) for unit, loss in zip(units, losses, strict=False))

    other = losses_of([turned(losses) for losses in results], number)
    assert other == pytest.approx(losses_of(results, number), abs=1e-9) or _is_degenerate(results)


def _is_degenerate(results: list[Losses]) -> bool:
    """Tell whether some objective has one value alone: then its unit is no matter."""
    return any(len(set(column)) == 1 for column in zip(*results, strict=True))


def test_each_point_of_a_front_is_the_best_under_some_weights() -> None:
    front: list[Losses] = [
        (0.0, 10.0),
        (0.3, 8.0),
        (0.7, 6.0),
        (0.9, 2.0),
        (1.0, 0.0),
    ]  # some of it is not convex
    best = {front[made.index(min(made))] for made in (losses_of(front, number) for number in range(1, 200))}
    assert best == set(front)


def test_the_largest_numbers_that_there_are_can_be_weighed() -> None:
    made = losses_of([(1e308, -1e308), (-1e308, 1e308), (0.0, 0.0)], 5)
    assert made[2] < max(made)
    assert all(abs(loss) < 10 for loss in made)

from __future__ import annotations

import pytest

from hpo.search.coordinates import from_point, to_point
from hpo.spec.space import Categorical, Continuous, Integer, Scaling, Space

FINITE = [
    Continuous("c", 0.0, 1.0, step=0.3),
    Continuous("c", 0.1, 0.7, Scaling.LOGARITHMIC, step=0.1),
    Continuous("c", 0.0, 0.95, Scaling.REVERSE_LOGARITHMIC, step=0.05),
    Integer("i", -7, 9, step=4),
    Integer("i", 3, 3),
    Integer("i", 1, 5000, Scaling.LOGARITHMIC),
    Integer("i", 8, 1024, Scaling.LOGARITHMIC, step=8),
    Categorical("k", (1, 1.0, True, "1", None, 0, False)),
]


@pytest.mark.parametrize("parameter", FINITE, ids=str)
def test_every_value_of_a_finite_range_comes_back_with_its_type(
    parameter: Continuous | Integer | Categorical,
) -> None:
    space = Space((parameter,))
    assert space.cardinality
    for index in range(space.cardinality):
        values = space.cell(index)
        back = from_point(space, to_point(space, values))[parameter.name]
        assert back == values[parameter.name]
        assert type(back) is type(values[parameter.name])


@pytest.mark.parametrize(
    ("parameter", "middle"),
    [
        (Continuous("c", -2.0, 6.0), 2.0),
        (Continuous("c", 1e-4, 1.0, Scaling.LOGARITHMIC), 1e-2),
        (Continuous("c", 0.0, 0.9999, Scaling.REVERSE_LOGARITHMIC), 0.99),
    ],
    ids=str,
)
def test_numbers_lie_where_the_scaling_puts_them(parameter: Continuous, middle: float) -> None:
    space = Space((parameter,))
    assert to_point(space, {"c": parameter.low}) == {"c": 0.0}
    assert to_point(space, {"c": middle})["c"] == pytest.approx(0.5)
    assert to_point(space, {"c": parameter.high})["c"] == pytest.approx(1.0)
    assert from_point(space, {"c": 0.5})["c"] == pytest.approx(middle)
    assert from_point(space, {"c": 1.0}) == {"c": parameter.high}

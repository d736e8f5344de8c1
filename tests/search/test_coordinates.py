from __future__ import annotations

import pytest

from hpo.search.coordinates import from_coordinate, to_coordinate, to_point
from hpo.spec.conditions import Condition
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space

FINITE = [
    Continuous("c", 0.0, 1.0, step=0.3),
    Continuous("c", 0.1, 0.7, Scaling.LOGARITHMIC, step=0.1),
    Continuous("c", 0.0, 0.95, Scaling.REVERSE_LOGARITHMIC, step=0.05),
    Integer("i", -7, 9, step=4),
    Integer("i", 3, 3),
    Integer("i", 1, 5000, Scaling.LOGARITHMIC),
    Integer("i", 8, 1024, Scaling.LOGARITHMIC, step=8),
    Categorical("k", (1, 1.0, True, "1", None, 0, False)),
    Categorical("k", (1, 1.0, True, "1", None, 0, False), ordered=True),
]


@pytest.mark.parametrize("parameter", FINITE, ids=str)
def test_every_value_of_a_finite_range_comes_back_with_its_type(
    parameter: Continuous | Integer | Categorical,
) -> None:
    space = Space((parameter,))
    assert space.cardinality
    for index in range(space.cardinality):
        values = space.cell(index)
        back = from_coordinate(parameter, to_coordinate(parameter, values[parameter.name]))
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
    assert from_coordinate(parameter, 0.5) == pytest.approx(middle)
    assert from_coordinate(parameter, 1.0) == parameter.high


def test_ordered_categories_lie_beside_each_other_and_others_by_their_index() -> None:
    values = (1, 2, 8, "many")
    ordered, other = Categorical("k", values, ordered=True), Categorical("k", values)
    assert [to_coordinate(ordered, value) for value in values] == [0.125, 0.375, 0.625, 0.875]
    assert [to_coordinate(other, value) for value in values] == [0, 1, 2, 3]


def test_an_inactive_parameter_has_no_coordinate() -> None:
    space = Space((Categorical("k", ("a", "b")), Continuous("c", 0.0, 4.0)), {"c": (Condition("k", ("b",)),)})
    assert to_point(space, {"k": "a"}) == {"k": 0}
    assert to_point(space, {"k": "b", "c": 1.0}) == {"k": 1, "c": 0.25}

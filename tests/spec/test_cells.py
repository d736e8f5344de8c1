"""The configurations of a finite space, against listing all of them by brute force."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.spec.conditions import Condition, parents_first
from hpo.spec.constraint import Domain
from hpo.spec.expression import parse
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space, identity

few = settings(max_examples=150, derandomize=True, database=None)


def listed(space: Space) -> list[dict[str, Scalar]]:
    """Return every configuration once, parents first and the last parameter fastest."""
    order = parents_first([parameter.name for parameter in space], space.conditions)
    by_name = {parameter.name: parameter for parameter in space}
    ranges = [[by_name[name].value_at(i) for i in range(by_name[name].count or 0)] for name in order]
    found: dict[object, dict[str, Scalar]] = {}
    for values in product(*ranges):
        configuration = space.active(dict(zip(order, values, strict=True)))
        if space.satisfies(configuration):
            found.setdefault(identity(configuration), configuration)
    return list(found.values())


@st.composite
def tied(draw: st.DrawFn) -> Space:
    """Spaces with conditions, also on later parameters and on several, and with constraints."""
    names = [f"p-{index}" for index in range(draw(st.integers(1, 5)))]
    parameters: list[Parameter] = []
    for name in names:
        kind = draw(st.sampled_from(["integer", "categorical", "stepped"]))
        if kind == "integer":
            parameters.append(Integer(name, 0, draw(st.integers(0, 4))))
        elif kind == "stepped":
            parameters.append(Continuous(name, 0.0, draw(st.integers(1, 3)) * 0.5, step=0.5))
        else:
            values = st.lists(st.sampled_from([0, 1, 1.0, True, "a", None]), min_size=1, max_size=4)
            parameters.append(
                Categorical(name, tuple({identity({"v": v}): v for v in draw(values)}.values()))
            )
    conditions = {}
    order = draw(st.permutations(parameters))
    for place, child in enumerate(order[1:], 1):
        parents = draw(st.lists(st.sampled_from(order[:place]), max_size=2, unique=True))
        needs = []
        for parent in parents:
            count = parent.count or 0
            indices = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
            needs.append(Condition(parent.name, tuple(parent.value_at(index) for index in indices)))
        if needs:
            conditions[child.name] = tuple(needs)
    numeric = [p.name for p in parameters if not isinstance(p, Categorical)]
    constraints = []
    if numeric:
        for _ in range(draw(st.integers(0, 2))):
            one, other = draw(st.sampled_from(numeric)), draw(st.sampled_from(numeric))
            bound = draw(st.integers(-1, 5))
            constraints.append(parse(f"`{one}` + `{other}` <= {bound}", {name: Domain() for name in numeric}))
    return Space(tuple(parameters), conditions, tuple(constraints))


@few
@given(tied())
def test_every_configuration_has_one_number(space: Space) -> None:
    wanted = listed(space)
    assert space.cardinality == len(wanted)
    cells = [space.cell(index) for index in range(len(wanted))]
    assert list(map(identity, cells)) == list(map(identity, wanted))
    for index, cell in enumerate(cells):
        assert space.contains(cell)
        assert list(cell) == [parameter.name for parameter in space if parameter.name in cell]
        assert space.number(cell) == index
    with pytest.raises(IndexError):
        space.cell(len(wanted))


@few
@given(tied(), st.data())
def test_what_is_no_configuration_has_no_number(space: Space, data: st.DataObject) -> None:
    names = [parameter.name for parameter in space]
    whole: dict[str, Scalar] = {
        p.name: p.value_at(data.draw(st.integers(0, (p.count or 1) - 1))) for p in space
    }
    values = {name: whole[name] for name in data.draw(st.lists(st.sampled_from(names), unique=True))}
    numbers = {identity(cell) for cell in listed(space)}
    assert space.contains(values) is (identity(values) in numbers)


def test_large_spaces_are_counted_without_being_listed() -> None:
    many = [Integer(f"n-{index}", 1, 10**6) for index in range(5)]
    kind = Categorical("kind", ("a", "b", "c"))
    space = Space((kind, *many), {"n-1": (Condition("kind", ("a", "b")),), "n-2": (Condition("n-1", (7,)),)})
    # c: n-0, n-3, n-4; a, b: n-1 in two parts
    assert space.cardinality == 10**18 + 2 * 10**18 * (10**6 - 1) + 2 * 10**24
    for index in (0, 1, 10**20, space.cardinality - 1):
        assert space.number(space.cell(index)) == index


def test_parameters_after_the_last_constrained_one_are_not_listed() -> None:
    domains = {"a": Domain(), "b": Domain()}
    ranges = (Integer("a", 1, 10), Integer("b", 1, 10), Integer("c", 1, 10**6))
    space = Space(ranges, {}, (parse("a * b <= 4", domains),))
    assert space.cardinality == 8 * 10**6
    assert space.cell(10**6) == {"a": 1, "b": 2, "c": 1}


def test_more_than_can_be_listed_has_no_number() -> None:
    domains = {"a": Domain(), "b": Domain()}
    space = Space((Integer("a", 1, 10**6), Integer("b", 1, 10**6)), {}, (parse("a * b <= 4", domains),))
    assert space.cardinality is None
    assert space.is_finite
    with pytest.raises(ValueError, match="too many values to list"):
        space.cell(0)


def test_conditions_that_lead_in_a_circle_are_told() -> None:
    a, b, c = (Condition(name, (1,)) for name in "abc")
    with pytest.raises(ValueError, match="a → c → a"):
        parents_first(["b", "a", "c"], {"a": (c,), "c": (b, a)})

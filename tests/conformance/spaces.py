"""Spaces of all kinds, drawn at random."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import strategies as st

from hpo.spec.conditions import Condition
from hpo.spec.constraint import Domain
from hpo.spec.expression import parse
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Space


@st.composite
def continuous(draw: st.DrawFn, name: str) -> Continuous:
    scaling = draw(st.sampled_from(Scaling))
    low = draw(st.integers(0 if scaling is Scaling.REVERSE_LOGARITHMIC else 1, 500)) / 1000
    if scaling is Scaling.LINEAR:
        low -= 0.25
    if draw(st.booleans()):  # stepped; the last step may end before `high`
        return Continuous(name, low, low + draw(st.integers(1, 49)) / 100, scaling, step=0.03)
    return Continuous(name, low, low + draw(st.floats(1e-3, 0.49)), scaling)


@st.composite
def integer(draw: st.DrawFn, name: str) -> Integer:
    scaling = draw(st.sampled_from([Scaling.LINEAR, Scaling.LOGARITHMIC]))
    low = draw(st.integers(1 if scaling is Scaling.LOGARITHMIC else -50, 50))
    return Integer(name, low, low + draw(st.integers(1, 10**6)), scaling, step=draw(st.integers(1, 7)))


@st.composite
def categorical(draw: st.DrawFn, name: str) -> Categorical:
    values = st.sampled_from(["sqrt", "1", 1, 1.0, True, False, 0, None, 0.1])
    kept = draw(st.lists(values, min_size=1, max_size=5, unique_by=lambda value: (type(value), value)))
    return Categorical(name, tuple(kept))


@st.composite
def spaces(draw: st.DrawFn, *, finite: bool) -> Space:
    parameters: list[Parameter] = []
    for index in range(draw(st.integers(1, 4))):
        name = f"p-{index}"
        parameter: Parameter = draw(continuous(name) | integer(name) | categorical(name))
        if finite and parameter.count is None:
            parameter = Integer(parameter.name, 1, 9)
        parameters.append(parameter)
    return Space(tuple(parameters))


@st.composite
def tied_spaces(draw: st.DrawFn, *, finite: bool) -> Space:
    """Spaces with conditions and constraints, which one configuration at least keeps to."""
    plain = draw(spaces(finite=finite))
    parameters = [*plain, *draw(spaces(finite=True).map(lambda space: _renamed(space.parameters)))]
    conditions: dict[str, tuple[Condition, ...]] = {}
    order = draw(st.permutations(parameters))
    for place, child in enumerate(order[1:], 1):
        parent = draw(st.sampled_from(order[:place]))
        if parent.count is not None and draw(st.booleans()):
            indices = draw(
                st.lists(st.integers(0, min(parent.count, 9) - 1), min_size=1, max_size=3, unique=True)
            )
            conditions[child.name] = (Condition(parent.name, tuple(parent.value_at(i) for i in indices)),)
    space = Space(tuple(parameters), conditions)
    fitting = space.from_unit([draw(st.floats(0, 0.99)) for _ in space])
    numbers = {p.name: Domain() for p in parameters if not isinstance(p, Categorical)}
    constraints = []
    for name in draw(st.lists(st.sampled_from(sorted(numbers)), max_size=2, unique=True)) if numbers else ():
        bound = fitting.get(name, 0)
        constraints.append(parse(f"`{name}` {draw(st.sampled_from(['<=', '>=']))} {bound!r}", numbers))
    return replace(space, constraints=tuple(constraints))


def _renamed(parameters: Iterable[Parameter]) -> list[Parameter]:
    return [replace(parameter, name=f"q-{parameter.name}") for parameter in parameters]

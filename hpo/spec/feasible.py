"""Configurations that keep to a space's constraints: drawn, counted, and completed from some values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import assert_never, cast

from hpo.spec.cells import Cells
from hpo.spec.conditions import same
from hpo.spec.constraint import Mismatch
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space, Values

DRAWS = 1_000
"""Draws from the whole space before it is searched for those that fit in another way."""

SURVEYED = 1_000
"""Draws that tell how many configurations fit."""

MOST_SURVEYED = 100_000
"""Draws after which nothing is taken to fit, where none has."""

WALK = 10
"""Rounds over all parameters of a walk among the configurations that fit."""

SHRINKS = 30
"""Tries to move one parameter, each within a smaller part of its range."""


class FeasibleDraws:
    """Draws that are uniform, under the scalings, over what keeps to the constraints."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def draw(self, random: Random) -> dict[str, Scalar] | None:
        """Return a configuration; None where nothing is found that fits.

        Where hardly anything fits, it is a cell of a space whose cells are known, each as likely as the
        others, or else the end of a walk from a first such configuration, one parameter after the other
        (Neal, Slice Sampling, 2003: a try that does not fit bounds the next one).
        """
        for _ in range(DRAWS):
            values = self._space.from_unit(self._point(random))
            if self._space.satisfies(values):
                return values
        count = self._space.cardinality
        if count is not None:
            return self._space.cell(random.randrange(count)) if count else None
        return self._walked(random)

    def _point(self, random: Random) -> list[float]:
        return [random.random() for _ in self._space]

    def _walked(self, random: Random) -> dict[str, Scalar] | None:
        if self._first is None:
            return None
        point = list(self._first)
        for place in range(len(point) * WALK):
            self._move(point, place % len(point), random)
        return self._space.from_unit(point)

    def _move(self, point: list[float], axis: int, random: Random) -> None:
        """Draw one coordinate of a point that fits anew, so that it still does."""
        here, low, high = point[axis], 0.0, 1.0
        for _ in range(SHRINKS):
            point[axis] = low + (high - low) * random.random()
            if self._space.satisfies(self._space.from_unit(point)):
                return
            low, high = (point[axis], high) if point[axis] < here else (low, point[axis])
        point[axis] = here

    @cached_property
    def _first(self) -> list[float] | None:
        """A point that fits; the same one for every seed."""
        random = Random(0)  # noqa: S311 - to be repeated, not to be secret
        points = (self._point(random) for _ in range(MOST_SURVEYED))
        fitting = (point for point in points if self._space.satisfies(self._space.from_unit(point)))
        return next(fitting, None)


@dataclass(frozen=True, slots=True)
class Survey:
    """How many configurations keep to the constraints: of all there are, or of some random ones."""

    fitting: int
    of: int
    holding: tuple[int, ...]  # of the random ones, those in which each constraint holds
    drawn: int
    mismatches: Mapping[int, str]  # constraints in which a part was of the wrong kind, and how
    is_exact: bool

    @property
    def text(self) -> str:
        """What was found, in words."""
        what = "configurations" if self.is_exact else "random configurations"
        return f"{self.fitting:,} of {self.of:,} {what} keep to the constraints"


def survey(space: Space) -> Survey:
    """Find out how many configurations keep to the constraints."""
    random = Random(0)  # noqa: S311 - to be repeated, not to be secret
    count = space.cardinality
    drawn = fitting = 0
    holding = [0] * len(space.constraints)
    mismatches: dict[int, str] = {}
    while drawn < SURVEYED or (not fitting and count is None and drawn < MOST_SURVEYED):
        drawn += 1
        values = space.from_unit([random.random() for _ in space])
        holds = [constraint.holds(values) for constraint in space.constraints]
        holding = [sum(pair) for pair in zip(holding, holds, strict=True)]
        fitting += all(holds)
        if drawn <= SURVEYED:
            mismatches = _mismatches(space, values) | mismatches
    if count is None:
        return Survey(fitting, drawn, tuple(holding), drawn, mismatches, is_exact=False)
    of = Cells(space.parameters, space.conditions, ()).count
    return Survey(count, of, tuple(holding), drawn, mismatches, is_exact=True)


def _mismatches(space: Space, values: Values) -> dict[int, str]:
    found = {}
    for index, constraint in enumerate(space.constraints):
        try:
            constraint.check(values)
        except Mismatch as why:
            found[index] = str(why)
    return found


def completed(space: Space, given: Values) -> dict[str, Scalar]:
    """Return a configuration with the given values, and others by default, or else in the middle.

    Where that breaks a constraint, it is the nearest to it of some random ones that do not. Raises
    ValueError where a given parameter cannot be active, and where nothing is found.
    """
    wanted = _with_parents(space, given)
    middle = {p.name: p.from_unit(0.5) for p in space} | dict(space.defaults) | wanted
    whole = space.active(middle)
    for name in given:
        if name not in whole:
            needed = " and ".join(map(str, space.conditions[name]))
            raise ValueError(f"`{name}` is not active with these values: it is where {needed}")
    if space.satisfies(whole):
        return whole
    random = Random(0)  # noqa: S311 - to be repeated, not to be secret
    nearest: tuple[float, dict[str, Scalar]] | None = None
    for _ in range(MOST_SURVEYED // 10):
        values = space.active({p.name: p.from_unit(random.random()) for p in space} | wanted)
        if space.satisfies(values):
            distance = _distance(space, whole, values)
            if nearest is None or distance < nearest[0]:
                nearest = distance, values
    if nearest is None:
        broken = next(constraint for constraint in space.constraints if not constraint.holds(whole))
        raise ValueError(f"it breaks the constraint `{broken.text}`")
    return nearest[1]


def _with_parents(space: Space, given: Values) -> dict[str, Scalar]:
    """Return the given values, and of parameters that they depend on such as activate them."""
    wanted = dict(given)
    for parameter in reversed(space.dependent):
        name = parameter.name
        if name in wanted:
            continue
        needs = [
            condition
            for child in wanted
            for condition in space.conditions.get(child, ())
            if condition.parent == name
        ]
        if needs:
            middle = space.defaults.get(name, parameter.from_unit(0.5))
            choices = [middle, *needs[0].values]
            fitting = [value for value in choices if all(n.holds({name: value}) for n in needs)]
            wanted[name] = fitting[0] if fitting else middle
    return wanted


def _distance(space: Space, one: Values, other: Values) -> float:
    return sum(_apart(parameter, one, other) for parameter in space)


def _apart(parameter: Parameter, one: Values, other: Values) -> float:
    """Return how far apart two configurations are in one parameter, from 0 to 1."""
    name = parameter.name
    if name not in one or name not in other:
        return float((name in one) != (name in other))
    match parameter:
        case Categorical(ordered=False):
            return float(not same(one[name], other[name]))
        case Categorical():
            return abs(parameter.to_unit(one[name]) - parameter.to_unit(other[name]))
        case Continuous() | Integer():
            places = [parameter.to_unit(cast("float", values[name])) for values in (one, other)]
            return abs(places[0] - places[1])
        case _:
            assert_never(parameter)

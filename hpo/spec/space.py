"""The search space: parameters, their scalings, and the values between two bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import assert_never, cast

from hpo.spec.cells import Cells, Uncountable
from hpo.spec.conditions import Conditions, is_among, parents_first, same
from hpo.spec.constraint import Constraint
from hpo.spec.scaling import Scaling, shrink, stretch, widened

Scalar = str | int | float | bool | None
"""A parameter's value; its type is kept from the spec to the results."""

Values = Mapping[str, Scalar]
"""A configuration: a value for each parameter, in the order of the spec."""

BEYOND = 1.0
"""How far from a range a number may lie to tell something of it, as a share of its width."""


@dataclass(frozen=True, slots=True)
class Continuous:
    """A real range [low, high]; with a step only low, low + step, … are values."""

    name: str
    low: float
    high: float
    scaling: Scaling = Scaling.LINEAR
    step: float | None = None

    @property
    def count(self) -> int | None:
        """How many values there are; None without a step."""
        if self.step is None:
            return None
        return int((Decimal(str(self.high)) - Decimal(str(self.low))) / Decimal(str(self.step))) + 1

    def value_at(self, index: int) -> float:
        """Return the value number `index` (from 0) of a stepped range, exact in decimals."""
        return float(Decimal(str(self.low)) + index * Decimal(str(self.step)))

    def from_unit(self, u: float) -> float:
        """Return the value at `u` in [0, 1) under the scaling, snapped to the step."""
        if self.step is None:
            return min(max(stretch(u, self.low, self.high, self.scaling), self.low), self.high)
        half = self.step / 2  # each value owns an interval of one step around it, also at the ends
        low, high = widened(self.low, self.high, half, self.scaling)
        return self.snap(stretch(u, low, high, self.scaling))

    def to_unit(self, value: float) -> float:
        """Return where `value` lies under the scaling, from 0 to 1 in the range: `from_unit` inverted."""
        if self.step is None:
            return shrink(value, self.low, self.high, self.scaling)
        return shrink(value, *widened(self.low, self.high, self.step / 2, self.scaling), self.scaling)

    def snap(self, value: float) -> float:
        """Return the nearest value of the range."""
        if self.step is None or self.count is None:
            return min(max(value, self.low), self.high)
        index = round((value - self.low) / self.step)
        return self.value_at(min(max(index, 0), self.count - 1))

    def index(self, value: Scalar) -> int:
        """Return which value of a stepped range it is, from 0. Raises ValueError where it is none."""
        if self.step is None or not self.contains(value):
            raise ValueError(f"{value!r} is no value of {self.name}")
        return round((cast("float", value) - self.low) / self.step)

    def contains(self, value: Scalar) -> bool:
        """Tell whether `value` is one of the range's values."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and (self.step is None or self.snap(value) == value)


@dataclass(frozen=True, slots=True)
class Integer:
    """The integers low, low + step, … up to high."""

    name: str
    low: int
    high: int
    scaling: Scaling = Scaling.LINEAR
    step: int = 1

    @property
    def count(self) -> int:
        """How many values there are."""
        return (self.high - self.low) // self.step + 1

    def value_at(self, index: int) -> int:
        """Return the value number `index`, from 0."""
        return self.low + index * self.step

    def from_unit(self, u: float) -> int:
        """Return the value at `u` in [0, 1) under the scaling."""
        low, high = widened(self.low, self.high, self.step / 2, self.scaling)
        return self.snap(stretch(u, low, high, self.scaling))

    def to_unit(self, value: float) -> float:
        """Return where `value` lies under the scaling, from 0 to 1 in the range: `from_unit` inverted."""
        return shrink(value, *widened(self.low, self.high, self.step / 2, self.scaling), self.scaling)

    def snap(self, value: float) -> int:
        """Return the nearest value of the range."""
        return self.value_at(min(max(round((value - self.low) / self.step), 0), self.count - 1))

    def index(self, value: Scalar) -> int:
        """Return which of the values it is, from 0. Raises ValueError where it is none."""
        if not self.contains(value):
            raise ValueError(f"{value!r} is no value of {self.name}")
        return (cast("int", value) - self.low) // self.step

    def contains(self, value: Scalar) -> bool:
        """Tell whether `value` is one of the range's values."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.low <= value <= self.high and (value - self.low) % self.step == 0


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of the given values, of any scalar type; where they are `ordered`, neighbours are alike."""

    name: str
    values: tuple[Scalar, ...]
    ordered: bool = False

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.values)

    def value_at(self, index: int) -> Scalar:
        """Return the value number `index`, from 0."""
        return self.values[index]

    def from_unit(self, u: float) -> Scalar:
        """Return the value at `u` in [0, 1), each with the same share."""
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]

    def to_unit(self, value: Scalar) -> float:
        """Return the middle of the share in [0, 1) that `value` has."""
        return (self.index(value) + 0.5) / len(self.values)

    def index(self, value: Scalar) -> int:
        """Return which of the values `value` is, from 0; 1, 1.0 and true are three different ones.

        Raises ValueError where it is none of them.
        """
        for index, other in enumerate(self.values):
            if same(value, other):
                return index
        raise ValueError(f"{value!r} is no value of {self.name}")

    def contains(self, value: Scalar) -> bool:
        """Tell whether `value` is one of the values; 1, 1.0 and true are three different ones."""
        return is_among(value, self.values)


Parameter = Continuous | Integer | Categorical


@dataclass(frozen=True)
class Space:
    """All tuned parameters, in the order of the spec, and what ties them together.

    A configuration has a value for each parameter that is active under the conditions, and for no
    other one, and keeps to the constraints.
    """

    parameters: tuple[Parameter, ...]
    conditions: Conditions = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    defaults: Values = field(default_factory=dict)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    @cached_property
    def dependent(self) -> tuple[Parameter, ...]:
        """The parameters, each after those that it depends on."""
        by_name = {parameter.name: parameter for parameter in self.parameters}
        return tuple(by_name[name] for name in parents_first(list(by_name), self.conditions))

    @property
    def is_finite(self) -> bool:
        """Whether no parameter is continuous without a step."""
        return all(parameter.count is not None for parameter in self.parameters)

    @property
    def cardinality(self) -> int | None:
        """How many configurations there are; None for infinitely many, or more than can be counted."""
        return self._cells.count if isinstance(self._cells, Cells) else None

    def cell(self, index: int) -> dict[str, Scalar]:
        """Return configuration `index` (from 0) of a finite space, in the order of `Cells`.

        Raises ValueError where the space has no cardinality, and IndexError for a cell that it has not.
        """
        return self._counted.cell(index)

    def number(self, values: Values) -> int:
        """Return which cell a configuration is. Raises ValueError where it is none."""
        return self._counted.number(values)

    @property
    def _counted(self) -> Cells:
        if isinstance(self._cells, Cells):
            return self._cells
        raise ValueError(str(self._cells))

    @cached_property
    def _cells(self) -> Cells | Uncountable:
        try:
            return Cells(self.parameters, self.conditions, self.constraints)
        except Uncountable as why:
            return why

    def is_active(self, name: str, values: Values) -> bool:
        """Tell whether a parameter is active, given the active ones among those that it depends on."""
        return all(condition.holds(values) for condition in self.conditions.get(name, ()))

    def active(self, values: Values) -> dict[str, Scalar]:
        """Return a value for each parameter without those of the inactive ones."""
        if not self.conditions:
            return dict(values)
        kept: dict[str, Scalar] = {}
        for parameter in self.dependent:
            if self.is_active(parameter.name, kept):
                kept[parameter.name] = values[parameter.name]
        return {parameter.name: kept[parameter.name] for parameter in self if parameter.name in kept}

    def satisfies(self, values: Values) -> bool:
        """Tell whether a configuration keeps to all constraints."""
        return all(constraint.holds(values) for constraint in self.constraints)

    def from_unit(self, point: Sequence[float]) -> dict[str, Scalar]:
        """Return the configuration at a point of the unit cube, one coordinate in [0, 1) a parameter.

        Constraints are not looked at.
        """
        return self.active({p.name: p.from_unit(u) for p, u in zip(self.parameters, point, strict=True)})

    def middle(self) -> dict[str, Scalar]:
        """Return the configuration in the middle of every range; constraints are not looked at."""
        return self.from_unit([0.5] * len(self.parameters))

    def contains(self, values: Values) -> bool:
        """Tell whether `values` is one of the space's configurations, whole and within the constraints."""
        is_whole = self._has_active(values)
        return (
            is_whole
            and all(p.contains(values[p.name]) for p in self if p.name in values)
            and self.satisfies(values)
        )

    def borders_on(self, values: Values) -> bool:
        """Tell whether `values` would be a configuration if the ranges were somewhat wider.

        Each number lies no further from its range than that is wide, on a step or not; constraints are not
        looked at.
        """
        return self._has_active(values) and all(
            _borders_on(p, values[p.name]) for p in self if p.name in values
        )

    def _has_active(self, values: Values) -> bool:
        """Tell whether there is a value for each active parameter, and no other one."""
        known = {parameter.name for parameter in self.parameters}
        return values.keys() <= known and all(
            (p.name in values) == self.is_active(p.name, values) for p in self.parameters
        )


def _borders_on(parameter: Parameter, value: Scalar) -> bool:
    match parameter:
        case Continuous() | Integer():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return is_number and -BEYOND <= parameter.to_unit(cast("float", value)) <= 1.0 + BEYOND
        case Categorical():
            return parameter.contains(value)
        case _:
            assert_never(parameter)


def identity(values: Values) -> tuple[tuple[str, str, Scalar], ...]:
    """Return a hashable key under which two configurations are equal only with equal types."""
    return tuple((name, type(values[name]).__name__, values[name]) for name in sorted(values))

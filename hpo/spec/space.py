"""The search space: parameters, their scalings, and the values between two bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

Scalar = str | int | float | bool | None
"""A parameter's value; its type is kept from the spec to the results."""

Values = Mapping[str, Scalar]
"""A configuration: a value for each parameter, in the order of the spec."""


class Scaling(StrEnum):
    """How a range is spread over the unit interval."""

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"
    REVERSE_LOGARITHMIC = "reverse-logarithmic"


def automatic_scaling(low: float, high: float, *, integer: bool) -> Scaling:
    """Choose the scaling that `auto` stands for: logarithmic from a ratio of 100 between the bounds on.

    A range within [0, 1) whose distance to 1 shrinks by that ratio is reverse-logarithmic.
    """
    wide = 100 * (1 - 1e-9)  # 7 / 0.07 is a little less than 100
    if low > 0 and high / low >= wide:
        return Scaling.LOGARITHMIC
    if not integer and low >= 0 and high < 1 and (1 - low) / (1 - high) >= wide:
        return Scaling.REVERSE_LOGARITHMIC
    return Scaling.LINEAR


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
            return min(max(_stretch(u, self.low, self.high, self.scaling), self.low), self.high)
        half = self.step / 2  # each value owns an interval of one step around it, also at the ends
        low, high = _widened(self.low, self.high, half, self.scaling)
        return self.snap(_stretch(u, low, high, self.scaling))

    def to_unit(self, value: float) -> float:
        """Return where `value` lies in [0, 1] under the scaling: the inverse of `from_unit`."""
        if self.step is None:
            return _shrink(value, self.low, self.high, self.scaling)
        return _shrink(value, *_widened(self.low, self.high, self.step / 2, self.scaling), self.scaling)

    def snap(self, value: float) -> float:
        """Return the nearest value of the range."""
        if self.step is None or self.count is None:
            return min(max(value, self.low), self.high)
        index = round((value - self.low) / self.step)
        return self.value_at(min(max(index, 0), self.count - 1))

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
        low, high = _widened(self.low, self.high, self.step / 2, self.scaling)
        return self.snap(_stretch(u, low, high, self.scaling))

    def to_unit(self, value: float) -> float:
        """Return where `value` lies in [0, 1] under the scaling: the inverse of `from_unit`."""
        return _shrink(value, *_widened(self.low, self.high, self.step / 2, self.scaling), self.scaling)

    def snap(self, value: float) -> int:
        """Return the nearest value of the range."""
        return self.value_at(min(max(round((value - self.low) / self.step), 0), self.count - 1))

    def contains(self, value: Scalar) -> bool:
        """Tell whether `value` is one of the range's values."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.low <= value <= self.high and (value - self.low) % self.step == 0


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of the given values, of any scalar type."""

    name: str
    values: tuple[Scalar, ...]

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

    def index(self, value: Scalar) -> int:
        """Return which of the values `value` is, from 0; 1, 1.0 and true are three different ones.

        Raises ValueError where it is none of them.
        """
        for index, other in enumerate(self.values):
            if type(value) is type(other) and value == other:
                return index
        raise ValueError(f"{value!r} is no value of {self.name}")

    def contains(self, value: Scalar) -> bool:
        """Tell whether `value` is one of the values; 1, 1.0 and true are three different ones."""
        return any(type(value) is type(other) and value == other for other in self.values)


Parameter = Continuous | Integer | Categorical


@dataclass(frozen=True, slots=True)
class Space:
    """All tuned parameters, in the order of the spec."""

    parameters: tuple[Parameter, ...]

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    @property
    def cardinality(self) -> int | None:
        """How many configurations there are; None where a parameter is continuous without a step."""
        counts = [parameter.count for parameter in self.parameters]
        return None if None in counts else math.prod(count for count in counts if count is not None)

    def from_unit(self, point: Sequence[float]) -> dict[str, Scalar]:
        """Return the configuration at a point of the unit cube, one coordinate in [0, 1) a parameter."""
        return {p.name: p.from_unit(u) for p, u in zip(self.parameters, point, strict=True)}

    def middle(self) -> dict[str, Scalar]:
        """Return the configuration in the middle of every range under its scaling."""
        return self.from_unit([0.5] * len(self.parameters))

    def cell(self, index: int) -> dict[str, Scalar]:
        """Return cell `index` (from 0) of a finite space; the last parameter varies fastest.

        Raises ValueError where the space is infinite, and IndexError for a cell that it does not have.
        """
        values: dict[str, Scalar] = {}
        for parameter in reversed(self.parameters):
            if parameter.count is None:
                raise ValueError(f"{parameter.name} has infinitely many values")
            index, digit = divmod(index, parameter.count)
            values[parameter.name] = parameter.value_at(digit)
        if index:
            raise IndexError(f"the space has {self.cardinality} cells")
        return {parameter.name: values[parameter.name] for parameter in self.parameters}

    def contains(self, values: Values) -> bool:
        """Tell whether `values` has exactly this space's parameters, each with a value of its range."""
        return values.keys() == {p.name for p in self.parameters} and all(
            p.contains(values[p.name]) for p in self.parameters
        )


def identity(values: Values) -> tuple[tuple[str, str, Scalar], ...]:
    """Return a hashable key under which two configurations are equal only with equal types."""
    return tuple((name, type(values[name]).__name__, values[name]) for name in sorted(values))


def _widened(low: float, high: float, half: float, scaling: Scaling) -> tuple[float, float]:
    """Give the outermost values of a stepped range the same share as the inner ones."""
    if scaling is Scaling.LOGARITHMIC:
        return max(low - half, low / 2), high + half
    if scaling is Scaling.REVERSE_LOGARITHMIC:
        return low - half, min(high + half, (1 + high) / 2)
    return low - half, high + half


def _stretch(u: float, low: float, high: float, scaling: Scaling) -> float:
    match scaling:
        case Scaling.LINEAR:
            return low + u * (high - low)
        case Scaling.LOGARITHMIC:
            return math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
        case Scaling.REVERSE_LOGARITHMIC:
            return 1 - math.exp(math.log1p(-low) + u * (math.log1p(-high) - math.log1p(-low)))


def _shrink(value: float, low: float, high: float, scaling: Scaling) -> float:
    """Undo `_stretch`."""
    match scaling:
        case Scaling.LINEAR:
            u = (value - low) / (high - low)
        case Scaling.LOGARITHMIC:
            u = math.log(value / low) / math.log(high / low)
        case Scaling.REVERSE_LOGARITHMIC:
            u = (math.log1p(-value) - math.log1p(-low)) / (math.log1p(-high) - math.log1p(-low))
    return min(max(u, 0.0), 1.0)

"""Constraints: what a configuration must keep to, whatever else its parameters are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpo.spec.space import Scalar, Values


class Kind(Enum):
    """What kinds of values there are in a constraint; no number is a truth value."""

    NUMBER = "a number"
    TRUTH = "true or false"
    TEXT = "text"
    NULL = "null"


def kind_of(value: Scalar) -> Kind:
    """Return the kind of a value."""
    match value:
        case bool():
            return Kind.TRUTH
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case None:
            return Kind.NULL


@dataclass(frozen=True, slots=True)
class Domain:
    """What a name in a constraint can be: a number, one of some values, or, where it is unknown, anything."""

    choices: tuple[Scalar, ...] | None = None
    is_unknown: bool = False

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of its values."""
        if self.is_unknown:
            return frozenset(Kind)
        return frozenset({Kind.NUMBER} if self.choices is None else map(kind_of, self.choices))

    def meets(self, other: Domain) -> bool:
        """Tell whether a value of this one may equal one of the other."""
        if self.choices is None or other.choices is None:
            return bool(self.kinds & other.kinds)
        return any(is_equal_to_any(choice, other.choices) for choice in self.choices)


class Mismatch(Exception):
    """A part of a constraint has a value of the wrong kind, as where text stands for a number."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a configuration must keep to; where a parameter that it names is inactive, it holds."""

    text: str
    names: frozenset[str]
    _value: Callable[[Values], Scalar] = field(compare=False, repr=False)

    def holds(self, values: Values) -> bool:
        """Tell whether a configuration keeps to it; one with which it cannot be computed does not."""
        if not self.names <= values.keys():
            return True
        try:
            return self._value(values) is True
        except (ArithmeticError, ValueError, Mismatch):
            return False

    def check(self, values: Values) -> None:
        """Raise Mismatch where one of its parts has a value of the wrong kind in a configuration."""
        if self.names <= values.keys():
            try:
                truth_of(self._value(values), self.text)
            except (ArithmeticError, ValueError):
                return


def shown(value: Scalar) -> str:
    """Return a value as a constraint has it: text in quotes."""
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "null"
        case _:
            return repr(value)


def is_equal(one: Scalar, other: Scalar) -> bool:
    """Tell whether two values are equal in a constraint: 1 and 1.0 are, 1 and true are not."""
    return kind_of(one) is kind_of(other) and one == other


def is_unequal(one: Scalar, other: Scalar) -> bool:
    """Tell whether two values are not equal in a constraint."""
    return not is_equal(one, other)


def is_equal_to_any(one: Scalar, others: Collection[Scalar]) -> bool:
    """Tell whether a value equals one of the others."""
    return any(is_equal(one, other) for other in others)


def number_of(value: Scalar, text: str) -> float:
    """Return a number as it is; raises Mismatch for another value, which is that of `text`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Mismatch(f"`{text}` is {shown(value)} there, and no number")
    return value


def truth_of(value: Scalar, text: str) -> bool:
    """Return a truth value as it is; raises Mismatch for another one, which is that of `text`."""
    if not isinstance(value, bool):
        raise Mismatch(f"`{text}` is {shown(value)} there, and neither true nor false")
    return value


def never_equal(text: str, one: Domain, other: Domain) -> tuple[str, str]:
    """Return in words that what `text` stands for never equals another part, and what it can equal."""
    from hpo.spec.explain import did_you_mean

    guess = ""
    match other.choices:
        case (str() as wanted,):
            guess = did_you_mean(wanted, [choice for choice in one.choices or () if isinstance(choice, str)])
        case _:
            pass
    values = (
        f"its values are {', '.join(map(shown, one.choices))}" if one.choices else f"`{text}` is a number"
    )
    return f"`{text}` never equals this{guess}", values

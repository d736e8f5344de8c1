"""What may be computed in a constraint: its operators and functions, and its parts as closures."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo.spec.constraint import Domain, number_of, truth_of

if TYPE_CHECKING:
    from hpo.spec.space import Scalar, Values

Value = Callable[["Values"], "Scalar"]
"""Computes a part's value in a configuration."""

Test = Callable[["Scalar", "Scalar"], bool]
"""Compares two values."""

ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,  # of floats: 9**9**9 is too large at once, and not a number of 370 million digits
}
ORDER: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: Mapping[str, tuple[Callable[..., float], range]] = {
    "min": (min, range(2, 1000)),
    "max": (max, range(2, 1000)),
    "abs": (abs, range(1, 2)),
    "log": (math.log, range(1, 3)),
}
"""What may be called, and with how many numbers."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a constraint: how its value is computed, and what that can be."""

    text: str
    value: Value
    domain: Domain

    def number(self, values: Values) -> float:
        """Return its value; raises Mismatch where that is no number."""
        return number_of(self.value(values), self.text)

    def truth(self, values: Values) -> bool:
        """Return its value; raises Mismatch where that is neither true nor false."""
        return truth_of(self.value(values), self.text)


def ordered(order: Callable[[float, float], bool], one: str, other: str, left: Scalar, right: Scalar) -> bool:
    """Tell whether two numbers, which are the values of parts, are in order; raises Mismatch."""
    return order(number_of(left, one), number_of(right, other))


def chained(parts: Sequence[Part], tests: Sequence[Test]) -> Value:
    """Return a chain of comparisons of each part with the next; each is computed at most once."""

    def holds(values: Values) -> bool:
        left = parts[0].value(values)
        for test, part in zip(tests, parts[1:], strict=True):
            right = part.value(values)
            if not test(left, right):
                return False
            left = right
        return True

    return holds

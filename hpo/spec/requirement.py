"""Requirements: inequalities over metrics that a completed trial must keep to, to be a result."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from hpo.spec.constraint import Mismatch
from hpo.spec.expression import Side, parse_chain
from hpo.spec.operations import ORDER

LEAST = 1e-9
"""The relative violation of what is exactly on a bound that it must not reach."""


@dataclass(frozen=True, slots=True)
class Violation:
    """How far a trial misses a requirement: in the metric's unit, and as a share of the bound.

    Both are infinite where that cannot be told, as for a metric that was never read.
    """

    requirement: str
    by: float
    relative: float
    why: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """An inequality over metrics, or a chain of them: `latency < 50`, `0.1 <= size / 2 < 9`."""

    text: str
    metrics: frozenset[str]
    _sides: tuple[Side, ...] = field(compare=False, repr=False)
    _orders: tuple[type[ast.cmpop], ...] = field(compare=False, repr=False)

    @classmethod
    def of(cls, text: str, metrics: Collection[str]) -> Requirement:
        """Read a requirement over some metrics; raises ExpressionError."""
        sides, orders = parse_chain(text, metrics)
        named = frozenset().union(*(side.names for side in sides))
        return cls(text, named, tuple(sides), tuple(orders))

    def violation(self, values: Mapping[str, float]) -> Violation | None:
        """Return how far metrics with these values miss it; None where they meet it.

        What misses an inequality does so by the difference of its sides, and relative to the bound: the
        side without a metric, or the right one. A bound of 0 counts as 1.
        """
        missing = sorted(self.metrics - values.keys())
        if missing:
            return self._unknown(f"no line of the log gave {' and '.join(missing)}")
        try:
            sides = [float(side.value(values)) for side in self._sides]  # type: ignore[arg-type]
        except (ArithmeticError, ValueError, Mismatch):
            return self._unknown(f"it cannot be computed: {self._told(values)}")
        if not all(map(math.isfinite, sides)):
            return self._unknown(self._told(values))
        by = relative = 0.0
        for place, order in enumerate(self._orders):
            left, right = sides[place : place + 2]
            if not ORDER[order](left, right):
                is_bound = not self._sides[place].names
                by += abs(left - right)
                relative += max(abs(left - right) / (abs(left if is_bound else right) or 1.0), LEAST)
        return Violation(self.text, by, relative, self._told(values)) if relative else None

    def _told(self, values: Mapping[str, float]) -> str:
        return ", ".join(f"{name} is {values[name]:.6g}" for name in sorted(self.metrics))

    def _unknown(self, why: str) -> Violation:
        return Violation(self.text, math.inf, math.inf, why)

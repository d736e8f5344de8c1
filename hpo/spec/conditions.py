"""Conditions: parameters that are active only where others have certain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpo.spec.space import Scalar, Values


def same(one: Scalar, other: Scalar) -> bool:
    """Tell whether two values are one: 1, 1.0 and true are three different ones."""
    return type(one) is type(other) and one == other


def is_among(value: Scalar, values: Iterable[Scalar]) -> bool:
    """Tell whether `value` is one of the values, with its type."""
    return any(same(value, other) for other in values)


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds where the parameter `parent` is active and has one of the values."""

    parent: str
    values: tuple[Scalar, ...]

    def holds(self, values: Values) -> bool:
        """Tell whether it holds in a configuration that has active parameters only."""
        return self.parent in values and is_among(values[self.parent], self.values)

    def __str__(self) -> str:
        listed = " or ".join("null" if value is None else str(value) for value in self.values)
        return f"{self.parent} is {listed}"


Conditions = Mapping[str, tuple[Condition, ...]]
"""What must hold, all of it, for a parameter to be active; others are always active."""


def parents_first(names: Sequence[str], conditions: Conditions) -> list[str]:
    """Return the names with each parameter's parents before it, else in their order.

    Raises ValueError for a cycle, with the names in it.
    """
    ordered: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        ready = next((name for name in waiting if _parents(name, conditions) <= ordered.keys()), None)
        if ready is None:
            raise ValueError(" → ".join(_cycle(waiting, conditions)))
        ordered[ready] = None
        waiting.remove(ready)
    return list(ordered)


def _parents(name: str, conditions: Conditions) -> set[str]:
    return {condition.parent for condition in conditions.get(name, ())}


def _cycle(waiting: Sequence[str], conditions: Conditions) -> list[str]:
    """Return a way from a parameter over its parents back to it; every waiting one waits for another."""
    path = [waiting[0]]
    while True:
        parent = min(_parents(path[-1], conditions) & set(waiting))
        if parent in path:
            return [*path[path.index(parent) :], parent]
        path.append(parent)

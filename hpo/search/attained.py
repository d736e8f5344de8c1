"""What some results have attained, by one objective or by several."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

Losses = tuple[float, ...]
"""A result's values, one for each objective: the less, the better."""

LARGEST = 1e100
"""Beyond this, losses count as this: the distance of larger ones is no number."""


def moderate(losses: Losses) -> Losses:
    """Return losses that can be computed with."""
    return tuple(max(-LARGEST, min(LARGEST, loss)) for loss in losses)


@dataclass(slots=True)
class Attained:
    """The front of some results, and where the losses of each objective by itself lie."""

    front: list[Losses] = field(default_factory=list)  # results that no other one dominates
    _sorted: list[list[float]] = field(default_factory=list)  # all losses, of each objective by itself

    def add(self, losses: Losses) -> None:
        """Take in another result."""
        losses = moderate(losses)
        self._sorted = self._sorted or [[] for _ in losses]
        for ascending, loss in zip(self._sorted, losses, strict=True):
            insort(ascending, loss)
        if not any(_is_covered(losses, by=other) for other in self.front):
            self.front = [other for other in self.front if not _is_covered(other, by=losses)]
            self.front.append(losses)

    @property
    def least(self) -> Losses:
        """The least loss of each objective; empty without results."""
        return tuple(ascending[0] for ascending in self._sorted)

    @property
    def median(self) -> Losses:
        """The median of each objective's losses, likewise."""
        return tuple(ascending[len(ascending) // 2] for ascending in self._sorted)

    @property
    def greatest(self) -> Losses:
        """The greatest loss of each objective, likewise."""
        return tuple(ascending[-1] for ascending in self._sorted)


def _is_covered(losses: Sequence[float], *, by: Sequence[float]) -> bool:
    """Tell whether another result is at least as good in every objective."""
    return all(other <= loss for loss, other in zip(losses, by, strict=True))

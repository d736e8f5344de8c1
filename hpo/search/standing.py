"""How one of several algorithms stands: what its trials have given, by one objective or by several."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

Losses = tuple[float, ...]
"""A result's values, one for each objective: the less, the better."""

LARGEST = 1e100
"""Beyond this, losses count as this: the distance of larger ones is no number."""


@dataclass(slots=True)
class Standing:
    """How one algorithm stands."""

    name: str
    initial: int  # configurations that are to be tried first of all
    trials: int = 0  # all that were proposed, also those that have not ended, or failed
    inherited: int = 0  # results of parents, which count like its own
    front: list[Losses] = field(default_factory=list)  # results that no other one of its own dominates
    _sorted: list[list[float]] = field(default_factory=list)  # all losses, of each objective by itself

    @property
    def tried(self) -> int:
        """How many trials count, its own and its parents'."""
        return self.trials + self.inherited

    def inherit(self, losses: Losses) -> None:
        """Take in what a trial of an identical start's parent has completed with."""
        self.inherited += 1
        self.add(losses)

    def add(self, losses: Losses) -> None:
        """Take in what a trial has completed with."""
        losses = tuple(max(-LARGEST, min(LARGEST, loss)) for loss in losses)
        self._sorted = self._sorted or [[] for _ in losses]
        for ascending, loss in zip(self._sorted, losses, strict=True):
            insort(ascending, loss)
        if not any(_is_covered(losses, by=other) for other in self.front):
            self.front = [other for other in self.front if not _is_covered(other, by=losses)]
            self.front.append(losses)

    @property
    def least(self) -> Losses:
        """The least loss of each objective; empty where no trial has completed."""
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

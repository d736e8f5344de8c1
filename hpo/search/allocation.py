"""Which of several algorithms gets the next trial.

First each gets its minimum, in turn; from then on the one with the highest index of MaxUCB (Balef, Vernade
and Eggensperger, Put CASH on Bandits: A Max K-Armed Problem for Automated Machine Learning, 2025): its best
value so far, and a bonus of (ALPHA · log t / n)² for its n of the t trials. An algorithm is judged by its
best, as that is what a job is for, and the bonus falls fast with its trials: one that is clearly worse is
tried ever more seldom, but never given up. The paper's values lie between 0 and 1; here the bonus is in units
of the distance from the best of all values to the algorithms' medians, in the mean, so that neither the scale
of the objective matters, nor how bad the worst values are, nor whose trials are the most. The results that an
identical start's parents have given count like the job's own.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

LEAST, MOST = 3, 6
"""Trials that each algorithm gets before they are compared: a quarter of all, but not fewer or more."""

ALPHA = 0.5
"""How much is tried out, as the paper recommends."""


@dataclass(slots=True)
class Standing:
    """How one algorithm stands."""

    name: str
    initial: int  # configurations that are to be tried first of all
    trials: int = 0  # all that were proposed, also those that have not ended, or failed
    inherited: int = 0  # results of parents, which count like its own
    _losses: list[float] = field(default_factory=list)  # sorted

    @property
    def tried(self) -> int:
        """How many trials count, its own and its parents'."""
        return self.trials + self.inherited

    def inherit(self, loss: float) -> None:
        """Take in what a trial of an identical start's parent has completed with."""
        self.inherited += 1
        self.add(loss)

    def add(self, loss: float) -> None:
        """Take in what a trial has completed with: the less, the better."""
        insort(self._losses, loss)

    @property
    def best(self) -> float | None:
        """The least loss; None where no trial has completed."""
        return self._losses[0] if self._losses else None

    @property
    def median(self) -> float | None:
        """The median of the losses, likewise."""
        return self._losses[len(self._losses) // 2] if self._losses else None


@dataclass(frozen=True, slots=True)
class Choice:
    """An algorithm for the next trial, and why."""

    name: str
    why: str


def minimum(max_jobs: int, algorithms: int) -> int:
    """Return how many trials each algorithm gets before they are compared."""
    return max(LEAST, min(MOST, max_jobs // (4 * algorithms)))


def ranked(standings: Sequence[Standing], first: int) -> list[Choice]:
    """Return the algorithms in the order in which they are to get the next trial; of equal ones the first.

    `first` is the minimum of each.
    """
    total = sum(standing.tried for standing in standings)
    medians = [standing.median for standing in standings if standing.median is not None]
    best = min((standing.best for standing in standings if standing.best is not None), default=0.0)
    unit = sum(median / len(medians) for median in medians) - best if medians else 0.0
    worst = max(medians, default=0.0)

    def order(standing: Standing) -> tuple[int, int, float, int]:
        loss = worst if standing.best is None else standing.best
        bonus = unit * (ALPHA * math.log(max(1, total)) / max(1, standing.tried)) ** 2
        return *_turn(standing, first), loss - bonus, standing.tried

    return [Choice(standing.name, _why(standing, first)) for standing in sorted(standings, key=order)]


def _turn(standing: Standing, first: int) -> tuple[int, int]:
    """Return what sorts algorithms before their index does: who still has something to be tried first."""
    if standing.trials < standing.initial:
        return 0, standing.trials
    if standing.tried < first:
        return 1, standing.tried
    return 2, 0


def _why(standing: Standing, first: int) -> str:
    match _turn(standing, first)[0]:
        case 0:
            return ""
        case 1:
            included = ", its parents' included" if standing.inherited else ""
            return f"trial {standing.tried + 1} of the first {first} of {standing.name}{included}"
        case _:
            known = f" and {standing.inherited} of parents" if standing.inherited else ""
            return f"{standing.name} promises most, after {standing.trials} trials of it{known}"

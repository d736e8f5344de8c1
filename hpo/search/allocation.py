"""Which of several algorithms gets the next trial.

First each gets its minimum in turn; from then on the one with the highest index of MaxUCB (Balef, Vernade
and Eggensperger, Put CASH on Bandits: A Max K-Armed Problem for Automated Machine Learning, 2025): its best
value so far, and a bonus of (ALPHA · log t / n)² for its n of the t trials. An algorithm is judged by its
best, as that is what a job is for, and the bonus falls fast with its trials: one that is clearly worse is
tried ever more seldom, but never given up. The paper's values lie between 0 and 1; here the bonus is in units
of the distance from the best of all completed trials to their median, so that neither the unit of the
objective matters nor how bad the worst ones are.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

FIRST = 3
"""Trials that each algorithm gets before they are compared."""

ALPHA = 0.5
"""How much is tried out, as the paper recommends."""


@dataclass(slots=True)
class Standing:
    """How one algorithm stands: `loss` is its best value's, which is the better the less it is."""

    name: str
    initial: int  # configurations that are to be tried first of all
    trials: int = 0  # all that were proposed, also those that have not ended, or failed
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """An algorithm for the next trial, and why."""

    name: str
    why: str


class Losses:
    """The losses of all completed trials, sorted."""

    def __init__(self) -> None:
        self._sorted: list[float] = []

    def add(self, loss: float) -> None:
        """Take in a trial that has completed."""
        insort(self._sorted, loss)

    @property
    def unit(self) -> float:
        """The distance from the best to the median; 0 for fewer than two."""
        losses = self._sorted
        return losses[len(losses) // 2] - losses[0] if losses else 0.0

    @property
    def worst(self) -> float:
        """What an algorithm of which no trial has completed is taken to be worth."""
        return self._sorted[-1] if self._sorted else 0.0


def ranked(standings: Sequence[Standing], losses: Losses) -> list[Choice]:
    """Return the algorithms in the order in which they are to get the next trial; of equal ones the first."""
    total = sum(standing.trials for standing in standings)
    bounds = {standing.name: _bound(standing, losses, total) for standing in standings}
    order = sorted(standings, key=lambda standing: (*_turn(standing), bounds[standing.name], standing.trials))
    return [Choice(standing.name, _why(standing)) for standing in order]


def _turn(standing: Standing) -> tuple[int, int]:
    """Return what sorts algorithms before their bounds do: who still has something to be tried first."""
    if standing.trials < standing.initial:
        return 0, standing.trials
    if standing.trials < FIRST:
        return 1, standing.trials
    return 2, 0


def _bound(standing: Standing, losses: Losses, total: int) -> float:
    """Return the loss that another trial may reach, with optimism: the lower, the more it promises."""
    loss = losses.worst if standing.loss is None else standing.loss
    return loss - losses.unit * (ALPHA * math.log(max(1, total)) / max(1, standing.trials)) ** 2


def _why(standing: Standing) -> str:
    match _turn(standing)[0]:
        case 0:
            return ""
        case 1:
            return f"trial {standing.trials + 1} of the first {FIRST} of {standing.name}"
        case _:
            return f"{standing.name} promises most, after {standing.trials} trials of it"

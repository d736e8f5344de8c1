"""The runs that a trial is made of where one is not enough, and how their values become the trial's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from hpo.spec.space import Values


class Score(StrEnum):
    """Which value of several runs is their trial's."""

    MEAN = "mean"
    MEDIAN = "median"

    def of(self, values: Sequence[float]) -> float:
        """Return the score of one or more finite values, which lies between the least and the greatest."""
        match self:
            case Score.MEAN:
                return mean(values)
            case Score.MEDIAN:
                middle = len(values) // 2
                return mean(sorted(values)[middle - 1 + len(values) % 2 : middle + 1])
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Repeats:
    """A trial's runs that count, one after another: one for each seed; without seeds a single one.

    Every trial gets the same seeds, so that what is luck of a seed is the same for all of them.
    """

    seed_name: str = ""  # the parameter by which a program is given its seed
    seeds: tuple[int, ...] = ()
    score: Score = Score.MEAN

    @property
    def count(self) -> int:
        """How many runs of a trial count."""
        return max(1, len(self.seeds))

    def given(self, repeat: int) -> Values:
        """Return what the run of a repeat, from 1, is given beside the trial's parameters."""
        return {self.seed_name: self.seeds[repeat - 1]} if self.seeds else {}

    def seed(self, repeat: int) -> int | None:
        """Return the seed of a repeat, from 1; None without seeds."""
        return self.seeds[repeat - 1] if self.seeds else None


ONE_RUN = Repeats()
"""Of a trial without repeats."""


def mean(values: Sequence[float]) -> float:
    """Return the mean of one or more finite values: between the least and the greatest, never infinite."""
    try:
        found = math.fsum(values) / len(values)
    except OverflowError:
        found = math.fsum(value / len(values) for value in values)
    return min(max(found, min(values)), max(values))


def spread(values: Sequence[float]) -> float | None:
    """Return the standard deviation (n - 1) of finite values; None for fewer than two, or beyond floats."""
    if len(values) < 2:
        return None
    middle = mean(values)
    try:
        return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))
    except OverflowError:
        return None

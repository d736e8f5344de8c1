"""Hyperband, asynchronously: random search with several rates of stopping trials early.

Li et al., Hyperband, 2018: brackets; Li et al., A System for Massively Parallel Hyperparameter
Tuning, 2020: a trial is judged as soon as it reaches a rung, by what others had there before it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from functools import lru_cache
from itertools import accumulate

from hpo.core.history import History
from hpo.core.settings import Goal
from hpo.core.trial import Point
from hpo.errors import UsageError
from hpo.search.strategy import Proposal, SearchContext
from hpo.search.uniform import UniformDraws


class Hyperband:
    """Proposes uniform draws and stops those that are not among the best at a rung of their bracket.

    Resources are steps of the objective. Rungs are at min_resource · reduction_factor^k below
    max_resource; each bracket leaves out one rung more than the one before it. Of the values at a
    rung the best 1 / reduction_factor go on. Raises UsageError for resources out of order.
    """

    needs_results = False

    def __init__(
        self,
        context: SearchContext,
        *,
        min_resource: int,
        max_resource: int,
        reduction_factor: int = 3,
    ) -> None:
        _check(min_resource, max_resource, reduction_factor)
        self._draws = UniformDraws(context.space, context.seed)
        self._brackets = Brackets(min_resource, max_resource, reduction_factor)
        self._rungs = lru_cache(maxsize=1)(lambda history: _Rungs(history, self._brackets, reduction_factor))

    def prepare(self) -> None:
        """Do nothing: there is nothing slow."""

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return a draw for trial `number`; None where everything has been tried."""
        values = self._draws.draw(history, number)
        if values is None:
            return None
        bracket = self._brackets.of(number)
        levels = self._brackets.levels[bracket]
        first = f"first rung at step {levels[0]}" if levels else "no rung"
        return Proposal(values, f"hyperband bracket {bracket + 1} ({first})")

    def should_stop(self, history: History, number: int) -> str:
        """Return the verdict of the first rung at which the trial's run was not among the best."""
        return self._rungs(history).verdict(number)


class Brackets:
    """The rungs of each bracket, and which trial is in which."""

    def __init__(self, min_resource: int, max_resource: int, reduction_factor: int) -> None:
        eta = reduction_factor
        rungs = []
        level = min_resource
        while level < max_resource:
            rungs.append(level)
            level *= eta
        last = len(rungs) - (level > max_resource)  # s_max of the paper: its s is `last - bracket`
        self.levels = [tuple(rungs[bracket:]) for bracket in range(last + 1)]
        shares = [-(-(last + 1) * eta**s // (s + 1)) for s in range(last, -1, -1)]
        self._bounds = [bound / sum(shares) for bound in accumulate(shares)]

    def of(self, number: int) -> int:
        """Return the bracket of a trial, from 0: multiples of the golden ratio keep the shares even."""
        return bisect_right(self._bounds[:-1], (number - 1) * _GOLDEN_RATIO % 1.0)


class _Rungs:
    """Values by rung, kept up with as a history grows: verdicts depend on the order of its points."""

    def __init__(self, history: History, brackets: Brackets, reduction_factor: int) -> None:
        self._history = history
        self._brackets = brackets
        self._eta = reduction_factor
        self._read = 0
        self._losses: defaultdict[tuple[int, int], list[float]] = defaultdict(list)  # sorted
        self._passed: dict[tuple[int, int], int] = {}  # (trial, run) → rungs behind it
        self._verdicts: dict[tuple[int, int], str] = {}

    def verdict(self, number: int) -> str:
        points = self._history.points
        while self._read < len(points):
            self._take(points[self._read])
            self._read += 1
        return self._verdicts.get((number, self._history.trials[number].run.number), "")

    def _take(self, point: Point) -> None:
        """Judge a run at the highest rung that it has newly reached."""
        run = (point.trial, point.run)
        if run in self._verdicts or not math.isfinite(point.step):
            return
        bracket = self._brackets.of(point.trial)
        rung = bisect_right(self._brackets.levels[bracket], point.step)
        if rung > self._passed.get(run, 0):
            self._passed[run] = rung
            level = self._brackets.levels[bracket][rung - 1]
            if why := self._judge(point.value, self._losses[bracket, rung]):
                self._verdicts[run] = f"rung {rung} (step {level}): {why}"

    def _judge(self, value: float, losses: list[float]) -> str:
        """Enter a value at a rung, and return why it may not go on from there."""
        if not math.isfinite(value):
            insort(losses, math.inf)
            return f"the value is {value}"
        loss = -value if self._history.goal is Goal.MAXIMIZE else value
        rank = bisect_left(losses, loss) + 1
        insort(losses, loss)
        best = len(losses) // self._eta
        if best == 0 or rank <= best:
            return ""
        return f"{value:g} ranks {rank} of {len(losses)}, the best {best} go on"


def _check(min_resource: int, max_resource: int, reduction_factor: int) -> None:
    given = {
        "min_resource": min_resource,
        "max_resource": max_resource,
        "reduction_factor": reduction_factor,
    }
    for (name, value), least in zip(given.items(), (1, 1, 2), strict=True):
        if type(value) is not int or value < least:
            raise UsageError(f"hyperband: {name} must be an integer of at least {least}, not {value!r}")
    if min_resource >= max_resource:
        raise UsageError(
            f"hyperband: max_resource ({max_resource}) must be above min_resource ({min_resource}), "
            "or there is nothing to stop early"
        )


_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2

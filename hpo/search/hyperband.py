"""Hyperband, asynchronously: random search with several rates of stopping trials early.

Li et al., Hyperband, 2018: brackets; Li et al., A System for Massively Parallel Hyperparameter
Tuning, 2020: a trial is judged as soon as it reaches a rung, by what others had there before it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from hpo.core.history import History
from hpo.core.settings import Goal
from hpo.core.trial import Point
from hpo.core.verdict import Verdict
from hpo.errors import UsageError
from hpo.search.stopping import Decision
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

    def should_stop(self, history: History, number: int) -> Verdict | None:
        """Return the verdict of the first rung at which the trial's run was not among the best."""
        return self._rungs(history).verdict(number)

    def decisions(self, history: History, number: int) -> Sequence[Decision]:
        """Return what was decided of the trial at each rung that it reached."""
        return self._rungs(history).decisions(number)


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


@dataclass(slots=True)
class _Rung:
    """What came to one rung of a bracket, in its order."""

    losses: list[float] = field(default_factory=list)  # sorted
    arrived: list[tuple[int, float]] = field(default_factory=list)  # (trial, value)


class _Rungs:
    """Values by rung, kept up with as a history grows: verdicts depend on the order of its points."""

    def __init__(self, history: History, brackets: Brackets, reduction_factor: int) -> None:
        self._history = history
        self._brackets = brackets
        self._eta = reduction_factor
        self._read = 0
        self._rungs: defaultdict[tuple[int, int], _Rung] = defaultdict(_Rung)  # by bracket and rung, from 1
        self._passed: dict[tuple[int, int], int] = {}  # (trial, run) → rungs behind it
        self._judged: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)  # (rung, place)
        self._verdicts: dict[tuple[int, int], Verdict] = {}

    def verdict(self, number: int) -> Verdict | None:
        self._catch_up()
        return self._verdicts.get(self._run(number))

    def decisions(self, number: int) -> list[Decision]:
        self._catch_up()
        bracket = self._brackets.of(number)
        return [
            self._decision(bracket, rung, place) for rung, place in self._judged.get(self._run(number), [])
        ]

    def _run(self, number: int) -> tuple[int, int]:
        return number, self._history.trials[number].first_repeat.number

    def _catch_up(self) -> None:
        points = self._history.points
        while self._read < len(points):
            self._take(points[self._read])
            self._read += 1

    def _take(self, point: Point) -> None:
        """Judge a run at the highest rung that it has newly reached."""
        run = (point.trial, point.run)
        if run in self._verdicts or not math.isfinite(point.step):
            return
        bracket = self._brackets.of(point.trial)
        number = bisect_right(self._brackets.levels[bracket], point.step)
        if number <= self._passed.get(run, 0):
            return
        self._passed[run] = number
        rung = self._rungs[bracket, number]
        insort(rung.losses, self._loss(point.value))
        rung.arrived.append((point.trial, point.value))
        self._judged[run].append((number, len(rung.arrived)))
        verdict = self._judge(bracket, number, point.value, rung.losses)
        if not self._goes_on(verdict):
            self._verdicts[run] = verdict

    def _judge(self, bracket: int, number: int, value: float, losses: Sequence[float]) -> Verdict:
        """Compare a value with those of the rung, of which it is one."""
        level = self._brackets.levels[bracket][number - 1]
        where, count, best = f"rung {number} (step {level})", len(losses), len(losses) // self._eta
        if not math.isfinite(value):
            return Verdict(f"{where}: the value is {value}", rule="hyperband", step=level, compared=count)
        rank = bisect_left(losses, self._loss(value)) + 1
        among = f"the best {best} go on" if best else f"of fewer than {self._eta} all go on"
        last = losses[best - 1] if best else math.inf
        return Verdict(
            f"{where}: {value:g} ranks {rank} of {count}, {among}",
            rule="hyperband",
            step=level,
            value=value,
            threshold=self._value(last) if math.isfinite(last) else None,
            rank=rank,
            compared=count,
        )

    def _goes_on(self, verdict: Verdict) -> bool:
        best = verdict.compared // self._eta
        return verdict.rank is not None and (best == 0 or verdict.rank <= best)

    def _decision(self, bracket: int, number: int, place: int) -> Decision:
        """Return what was decided of the trial that came to a rung as the how-manieth."""
        arrived = self._rungs[bracket, number].arrived[:place]
        by_loss = sorted(arrived, key=lambda entry: self._loss(entry[1]))
        losses = [self._loss(value) for _, value in by_loss]
        verdict = self._judge(bracket, number, arrived[-1][1], losses)
        return Decision(verdict, not self._goes_on(verdict), tuple(by_loss))

    def _loss(self, value: float) -> float:
        """Return the value as one that is the better the less it is; what is no number is the worst."""
        return self._value(value) if math.isfinite(value) else math.inf

    def _value(self, loss: float) -> float:
        return 0.0 - loss if self._history.goal is Goal.MAXIMIZE else loss


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

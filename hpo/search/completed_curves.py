"""What completed trials had come to by a step, for trials to be compared with that are as far."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from hpo.core.history import History
from hpo.core.trial import TrialStatus

ENTRIES_KEPT = 8_000_000
"""Losses that are kept sorted by their steps, in 8 bytes each."""


class Running:
    """What the losses of one trial up to each of its steps come to; what is not finite does not count."""

    def __init__(self, steps: Iterable[float], values: Iterable[float]) -> None:
        self._steps, self._values = array("d", steps), array("d", values)

    def at(self, step: float) -> float | None:
        """Return what the losses at or before a step come to; None where there is none."""
        place = bisect_right(self._steps, step)
        return self._values[place - 1] if place else None


Made = Callable[[Iterable[tuple[float, float]], float], Running]
"""Makes it of (step, value) in any order, and of the sign by which a value is a loss."""


class RunningAverage(Running):
    """The mean of one trial's losses up to each of its steps."""

    def __init__(self, curve: Iterable[tuple[float, float]], sign: float = 1.0) -> None:
        finite = list(_finite(curve, sign))
        super().__init__((step for step, _ in finite), _means(loss for _, loss in finite))


class RunningBest(Running):
    """The least of one trial's losses up to each of its steps."""

    def __init__(self, curve: Iterable[tuple[float, float]], sign: float = 1.0) -> None:
        finite = list(_finite(curve, sign))
        super().__init__((step for step, _ in finite), accumulate((loss for _, loss in finite), min))


def _means(losses: Iterable[float]) -> Iterator[float]:
    """Yield the mean of the losses so far."""
    mean = 0.0
    for count, loss in enumerate(losses, 1):
        mean += loss / count - mean / count  # neither part can overflow, as their sum could
        yield mean


def _finite(curve: Iterable[tuple[float, float]], sign: float) -> Iterator[tuple[float, float]]:
    """Yield (step, loss) in the order of the steps."""
    finite = ((step, sign * value) for step, value in curve if math.isfinite(step) and math.isfinite(value))
    yield from sorted(finite, key=lambda point: point[0])


class CompletedCurves:
    """What a history's completed trials had come to at each step, kept up with as it grows.

    A trial is entered once at each step that is asked for, so what a decision costs does not grow with the
    trials that have ended as long as they share their steps; a step that no trial had before costs a look
    at each of them.
    """

    def __init__(self, history: History, *, running: Made) -> None:
        self._history = history
        self._running = running
        self._read = 0
        self._ended: set[int] = set()  # the log has a trial once for each change of its status
        self._curves: list[Running] = []  # of the completed trials, as they ended
        self._sorted: OrderedDict[float, tuple[int, array[float]]] = OrderedDict()  # step → entered, losses
        self._kept = 0  # losses of all steps
        self.last_place = 0  # the `place` of the last trial that has ended

    def catch_up(self) -> None:
        """Take in which trials have ended since the last call."""
        sign = self._history.goal.sign
        for number in self._history.log[self._read :]:
            trial = self._history.trials[number]
            if not trial.status.is_final or number in self._ended:
                continue
            self._ended.add(number)
            self.last_place = max(self.last_place, trial.place or 0)
            if trial.status is TrialStatus.COMPLETED:
                self._curves.append(self._running(self._history.curve(number), sign))
        self._read = len(self._history.log)

    def losses(self, step: float) -> Sequence[float]:
        """Return what all had come to at a step that had shown something by then, sorted."""
        entered, losses = self._sorted.pop(step, (0, array("d")))
        self._kept -= len(losses)
        for curve in self._curves[entered:]:
            if (loss := curve.at(step)) is not None:
                insort(losses, loss)
        self._sorted[step] = (len(self._curves), losses)
        self._kept += len(losses)
        while self._kept > ENTRIES_KEPT and len(self._sorted) > 1:
            self._kept -= len(self._sorted.popitem(last=False)[1][1])
        return losses


def completed_at(history: History, step: float, *, after: int, running: Made) -> list[tuple[int, float]]:
    """Return what each trial had come to at a step that had completed by then, the best first.

    `after` is the `place` of the last trial that had ended.
    """
    sign = history.goal.sign
    found = [
        (number, loss)
        for number, trial in history.trials.items()
        if trial.status is TrialStatus.COMPLETED and (trial.place or 0) <= after
        if (loss := running(history.curve(number), sign).at(step)) is not None
    ]
    return [(number, sign * loss + 0.0) for number, loss in sorted(found, key=lambda entry: entry[1])]

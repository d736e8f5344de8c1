"""Median early stopping, as Amazon SageMaker's developer guide describes it.

"Stop Training Jobs Early", how early stopping works: after each epoch the objective's value is compared
with the median of the running averages that all previous training jobs had up to the same epoch; a
training job whose value is worse is stopped. Golovin et al., Google Vizier, 2017, have the same rule.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from hpo.core.history import History
from hpo.core.settings import Goal
from hpo.core.trial import TrialStatus
from hpo.core.verdict import Verdict
from hpo.search.stopping import Decision, Explains
from hpo.search.strategy import Proposal, Strategy

MIN_TRIALS = 3
"""Completed trials before which none is stopped, by default."""

MIN_STEPS = 2
"""Steps before which a trial is not stopped, by default."""

ENTRIES_KEPT = 8_000_000
"""Running averages that are kept sorted by their steps, in 8 bytes each."""

RULE = "median"
"""What verdicts call it."""


class MedianStopping:
    """A strategy whose trials are stopped early by the median rule.

    The values that came with the last look at a trial are judged in their order, each against those trials
    that had completed by then. A completed trial counts by the mean of its values at or before the step,
    so that trials that print at different steps can be compared; one that has none so early does not count.
    """

    def __init__(
        self, strategy: Strategy, *, min_trials: int = MIN_TRIALS, min_steps: float = MIN_STEPS
    ) -> None:
        self._strategy = strategy
        self._min_trials = min_trials
        self._min_steps = min_steps
        self._averages = lru_cache(maxsize=1)(Averages)
        self.needs_results = strategy.needs_results

    def prepare(self) -> None:
        """Prepare the strategy."""
        self._strategy.prepare()

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return what the strategy proposes."""
        return self._strategy.propose(history, number)

    def should_stop(self, history: History, number: int) -> Verdict | None:
        """Return the verdict on the first of the latest values that is worse than the median."""
        if verdict := self._strategy.should_stop(history, number):
            return verdict
        averages = self._averages(history)
        averages.catch_up()
        for step, value in history.last_look(number):
            if math.isfinite(step) and step >= self._min_steps and len(history.curve(number)) > 1:
                verdict = self._judged(history, averages, step, value)
                if verdict is not None:
                    return verdict
        return None

    def decisions(self, history: History, number: int) -> Sequence[Decision]:
        """Return the comparison by which the trial was stopped, with the averages of that moment."""
        found = self._strategy.decisions(history, number) if isinstance(self._strategy, Explains) else ()
        verdict = history.trials[number].verdict
        if verdict is None or verdict.rule != RULE or verdict.step is None:
            return found
        against = averages_at(history, verdict.step, after=verdict.after)
        return [*found, Decision(verdict, stops=True, against=tuple(against))]

    def _judged(self, history: History, averages: Averages, step: float, value: float) -> Verdict | None:
        """Return the verdict on a value that is worse than the median; None where it is not, or too early."""
        losses = averages.losses(step)
        if len(losses) < self._min_trials:
            return None
        sign = _sign(history.goal)
        threshold = _median(losses)
        loss = sign * value if math.isfinite(value) else math.inf
        if loss <= threshold:
            return None
        median = sign * threshold + 0.0
        compared = len(losses)
        return Verdict(
            f"step {step:g}: {value:g} is worse than {median:g}, "
            f"the median of the running averages of {compared} trials",
            rule=RULE,
            step=step,
            value=value if math.isfinite(value) else None,
            threshold=median,
            compared=compared,
            after=averages.last_place,
        )


class Averages:
    """The running averages of a history's completed trials, kept up with as it grows.

    A trial is entered once at each step that is asked for, so what a decision costs does not grow with the
    trials that have ended as long as they share their steps; a step that no trial had before costs a look
    at each of them.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._sign = _sign(history.goal)
        self._read = 0
        self._ended: set[int] = set()  # the log has a trial once for each change of its status
        self._curves: list[RunningAverage] = []  # of the completed trials, as they ended
        self._sorted: OrderedDict[float, tuple[int, array[float]]] = OrderedDict()  # step → entered, losses
        self._kept = 0  # losses of all steps
        self.last_place = 0  # the `place` of the last trial that has ended

    def catch_up(self) -> None:
        """Take in which trials have ended since the last call."""
        for number in self._history.log[self._read :]:
            trial = self._history.trials[number]
            if not trial.status.is_final or number in self._ended:
                continue
            self._ended.add(number)
            self.last_place = max(self.last_place, trial.place or 0)
            if trial.status is TrialStatus.COMPLETED:
                self._curves.append(RunningAverage(self._history.curve(number)))
        self._read = len(self._history.log)

    def losses(self, step: float) -> Sequence[float]:
        """Return the averages of all that have one at a step, as losses, sorted."""
        entered, losses = self._sorted.pop(step, (0, array("d")))
        self._kept -= len(losses)
        for curve in self._curves[entered:]:
            if (average := curve.at(step)) is not None:
                insort(losses, self._sign * average)
        self._sorted[step] = (len(self._curves), losses)
        self._kept += len(losses)
        while self._kept > ENTRIES_KEPT and len(self._sorted) > 1:
            self._kept -= len(self._sorted.popitem(last=False)[1][1])
        return losses


class RunningAverage:
    """The mean of one trial's values up to each of its steps; what is not finite does not count."""

    def __init__(self, curve: Iterable[tuple[float, float]]) -> None:
        self._steps, self._means = array("d"), array("d")
        finite = ((step, value) for step, value in curve if math.isfinite(step) and math.isfinite(value))
        mean = 0.0
        for count, (step, value) in enumerate(sorted(finite, key=lambda point: point[0]), 1):
            mean += value / count - mean / count  # neither part can overflow, as their sum could
            self._steps.append(step)
            self._means.append(mean)

    def at(self, step: float) -> float | None:
        """Return the mean of the values at or before a step; None where there is none."""
        place = bisect_right(self._steps, step)
        return self._means[place - 1] if place else None


def averages_at(history: History, step: float, *, after: int) -> list[tuple[int, float]]:
    """Return the running average at a step of each trial that had completed by then, the best first.

    `after` is the `place` of the last trial that had ended.
    """
    found = [
        (number, average)
        for number, trial in history.trials.items()
        if trial.status is TrialStatus.COMPLETED and (trial.place or 0) <= after
        if (average := RunningAverage(history.curve(number)).at(step)) is not None
    ]
    return sorted(found, key=lambda entry: _sign(history.goal) * entry[1])


def _sign(goal: Goal) -> float:
    return -1.0 if goal is Goal.MAXIMIZE else 1.0


def _median(values: Sequence[float]) -> float:
    """Return the median of sorted values; of an even number the mean of the two in the middle."""
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else values[middle - 1] / 2 + values[middle] / 2

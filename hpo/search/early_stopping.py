"""Trials that are stopped early because others had shown better values by the same step.

Two rules. The median one is that of Amazon SageMaker's developer guide, "Stop Training Jobs Early", how early
stopping works: after each epoch the objective's value is compared with the median of the running averages
that all previous training jobs had up to the same epoch; a training job whose value is worse is stopped
(Golovin et al., Google Vizier, 2017, have the same rule). A running average lags behind, so that much passes.
The percentile one compares like with like, the best values so far, and asks for more than the middle one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate, islice
from typing import ClassVar, Protocol, assert_never

from hpo.core.history import History
from hpo.core.verdict import Verdict
from hpo.search.completed_curves import CompletedCurves, Running, RunningAverage, RunningBest, completed_at
from hpo.search.stopping import Decision, Explains
from hpo.search.strategy import Proposal, Strategy
from hpo.spec.stopping import MIN_STEPS, MIN_TRIALS, PERCENTILE, EarlyStoppingRule


def with_early_stopping(strategy: Strategy, given: EarlyStoppingRule | None) -> Strategy:
    """Return a strategy with the rule that a spec gives; as it is where trials run to their end."""
    if given is None:
        return strategy
    rule: Rule
    match given.rule:
        case "median":
            rule = Median()
        case "percentile":
            rule = Percentile(given.percentile)
        case _:
            assert_never(given.rule)
    return EarlyStopping(strategy, rule, min_trials=given.min_trials, min_steps=given.min_steps)


class Rule(Protocol):
    """What of a trial is compared, with what of the others; losses are the better the less they are."""

    @property
    def name(self) -> str:
        """What verdicts call it."""

    def running(self, curve: Iterable[tuple[float, float]], sign: float) -> Running:
        """Return what counts of a completed trial at each step."""

    def shown(self, curve: Sequence[tuple[float, float]], sign: float, first: int) -> Iterator[float]:
        """Yield the loss by which a trial is judged at each step of its curve, from the `first` on."""

    def threshold(self, losses: Sequence[float]) -> float:
        """Return the largest loss that is good enough beside these, which are sorted."""

    def words(self, value: str, threshold: str, compared: int) -> str:
        """Return what is said of a trial that is stopped."""


class Median:
    """A value is compared with the median of the others' running averages."""

    name = "median"

    def running(self, curve: Iterable[tuple[float, float]], sign: float) -> Running:
        """Return the running average."""
        return RunningAverage(curve, sign)

    def shown(self, curve: Sequence[tuple[float, float]], sign: float, first: int) -> Iterator[float]:
        """Yield the losses as they are."""
        return _losses(curve[first:], sign)

    def threshold(self, losses: Sequence[float]) -> float:
        """Return the median of sorted losses; of an even number the mean of the two in the middle."""
        middle = len(losses) // 2
        return losses[middle] if len(losses) % 2 else losses[middle - 1] / 2 + losses[middle] / 2

    def words(self, value: str, threshold: str, compared: int) -> str:
        """Say so."""
        return f"{value} is worse than {threshold}, the median of the running averages of {compared} trials"


@dataclass(frozen=True, slots=True)
class Percentile:
    """The best value so far is compared with the best ones that others had by then."""

    percentile: float = PERCENTILE
    name: ClassVar[str] = "percentile"

    def running(self, curve: Iterable[tuple[float, float]], sign: float) -> Running:
        """Return the best value so far."""
        return RunningBest(curve, sign)

    def shown(self, curve: Sequence[tuple[float, float]], sign: float, first: int) -> Iterator[float]:
        """Yield the least of the losses so far."""
        return islice(accumulate(_losses(curve, sign), min), first, None)

    def threshold(self, losses: Sequence[float]) -> float:
        """Return the percentile of sorted losses, between two of them in proportion."""
        place = self.percentile / 100.0 * (len(losses) - 1)
        below = math.floor(place)
        above, part = min(below + 1, len(losses) - 1), place - below
        return losses[below] * (1.0 - part) + losses[above] * part

    def words(self, value: str, threshold: str, compared: int) -> str:
        """Say so."""
        best = f"what the best {self.percentile:g}% of {compared} trials had by then"
        return f"the best so far, {value}, is worse than {threshold}, {best}"


class EarlyStopping:
    """A strategy whose trials are stopped early by a rule.

    The values that came with the last look at a trial are judged in their order, each against those trials
    that had completed by then. A completed trial counts by its values at or before the step, so that trials
    that print at different steps can be compared; one that has none so early does not count.
    """

    def __init__(
        self, strategy: Strategy, rule: Rule, *, min_trials: int = MIN_TRIALS, min_steps: float = MIN_STEPS
    ) -> None:
        self._strategy = strategy
        self._rule = rule
        self._min_trials = min_trials
        self._min_steps = min_steps
        self._completed = lru_cache(maxsize=1)(partial(CompletedCurves, running=rule.running))
        self.needs_results = strategy.needs_results

    def prepare(self) -> None:
        """Prepare the strategy."""
        self._strategy.prepare()

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return what the strategy proposes."""
        return self._strategy.propose(history, number)

    def should_stop(self, history: History, number: int) -> Verdict | None:
        """Return the verdict on the first of the latest values that is not good enough."""
        if verdict := self._strategy.should_stop(history, number):
            return verdict
        completed = self._completed(history)
        completed.catch_up()
        curve, look = history.curve(number), history.last_look(number)
        if len(curve) < 2:  # of one value nothing is said yet
            return None
        sign = history.goal.sign
        shown = self._rule.shown(curve, sign, len(curve) - len(look))
        for (step, value), loss in zip(look, shown, strict=True):
            if math.isfinite(step) and step >= self._min_steps:
                judged = sign * loss + 0.0 if math.isfinite(loss) else value
                verdict = self._judged(completed, step, loss, judged, sign)
                if verdict is not None:
                    return verdict
        return None

    def decisions(self, history: History, number: int) -> Sequence[Decision]:
        """Return the comparison by which the trial was stopped, with the others' values of that moment."""
        found = self._strategy.decisions(history, number) if isinstance(self._strategy, Explains) else ()
        verdict = history.trials[number].verdict
        if verdict is None or verdict.rule != self._rule.name or verdict.step is None:
            return found
        against = completed_at(history, verdict.step, after=verdict.after, running=self._rule.running)
        return [*found, Decision(verdict, stops=True, against=tuple(against))]

    def _judged(
        self, completed: CompletedCurves, step: float, loss: float, value: float, sign: float
    ) -> Verdict | None:
        """Return the verdict on a loss that is too large; None where it is not, or too early to tell."""
        losses = completed.losses(step)
        if len(losses) < self._min_trials:
            return None
        least = self._rule.threshold(losses)
        if loss <= least:
            return None
        threshold, compared = sign * least + 0.0, len(losses)
        said = self._rule.words(f"{value:g}", f"{threshold:g}", compared)
        return Verdict(
            f"step {step:g}: {said}",
            rule=self._rule.name,
            step=step,
            value=value if math.isfinite(value) else None,
            threshold=threshold,
            compared=compared,
            after=completed.last_place,
        )


def _losses(curve: Iterable[tuple[float, float]], sign: float) -> Iterator[float]:
    """Yield the values as losses; what is no number is worse than any."""
    return (sign * value if math.isfinite(value) else math.inf for _, value in curve)

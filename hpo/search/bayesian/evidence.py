"""A job's history as the engine reads it, kept up with as it grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from statistics import fmean, median_low
from typing import assert_never

import numpy as np

from hpo.core.history import History
from hpo.core.prior import NO_PRIOR, Prior
from hpo.core.settings import Goal
from hpo.core.trial import Trial, TrialStatus
from hpo.search.attained import Attained, Losses
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.surrogate import Evidence
from hpo.search.chebyshev import Weighed, weights
from hpo.search.hints import beyond, evidence_of
from hpo.spec.space import Values

STOPPED_DOUBT = 0.25
"""Variance of a stopped trial's value, where results have variance 1: it might have come to be better."""

WORST = 1e100
"""What larger violations count as; losses as large have no variance to compare with."""

SHORTEST = 1e-3
"""Seconds that a trial takes at least: clocks are set."""


class Kind(Enum):
    """What a trial says."""

    RESULT = auto()
    STOPPED = auto()  # early, with a last value
    FAILED = auto()
    PENDING = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class _Known:
    kind: Kind
    point: Array
    losses: Losses = ()
    error: float = 0.0  # standard error of the first loss, where it is told
    violation: float = 0.0
    seconds: float = math.nan

    @property
    def loss(self) -> float:
        return self.losses[0]


class HistoryEvidence:
    """The trials of a history, and results of parents from before it.

    A completed trial counts by its value. A stopped one counts by the last value of its curve, but for no
    better than the middle one of the completed: it was worse than others. A failure of the program's own
    counts for the model of failures, and so does a result that misses what is required; where all of them
    do, they count by how far. How the machinery or a user ended a trial says nothing. Results outside of the
    space, as where its ranges were narrowed, are known as far as they lie next to it. Several objectives are
    made into one, by weights that the trial's number tells.
    """

    def __init__(
        self,
        encoding: Encoding,
        history: History,
        prior: Prior = NO_PRIOR,
        others: Sequence[Goal] = (),
    ) -> None:
        """Take what there was before the history, and the goals of the objectives beside its own."""
        self._encoding = encoding
        self._history = history
        self._signs = [goal.sign for goal in (history.goal, *others)]
        self._read = 0
        self._trials: dict[int, _Known] = {}
        self._beyond: dict[int, _Known] = {}
        self._before = self._of_parents(evidence_of(encoding.space, prior))
        self._before_beyond = self._of_parents(beyond(encoding.space, prior))
        self._attained = Attained()
        self._counted: set[int] = set()  # whose results that is made of, beside those from before
        for known in self._before:
            self._attained.add(known.losses)

    @property
    def inherited(self) -> int:
        """How many results are from before the history."""
        return len(self._before)

    @property
    def beyond(self) -> int:
        """How many results outside of the space are known."""
        return len(self._outside())

    def count(self, *kinds: Kind) -> int:
        """Return how many trials of the history there are of these kinds."""
        return sum(known.kind in kinds for known in self._trials.values())

    @property
    def timed(self) -> int:
        """Of how many results of the history it is known how long they took, those outside included."""
        known = (*self._trials.values(), *self._outside())
        return sum(math.isfinite(each.seconds) for each in known)

    @property
    def results(self) -> list[int]:
        """The trials whose values are the evidence's first ones, after those from before, in their order."""
        return [number for number in sorted(self._trials) if self._trials[number].kind is Kind.RESULT]

    def catch_up(self) -> None:
        """Take in what happened since the last call."""
        for number in self._history.log[self._read :]:
            trial = self._history.trials[number]
            if number in self._trials or self._encoding.space.contains(trial.params):
                self._trials[number] = known = self._known(trial, self._trials.get(number))
                if known.kind is Kind.RESULT and not trial.violation and number not in self._counted:
                    self._counted.add(number)
                    self._attained.add(known.losses)
            elif self._encoding.space.borders_on(trial.params):
                self._beyond[number] = self._known(trial, self._beyond.get(number))
        self._read = len(self._history.log)

    @property
    def misses_all(self) -> bool:
        """Whether there are results, and all of them miss what is required: what counts is by how far."""
        results = [known for known in (*self._before, *self._trials.values()) if known.kind is Kind.RESULT]
        return bool(results) and all(known.violation for known in results)

    def evidence(self, number: int) -> Evidence:
        """Return all of it as arrays, in the order of the trials, as it is for trial `number`."""
        trials = [self._trials[each] for each in sorted(self._trials)]
        results = [*self._before, *(self._trials[each] for each in self.results)]
        stopped = [known for known in trials if known.kind is Kind.STOPPED]
        outside, misses_all = (self._outside() if results else []), self.misses_all
        if misses_all:  # what is required comes first
            results, outside = _violations(results), _violations(outside)
            stopped = []
        elif results and len(self._signs) > 1:
            results, outside = self._made_one(results, number), self._made_one(outside, number)
        middle = median_low([known.loss for known in results]) if results else -math.inf
        stopped = [replace(known, losses=(max(known.loss, middle),)) for known in stopped]
        every = [*results, *stopped, *outside]
        losses = [known.loss for known in every]
        variance = float(np.var(losses)) if max(map(abs, losses), default=0.0) < WORST else math.inf
        doubts = [known.error**2 / variance if known.error and variance else 0.0 for known in every]
        is_stopped = [known.kind is Kind.STOPPED for known in every]
        return Evidence(
            points=self._stacked([known.point for known in every]),
            losses=np.array(losses),
            doubts=np.where(is_stopped, STOPPED_DOUBT, doubts),
            misses=np.array([known.violation > 0.0 and not misses_all for known in every], dtype=bool),
            beyond=np.arange(len(every)) >= len(every) - len(outside),
            seconds=np.array([known.seconds for known in every]),
            failed=self._stacked([known.point for known in trials if known.kind is Kind.FAILED]),
            pending=self._stacked([known.point for known in trials if known.kind is Kind.PENDING]),
        )

    def _made_one(self, results: Sequence[_Known], number: int) -> list[_Known]:
        """Return results with one loss each, made of several, and its standard error."""
        weighed = Weighed.of_front(self._attained, weights(len(self._signs), number))
        made = []
        for known in results:
            first, *others = known.losses
            loss, more = weighed.loss(known.losses), weighed.loss((first + known.error, *others))
            made.append(replace(known, losses=(loss,), error=more - loss))
        return made

    def _losses(self, values: Sequence[float]) -> Losses:
        return tuple(sign * value for sign, value in zip(self._signs, values, strict=False))

    def tried(self) -> Array:
        """Return the points of all trials, shape (n, d)."""
        return self._stacked([known.point for known in (*self._before, *self._trials.values())])

    def _outside(self) -> list[_Known]:
        """Return the results outside of the space."""
        own = (self._beyond[number] for number in sorted(self._beyond))
        return [*self._before_beyond, *(known for known in own if known.kind is Kind.RESULT)]

    def _known(self, trial: Trial, before: _Known | None) -> _Known:
        point = self._encoding.point(trial.params) if before is None else before.point
        kind, values = _said(trial, self._history)
        if kind is Kind.STOPPED and len(self._signs) > 1:  # its values are no result's
            kind, values = Kind.FAILED, ()
        error, seconds = trial.standard_error or 0.0, _seconds(trial) if kind is Kind.RESULT else math.nan
        return _Known(kind, point, self._losses(values), error, trial.violation, seconds)

    def _of_parents(self, results: Sequence[tuple[Values, Sequence[float]]]) -> list[_Known]:
        point = self._encoding.point
        return [_Known(Kind.RESULT, point(values), self._losses(found)) for values, found in results]

    def _stacked(self, points: Sequence[Array]) -> Array:
        return np.array(points).reshape(len(points), self._encoding.dimension)


def _violations(results: Sequence[_Known]) -> list[_Known]:
    """Return results that count by how far they miss what is required."""
    return [replace(known, losses=(min(known.violation, WORST),), error=0.0) for known in results]


def _said(trial: Trial, history: History) -> tuple[Kind, Sequence[float]]:
    """Return what a trial says, and the values by which it counts; none where it has none."""
    match trial.status:
        case TrialStatus.PROPOSED | TrialStatus.RUNNING | TrialStatus.STOPPING:
            return Kind.PENDING, ()
        case TrialStatus.COMPLETED:
            values = [value for value in trial.values if value is not None and math.isfinite(value)]
            return (Kind.RESULT, values) if len(values) == len(trial.values) else (Kind.FAILED, ())
        case TrialStatus.PRUNED:
            value = _last(_judged(trial, history.curve(trial.number)))
            return (Kind.STOPPED, (value,)) if math.isfinite(value) else (Kind.FAILED, ())
        case TrialStatus.FAILED if trial.reason is not None and trial.reason.blames_values:
            return Kind.FAILED, ()
        case TrialStatus.FAILED | TrialStatus.CANCELLED:
            return Kind.NOTHING, ()
        case _:
            assert_never(trial.status)


def _seconds(trial: Trial) -> float:
    """Return how long a trial ran, the mean of its repeats, without waits; NaN where that is not known."""
    spans = [(run.started, run.ended) for run in trial.repeats]
    ran = [ended - started for started, ended in spans if started is not None and ended is not None]
    return max(fmean(ran), SHORTEST) if ran else math.nan


def _last(curve: Sequence[tuple[float, float]]) -> float:
    """Return the last value of a curve; NaN where there is none."""
    return curve[-1][1] if curve else math.nan


def _judged(trial: Trial, curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return the curve up to where its trial was stopped: how much more it printed until then is chance."""
    if trial.verdict is None or trial.verdict.step is None:
        return curve
    reached = next((place for place, (step, _) in enumerate(curve, 1) if step >= trial.verdict.step), None)
    return curve[:reached]

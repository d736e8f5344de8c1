"""The engine: from what is known of a space to the points that a next trial should try.

It keeps nothing between two calls: a proposal depends on its arguments alone.
"""

from __future__ import annotations

import math

import numpy as np
from threadpoolctl import threadpool_limits

from hpo.search.bayesian.acquisition import ExpectedImprovement
from hpo.search.bayesian.candidates import Candidates, Fits
from hpo.search.bayesian.choices import Choices, ImprovementPer, Incumbent, Outputs, Pending
from hpo.search.bayesian.durations import LEAST_TIMED, Durations
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.feasibility import Feasibility
from hpo.search.bayesian.outputs import standardised, tail_compressed
from hpo.search.bayesian.process import GaussianProcess, Mean, zero
from hpo.search.bayesian.promise import Promise
from hpo.search.bayesian.pull import Pull
from hpo.search.bayesian.quasirandom import normals
from hpo.search.bayesian.subset import subset
from hpo.search.bayesian.surrogate import FITTED, Evidence, surrogate

FANTASIES = 16
"""Draws of what the pending trials will give, and of what the best trials' values are without their noise."""

DRAWN = 10
"""Best trials, by the model's means, that are drawn, too."""

FEW = 3
"""Running trials beside which they are: what more of them may give is doubt enough."""

BEST = 8
"""Trials that candidates are taken around."""


class Engine:
    """Proposes points of one space by the improvement to be expected of them.

    Expected improvement is greedy: one trial at a time it tends to stay around the first good place. So every
    other trial or so is chosen as if the most promising points, up to `companions` of them, were running
    already: what is best beside them is elsewhere. How many cycles with the trial's number, and running
    trials count among them.
    """

    def __init__(self, encoding: Encoding, choices: Choices | None = None) -> None:
        self._encoding = encoding
        self._choices = choices or Choices()
        self._candidates = Candidates(encoding)

    def ranked(
        self,
        evidence: Evidence,
        *,
        number: int,
        random: np.random.Generator,
        fits: Fits = lambda _: True,
        drawn: Array | None = None,
        mean: Mean = zero,
        explores: bool = True,
    ) -> Array:
        """Return points that trial `number` might try, the most promising first, shape (k, d).

        There is at least one loss of a point within the space. `fits` tells whether a point keeps to the
        constraints, and `drawn` has some points that do. Points that don't are searched around no further,
        but may be among those that are returned. `mean` is what is expected of features before there is
        evidence, on the scale on which losses have mean 0 and variance 1. Without `explores` there are no
        companions.
        """
        with threadpool_limits(limits=1, user_api="blas"):  # trials need the cores, and sums their order
            evidence = evidence.of(evidence.known(random))
            promise = self._promise(evidence, number, random, mean)
            within = evidence.of(np.flatnonzero(~evidence.beyond))
            best = within.points[np.argsort(within.losses, kind="stable")[:BEST]]
            pool = self._candidates.pool(best, evidence.points[:0] if drawn is None else drawn, random)
            seen = promise.look(pool)
            for _ in range(self._companions(number, evidence) if explores else 0):
                promise = promise.with_companion(seen)
            return self._candidates.climbed(promise, pool, promise.of(seen), fits, random)

    def weighs_time(self, timed: int) -> bool:
        """Tell whether improvement per second counts, where so many durations are known."""
        match self._choices.improvement_per:
            case ImprovementPer.TRIAL:
                return False
            case ImprovementPer.SECOND:
                return timed >= LEAST_TIMED

    def _promise(self, evidence: Evidence, number: int, random: np.random.Generator, mean: Mean) -> Promise:
        values = self._scaled(evidence.losses)
        process = surrogate(self._encoding, evidence, values, random, mean)
        improvement = self._improvement(process, values, evidence, random)
        within, pull = ~evidence.beyond, None
        if self._choices.pull:
            pull = Pull(evidence.points[within], values[within], self._encoding.is_free)
        feasibility = self._feasibility(evidence, number, random)
        is_timed = self.weighs_time(int(evidence.is_timed.sum()))
        durations = Durations(self._encoding, evidence, random) if is_timed else None
        return Promise(self._encoding, process, improvement, feasibility, pull, durations)

    def _scaled(self, losses: Array) -> Array:
        match self._choices.outputs:
            case Outputs.TAIL_COMPRESSED:
                return tail_compressed(losses)
            case Outputs.PLAIN:
                return standardised(losses)

    def _improvement(
        self, process: GaussianProcess, values: Array, evidence: Evidence, random: np.random.Generator
    ) -> ExpectedImprovement:
        pending = evidence.pending
        if self._choices.pending is Pending.IGNORED:
            pending = pending[:0]
        is_feasible = ~evidence.misses & ~evidence.beyond
        feasible = evidence.points[is_feasible]
        means = process.project(self._encoding.features(feasible)).mean
        doubted = feasible[:0]
        match self._choices.incumbent:
            case Incumbent.DRAWN:
                if len(evidence.pending) <= FEW:
                    doubted = feasible[np.argsort(means, kind="stable")[:DRAWN]]
                incumbent = math.inf if len(doubted) else means.min()
            case Incumbent.MEAN:
                incumbent = means.min()
            case Incumbent.OBSERVED:
                incumbent = values[is_feasible].min()
        drawn = process.project(self._encoding.features(np.vstack([pending, doubted])))
        most = len(drawn) + self._choices.companions
        draws = normals(most, FANTASIES, random) if most else np.empty((0, FANTASIES))
        return ExpectedImprovement(process, float(incumbent), drawn, draws)

    def _feasibility(
        self, evidence: Evidence, number: int, random: np.random.Generator
    ) -> Feasibility | None:
        good, bad = evidence.points[~evidence.misses], evidence.points[evidence.misses]
        bad = np.vstack([bad, evidence.failed])
        if not len(bad) or not self._choices.failures:
            return None
        half = FITTED // 2
        good = good[subset(np.zeros(len(good)), half, random)]
        bad = bad[subset(np.zeros(len(bad)), half, random)]
        features = self._encoding.features(np.vstack([good, bad]))
        has_failed = np.concatenate([np.zeros(len(good)), np.ones(len(bad))])
        return Feasibility(features, has_failed, self._encoding.axis_of, number=number)

    def _companions(self, number: int, evidence: Evidence) -> int:
        return max(0, number % (self._choices.companions + 1) - len(evidence.pending))

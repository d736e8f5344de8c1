"""The engine: from what is known of a space to the points that a next trial should try.

It keeps nothing between two calls: a proposal depends on its arguments alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hpo.search.bayesian.acquisition import ExpectedImprovement
from hpo.search.bayesian.candidates import Candidates, Fits
from hpo.search.bayesian.choices import Choices, Incumbent, Outputs, Pending
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.feasibility import Feasibility
from hpo.search.bayesian.outputs import standardised, tail_compressed
from hpo.search.bayesian.process import GaussianProcess, Observed, fitted
from hpo.search.bayesian.quasirandom import normals
from hpo.search.bayesian.subset import subset

FITTED, KNOWN = 150, 400
"""Trials by which a kernel is fitted, and on which the model is conditioned, at the most."""

FANTASIES = 16
"""Draws of what the pending trials will give."""

PULL = 10.0
"""What a first trial alone would pull towards where good trials are; n of them pull with an nth of it."""

WIDTH = 0.4
"""How far from there a coordinate may lie, as a share of its range."""

GOOD, LEAST_GOOD, MIDDLE = 0.25, 2, 2
"""The share of trials that are good, how many at the least, and as how many the middle of a range counts."""

BEST = 8
"""Trials that candidates are taken around."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known: points of shape (n, d), with losses and the variance of each loss's own noise.

    Losses are to be minimized; `doubts` are on the scale on which losses have variance 1. `failed` and
    `pending` are points, too.
    """

    points: Array
    losses: Array
    doubts: Array
    failed: Array
    pending: Array


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
    ) -> Array:
        """Return points that trial `number` might try, the most promising first, shape (k, d).

        `fits` tells whether a point keeps to the constraints, and `drawn` has some points that do. Points
        that don't are searched around no further, but may be among those that are returned.
        """
        kept = subset(evidence.losses, KNOWN, random)
        evidence = replace(
            evidence, points=evidence.points[kept], losses=evidence.losses[kept], doubts=evidence.doubts[kept]
        )
        features = self._encoding.features(evidence.points)
        values = self._scaled(evidence.losses)
        process = self._process(features, values, evidence.doubts, random)
        improvement = self._improvement(process, features, values, evidence.pending, random)
        feasible = self._feasibility(features, evidence.failed, number, random)

        best = evidence.points[np.argsort(values, kind="stable")[:BEST]]
        none = np.empty((0, self._encoding.dimension))
        pool = self._candidates.pool(best, none if drawn is None else drawn, random)
        pool_features = self._encoding.features(pool)
        projected, success = process.project(pool_features), feasible(pool_features)
        success = success + self._pull(pool, evidence.points, values)
        for _ in range(self._companions(number, evidence)):
            improvement = improvement.beside(projected.only(int(np.argmax(improvement(projected) + success))))

        def promise(points: Array) -> Array:
            features = self._encoding.features(points)
            return (
                improvement(process.project(features))
                + feasible(features)
                + self._pull(points, evidence.points, values)
            )

        promised = improvement(projected) + success
        return self._candidates.climbed(promise, pool, promised, fits, random)

    def expected(self, evidence: Evidence, random: np.random.Generator) -> Array:
        """Return the model's mean at each point of the evidence, lower is better: shape (n,)."""
        features = self._encoding.features(evidence.points)
        process = self._process(features, self._scaled(evidence.losses), evidence.doubts, random)
        return process.project(features).mean

    def _scaled(self, losses: Array) -> Array:
        match self._choices.outputs:
            case Outputs.TAIL_COMPRESSED:
                return tail_compressed(losses)
            case Outputs.PLAIN:
                return standardised(losses)

    def _process(
        self, features: Array, values: Array, doubts: Array, random: np.random.Generator
    ) -> GaussianProcess:
        some = subset(values, FITTED, random)
        axis_of = self._encoding.axis_of
        kernel = fitted(Observed(features[some], values[some], axis_of, doubts[some]))
        return GaussianProcess(Observed(features, values, axis_of, doubts), kernel)

    def _improvement(
        self,
        process: GaussianProcess,
        features: Array,
        values: Array,
        pending: Array,
        random: np.random.Generator,
    ) -> ExpectedImprovement:
        match self._choices.incumbent:
            case Incumbent.MEAN:
                incumbent = float(process.project(features).mean.min())
            case Incumbent.OBSERVED:
                incumbent = float(values.min())
        match self._choices.pending:
            case Pending.FANTASIES:
                running = process.project(self._encoding.features(pending))
            case Pending.IGNORED:
                running = process.project(self._encoding.features(pending[:0]))
        most = len(running) + self._choices.companions
        draws = normals(most, FANTASIES, random) if most else np.empty((0, FANTASIES))
        return ExpectedImprovement(process, incumbent, running, draws)

    def _feasibility(
        self, features: Array, failed: Array, number: int, random: np.random.Generator
    ) -> Callable[[Array], Array]:
        if not len(failed) or not self._choices.failures:
            return lambda points: np.zeros(len(points))
        half = FITTED // 2
        good = features[subset(np.zeros(len(features)), half, random)]
        bad = self._encoding.features(failed)[subset(np.zeros(len(failed)), half, random)]
        has_failed = np.concatenate([np.zeros(len(good)), np.ones(len(bad))])
        return Feasibility(np.vstack([good, bad]), has_failed, self._encoding.axis_of, number=number)

    def _pull(self, points: Array, tried: Array, values: Array) -> Array:
        """Return what keeps points from where nothing speaks for them: the corners are most uncertain.

        It is the logarithm of a normal density around the mean of the good trials and the middle of the
        space, and fades as results come in (after Hvarfner et al., πBO, 2022).
        """
        if not self._choices.pull:
            return np.zeros(len(points))
        numbers = ~self._encoding.is_category
        count = max(LEAST_GOOD, int(GOOD * len(values)))
        good = tried[np.argsort(values, kind="stable")[:count]][:, numbers]
        centre = (good.sum(axis=0) + 0.5 * MIDDLE) / (len(good) + MIDDLE)
        away = (points[:, numbers] - centre) / WIDTH
        return np.asarray(-0.5 * PULL / len(values) * (away * away).sum(axis=1))

    def _companions(self, number: int, evidence: Evidence) -> int:
        if len(evidence.losses) < self._choices.companions_from:
            return 0
        return max(0, number % (self._choices.companions + 1) - len(evidence.pending))

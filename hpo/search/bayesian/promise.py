"""What points promise, all things considered: improvement, success, time, and a belief about the space."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hpo.search.bayesian.acquisition import ExpectedImprovement
from hpo.search.bayesian.durations import Durations
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.feasibility import Feasibility
from hpo.search.bayesian.process import GaussianProcess, Projection
from hpo.search.bayesian.pull import Pull


@dataclass(frozen=True, slots=True)
class Seen:
    """Points as they were looked at once, whatever is pending."""

    projection: Projection
    belief: Array


@dataclass(frozen=True, slots=True)
class Promise:
    """The sum of log expected improvement, of what failures take from it, and of a belief about the space.

    Where durations are given the log expected seconds are taken from that.
    """

    encoding: Encoding
    process: GaussianProcess
    improvement: ExpectedImprovement
    feasibility: Feasibility | None
    pull: Pull | None
    durations: Durations | None = None

    def __call__(self, points: Array) -> Array:
        """Return what points of shape (n, d) promise: shape (n,)."""
        return self.of(self.look(points))

    def look(self, points: Array) -> Seen:
        """Return points with all that does not depend on what is pending."""
        features = self.encoding.features(points)
        belief = np.zeros(len(points))
        if self.feasibility is not None:
            belief += self.feasibility(features)
        if self.pull is not None:
            belief += self.pull(points)
        if self.durations is not None:
            belief -= self.durations(features)
        return Seen(self.process.project(features), belief)

    def of(self, seen: Seen) -> Array:
        """Return what points promise that were looked at."""
        return self.improvement(seen.projection) + seen.belief

    def with_companion(self, seen: Seen) -> Promise:
        """Return what is left beside the most promising of some points, as if that were pending, too."""
        first = seen.projection.only(int(np.argmax(self.of(seen))))
        return replace(self, improvement=self.improvement.beside(first))

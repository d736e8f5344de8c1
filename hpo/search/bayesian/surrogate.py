"""The process of a job's results: proposals are made by it, and it tells what of a result is luck."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hpo.search.bayesian.encoding import Array, Encoding, Places
from hpo.search.bayesian.process import GaussianProcess, Mean, Observed, fitted, zero
from hpo.search.bayesian.subset import subset

FITTED, KNOWN = 150, 400
"""Trials by which a kernel is fitted, and on which the model is conditioned, at the most."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known: points of shape (n, d), with losses and the variance of each loss's own noise.

    Losses are to be minimized; `doubts` are on the scale on which losses have variance 1. `misses` tells
    which points miss what is required, and `beyond` which lie outside of the space, where nothing can be
    tried: some points do neither. `seconds` is how long the trials took, NaN where that is not known.
    `failed` and `pending` are points, too.
    """

    points: Array
    losses: Array
    doubts: Array
    misses: NDArray[np.bool_]
    beyond: NDArray[np.bool_]
    seconds: Array
    failed: Array
    pending: Array

    @property
    def is_timed(self) -> NDArray[np.bool_]:
        """Of which points it is known how long the trial took, shape (n,)."""
        return np.isfinite(self.seconds)

    def known(self, random: np.random.Generator) -> Places:
        """Return the places of those that a model is conditioned on; the best are among them."""
        return subset(np.where(self.beyond, np.inf, self.losses), KNOWN, random)

    def of(self, places: Places) -> Evidence:
        """Return it with some of the points that have losses alone."""
        return replace(
            self,
            points=self.points[places],
            losses=self.losses[places],
            doubts=self.doubts[places],
            misses=self.misses[places],
            beyond=self.beyond[places],
            seconds=self.seconds[places],
        )


def surrogate(
    encoding: Encoding,
    evidence: Evidence,
    values: Array,
    random: np.random.Generator,
    mean: Mean = zero,
) -> GaussianProcess:
    """Return the process of evidence whose losses lie at these values, of variance 1.

    `mean` is what is expected of features beforehand. The kernel is fitted to some, where there are many.
    """
    some = subset(values, FITTED, random)
    features, axis_of, doubts = encoding.features(evidence.points), encoding.axis_of, evidence.doubts
    residuals = values[some] - mean(features[some])
    kernel = fitted(Observed(features[some], residuals, axis_of, doubts[some]))
    return GaussianProcess(Observed(features, values, axis_of, doubts), kernel, mean)

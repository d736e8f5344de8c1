"""How long a trial takes: learned from those that have completed."""

from __future__ import annotations

import numpy as np

from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.kernel import NoiseBelief
from hpo.search.bayesian.outputs import standardised
from hpo.search.bayesian.process import GaussianProcess, Observed, fitted
from hpo.search.bayesian.subset import subset
from hpo.search.bayesian.surrogate import FITTED, Evidence

LEAST_TIMED = 3
"""How many durations it takes to say anything."""

CHANCE = NoiseBelief(rate=1.0)
"""Before any evidence: durations may well have nothing to do with the parameters."""


class Durations:
    """The logarithm of the seconds that a trial is expected to take, by a Gaussian process on logarithms.

    Taken from log expected improvement that is improvement per second (Snoek et al., Practical Bayesian
    optimization of machine learning algorithms, 2012, section 3.2).
    """

    def __init__(self, encoding: Encoding, evidence: Evidence, random: np.random.Generator) -> None:
        """Take evidence with at least one duration."""
        timed = np.flatnonzero(evidence.is_timed)
        timed = timed[subset(evidence.losses[timed], FITTED, random)]
        logarithms = np.log(evidence.seconds[timed])
        self._mean, self._deviation = float(logarithms.mean()), float(logarithms.std())
        features = encoding.features(evidence.points[timed])
        observed = Observed(features, standardised(logarithms), encoding.axis_of, np.zeros(len(timed)))
        self._process = GaussianProcess(observed, fitted(observed, CHANCE))

    def __call__(self, features: Array) -> Array:
        """Return it for features of shape (m, f): shape (m,)."""
        return self._mean + self._deviation * self._process.project(features).mean

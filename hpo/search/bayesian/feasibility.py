"""How likely a configuration is to succeed: learned from the trials that failed."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from hpo.search.bayesian.encoding import Array, Places
from hpo.search.bayesian.process import GaussianProcess, Observed, fitted

NOISE = 0.05
"""Variance of the labels' noise, at the most, where theirs is 1: what fails does so for a reason nearby."""

SURE = 2.0
"""Standard deviations by which success must be likelier than failure for a point to be open."""

CLOSED = 50.0
"""What each standard deviation less takes from a point's promise, on the scale of logarithms.

Beside a boundary expected improvement grows without end towards where everything fails: a probability
alone is outbid.
"""


class Feasibility:
    """What failures take from the promise of a point, by a Gaussian process on 1 for failure, 0 for success.

    That is the log probability of success (Gelbart et al., Bayesian optimization with unknown constraints,
    2014), and much more where success is not sure.
    """

    def __init__(self, features: Array, has_failed: Array, axis_of: Places) -> None:
        """Take features of what was tried, shape (n, f), and 1 where it failed, 0 where not, of each some."""
        self._mean, self._deviation = float(has_failed.mean()), float(has_failed.std())
        labels = (has_failed - self._mean) / self._deviation
        observed = Observed(features, labels, axis_of, np.zeros(len(labels)))
        self._process = GaussianProcess(observed, fitted(observed, most_noise=NOISE))

    def __call__(self, features: Array) -> Array:
        """Return it for features of shape (m, f): shape (m,), at most 0."""
        said = self._process.project(features)
        even = (0.5 - self._mean) / self._deviation
        margin = (even - said.mean) / np.sqrt(said.variance + self._process.kernel.noise)
        return np.asarray(log_ndtr(margin) + CLOSED * np.minimum(margin - SURE, 0.0))

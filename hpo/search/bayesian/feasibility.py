"""How likely a configuration is to succeed: learned from the trials that failed."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from hpo.search.bayesian.encoding import Array, Places
from hpo.search.bayesian.kernel import NoiseBelief
from hpo.search.bayesian.process import GaussianProcess, Observed, fitted

LUCK = NoiseBelief(rate=1.0)
"""Before any evidence: trials may well fail by bad luck."""

REASON = NoiseBelief(most=0.05)
"""Where failures have been found to follow the parameters: each does so for a reason that lies near."""

EXPLAINED = 0.6
"""Share of the labels' variance that parameters explain from which on failures follow them."""

LEAST_FAILURES = 3
"""Fewer of them may always be bad luck."""

LEAST = 0.01
"""The least probability of success, where it may be luck: no place is closed."""

SURE, BOLD = 3.0, 2.0
"""Standard deviations by which success must be likelier than failure for a place to be open, else."""

BOLD_EVERY = 4
"""Every so many trials one is bold: the optimum may lie at the very edge."""

CLOSED = 50.0
"""What each standard deviation less takes from a point's promise, on the scale of logarithms.

Beside a boundary expected improvement grows without end towards where everything fails: a probability
alone is outbid.
"""


class Feasibility:
    """What failures take from the promise of a point, by a Gaussian process on 1 for failure, 0 for success.

    That is the log probability of success (Gelbart et al., Bayesian optimization with unknown constraints,
    2014), and much more where failures follow the parameters and success is not sure.
    """

    def __init__(self, features: Array, has_failed: Array, axis_of: Places, *, number: int) -> None:
        """Take what was tried, features of shape (n, f), and 1 where it failed, 0 where not, of each some.

        `number` is that of the trial for which places are looked for.
        """
        self._sure = BOLD if number % BOLD_EVERY == 0 else SURE
        self._mean, self._deviation = float(has_failed.mean()), float(has_failed.std())
        labels = (has_failed - self._mean) / self._deviation
        observed = Observed(features, labels, axis_of, np.zeros(len(labels)))
        kernel = fitted(observed, LUCK)
        explained = kernel.signal / (kernel.signal + kernel.noise)
        self._has_reason = explained >= EXPLAINED and has_failed.sum() >= LEAST_FAILURES
        if self._has_reason:
            kernel = fitted(observed, REASON)
        self._process = GaussianProcess(observed, kernel)

    def __call__(self, features: Array) -> Array:
        """Return it for features of shape (m, f): shape (m,), at most 0."""
        said = self._process.project(features)
        if not self._has_reason:
            failure = self._mean + self._deviation * said.mean
            return np.log(np.clip(1.0 - failure, LEAST, 1.0))
        even = (0.5 - self._mean) / self._deviation
        margin = (even - said.mean) / np.sqrt(said.variance + self._process.kernel.noise)
        return np.asarray(log_ndtr(margin) + CLOSED * np.minimum(margin - self._sure, 0.0))

"""What a next trial promises: the improvement to be expected of it, beside the trials that run."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, ndtr

from hpo.search.bayesian.encoding import Array
from hpo.search.bayesian.process import LEAST_VARIANCE, GaussianProcess, Projection, robust_cholesky

TAIL = -12.0
"""Where log(φ(z) + z Φ(z)) is told from its asymptotic series."""

FANTASY_NOISE = 1e-6
"""Share of the signal's variance that keeps the drawn trials' covariance from being singular."""


def log_improvement(z: Array) -> Array:
    """Return log(φ(z) + z Φ(z)) for a standard normal's density φ and distribution Φ, far into the tail, too.

    Ament et al., Unexpected improvements to expected improvement for Bayesian optimization, 2023.
    """
    near = np.maximum(z, TAIL)
    far = np.minimum(z, TAIL)
    value = np.log(np.exp(-0.5 * near * near) / math.sqrt(2.0 * math.pi) + near * ndtr(near))
    tail = -0.5 * far * far - 0.5 * math.log(2.0 * math.pi) - 2.0 * np.log(-far) + np.log1p(-3.0 / far**2)
    return np.where(z > TAIL, value, tail)


class ExpectedImprovement:
    """log E[max(incumbent - f(x), 0)], the mean over fantasies of what some trials' values are without noise.

    Fantasies are draws f_P = m_P + L ε from the joint posterior of pending trials (Snoek et al., Practical
    Bayesian optimization of machine learning algorithms, 2012, section 3.2) and of finished ones (Letham et
    al., Constrained Bayesian optimization with noisy experiments, 2019). Each is a process of its own, whose
    incumbent may be any of these trials; all of them have the same variance at x.
    """

    def __init__(self, process: GaussianProcess, incumbent: float, drawn: Projection, normals: Array) -> None:
        """Take p trials to be drawn, and standard normals ε of shape (p or more, s).

        The incumbent is a value that is not drawn: infinite where all that counts is among the trials.
        """
        self._process = process
        self._incumbent = incumbent
        self._drawn = drawn
        self._all_normals = normals
        self._normals = normals[: len(drawn)]
        if len(drawn):
            noise = FANTASY_NOISE * process.kernel.signal
            self._factor = robust_cholesky(process.covariance(drawn, drawn), noise)
            fantasies = drawn.mean[:, None] + self._factor @ self._normals
            self._incumbents = np.minimum(incumbent, fantasies.min(0))

    def __call__(self, points: Projection) -> Array:
        """Return it at m points, shape (m,)."""
        if not len(self._drawn):
            deviation = np.sqrt(points.variance)
            return log_improvement((self._incumbent - points.mean) / deviation) + np.log(deviation)
        cross = self._process.covariance(self._drawn, points)
        tilt = solve_triangular(self._factor, cross, lower=True, check_finite=False)
        deviation = np.sqrt(np.maximum(points.variance - (tilt * tilt).sum(0), LEAST_VARIANCE))
        means = points.mean[None, :] + self._normals.T @ tilt
        z = (self._incumbents[:, None] - means) / deviation[None, :]
        improvement: Array = logsumexp(log_improvement(z), axis=0) - math.log(len(z)) + np.log(deviation)
        return improvement

    def beside(self, point: Projection) -> ExpectedImprovement:
        """Return what a trial promises where another one, at this point, is pending, too."""
        drawn = self._drawn.joined(point)
        return ExpectedImprovement(self._process, self._incumbent, drawn, self._all_normals)

"""Gaussian processes: the posterior of a function given some of its values, and the fit of its kernel.

Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1 and section 5.4.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from hpo.search.bayesian.encoding import Array, Places
from hpo.search.bayesian.kernel import Kernel, NoiseBelief, bounds, start, surprise

JITTER = 1e-8
"""Variance that is added to every value's: a matrix of duplicates must have a factor, too."""

STEPS = 60
"""Of the search for the likeliest kernel, at most."""

LEAST_VARIANCE = 1e-12

LITTLE_NOISE = NoiseBelief()

Mean = Callable[[Array], Array]
"""What is expected of points beforehand: of features, shape (m, f), values of shape (m,)."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a process is conditioned on: features (n, f), standardised values (n,), the axis of each feature.

    `doubt`, shape (n,), is the variance of each value's own noise, beyond the noise that all have.
    """

    features: Array
    values: Array
    axis_of: Places
    doubt: Array


class Likelihood:
    """Minus the log posterior density of a kernel's parameters, given values."""

    def __init__(self, observed: Observed, belief: NoiseBelief) -> None:
        self._belief = belief
        self._values = observed.values
        self._doubt = np.diag(observed.doubt + JITTER)
        self._eye = np.eye(len(observed.values))
        self._dimension = int(observed.axis_of[-1]) + 1
        self._squares = np.empty((self._dimension, len(observed.values) ** 2))
        for axis in range(self._dimension):
            columns = observed.features[:, observed.axis_of == axis]
            away = columns[:, None, :] - columns[None, :, :]
            self._squares[axis] = (away * away).sum(-1).ravel()

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return it, up to a constant, and its gradient at theta, shape (d + 2,).

        Raises LinAlgError where the covariance has no factor.
        """
        kernel, count = Kernel.of(theta), len(self._values)
        r = np.sqrt(5.0 * (kernel.weights @ self._squares)).reshape(count, count)
        decay = np.exp(-r)
        covariance = kernel.signal * (1.0 + r + r * r / 3.0) * decay
        factor = cholesky(covariance + kernel.noise * self._eye + self._doubt, lower=True, check_finite=False)
        alpha = cho_solve((factor, True), self._values, check_finite=False)
        inverse = cho_solve((factor, True), self._eye, check_finite=False)
        inner = 0.5 * (inverse - np.outer(alpha, alpha))
        slope = inner * ((-5.0 / 6.0) * kernel.signal * (1.0 + r) * decay)
        value, gradient = surprise(theta, self._belief)
        value += 0.5 * float(self._values @ alpha) + float(np.log(np.diag(factor)).sum())
        gradient[:-2] += (self._squares @ slope.ravel()) * kernel.weights
        gradient[-2] += float((inner * covariance).sum())
        gradient[-1] += kernel.noise * float(np.trace(inner))
        return value, gradient


def fitted(observed: Observed, belief: NoiseBelief = LITTLE_NOISE) -> Kernel:
    """Return the likeliest kernel, by L-BFGS from a fixed start: the same for the same values."""
    dimension = int(observed.axis_of[-1]) + 1
    limits = bounds(dimension, belief)
    best, theta = math.inf, np.minimum(start(dimension), [most for _, most in limits])
    likelihood = Likelihood(observed, belief)

    def tried(at: Array) -> tuple[float, Array]:
        nonlocal best, theta
        value, gradient = likelihood(at)
        if value < best:
            best, theta = value, at.copy()
        return value, gradient

    options = {"maxiter": STEPS, "ftol": 1e-6, "gtol": 1e-3}
    with suppress(LinAlgError):  # what was found until then is good
        minimize(tried, theta, jac=True, method="L-BFGS-B", bounds=limits, options=options)
    return Kernel.of(theta)


@dataclass(frozen=True, slots=True)
class Projection:
    """What a process knows of some points: their scaled features, and whitened covariances with its values.

    `mean` and `variance`, shape (m,), are those of the noise-free values.
    """

    scaled: Array
    white: Array
    mean: Array
    variance: Array

    def __len__(self) -> int:
        return len(self.mean)

    def only(self, place: int) -> Projection:
        """Return one of the points alone."""
        one = slice(place, place + 1)
        return Projection(self.scaled[one], self.white[:, one], self.mean[one], self.variance[one])

    def joined(self, other: Projection) -> Projection:
        """Return these points and those of another projection."""
        return Projection(
            np.vstack([self.scaled, other.scaled]),
            np.hstack([self.white, other.white]),
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.variance, other.variance]),
        )


def zero(features: Array) -> Array:
    """Expect nothing."""
    return np.zeros(len(features))


class GaussianProcess:
    """The posterior of a function, given values, a kernel and the mean that is expected of features."""

    def __init__(self, observed: Observed, kernel: Kernel, mean: Mean = zero) -> None:
        self.kernel = kernel
        self._mean = mean
        self._scale = np.sqrt(kernel.weights)[observed.axis_of]
        self._known = observed.features * self._scale
        covariance = kernel.covariance(self._known, self._known) + np.diag(observed.doubt)
        self._factor = robust_cholesky(covariance, kernel.noise)
        residuals = observed.values - mean(observed.features)
        self._values = solve_triangular(self._factor, residuals, lower=True, check_finite=False)

    def project(self, features: Array) -> Projection:
        """Return what is known of points with these features, shape (m, f)."""
        scaled = features * self._scale
        cross = self.kernel.covariance(self._known, scaled)
        white = solve_triangular(self._factor, cross, lower=True, check_finite=False)
        variance = np.maximum(self.kernel.signal - (white * white).sum(0), LEAST_VARIANCE)
        return Projection(scaled, white, self._mean(features) + white.T @ self._values, variance)

    def covariance(self, one: Projection, other: Projection) -> Array:
        """Return the posterior covariances of two sets of points: shape (m, k)."""
        return self.kernel.covariance(one.scaled, other.scaled) - one.white.T @ other.white


def robust_cholesky(covariance: Array, noise: float) -> Array:
    """Return the lower Cholesky factor with the noise, and what jitter it takes, on the diagonal."""
    eye, jitter = np.eye(len(covariance)), JITTER
    while True:
        try:
            factor: Array = cholesky(covariance + (noise + jitter) * eye, lower=True, check_finite=False)
        except LinAlgError:
            jitter *= 10.0
        else:
            return factor

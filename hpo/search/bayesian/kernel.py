"""The kernel, a Matérn-5/2 with one length scale a parameter, and what is expected of it before any evidence.

k(a, b) = s (1 + r + r²/3) exp(-r) with r² = 5 Σ wᵢ dᵢ², where dᵢ is how far two configurations are from each
other in parameter i, and 1 between two categories (Rasmussen and Williams, Gaussian Processes for Machine
Learning, 2006, chapters 4 and 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hpo.search.bayesian.encoding import Array

LOG_WEIGHTS = (-12.0, 8.0)
LOG_SIGNAL = (-5.0, 5.0)
LOG_LEAST_NOISE = math.log(1e-6)
"""Bounds of the kernel's parameters; values have variance 1."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel's parameters: inverse squared length scales of shape (d,), and two variances.

    `theta` has the logarithms of all of them in this order, shape (d + 2,).
    """

    weights: Array
    signal: float
    noise: float

    @classmethod
    def of(cls, theta: Array) -> Kernel:
        """Return the kernel with these logarithms as parameters."""
        return cls(np.exp(theta[:-2]), math.exp(theta[-2]), math.exp(theta[-1]))

    def covariance(self, one: Array, other: Array) -> Array:
        """Return the covariances of noise-free values, for features scaled by √w: (n, f), (m, f) → (n, m)."""
        squares = (one * one).sum(1)[:, None] + (other * other).sum(1)[None, :] - 2.0 * one @ other.T
        r = np.sqrt(5.0 * np.maximum(squares, 0.0))
        covariance: Array = self.signal * (1.0 + r + r * r / 3.0) * np.exp(-r)
        return covariance


def start(dimension: int) -> Array:
    """Return the theta from which a fit begins: length scales of the whole range, noise of 1 %."""
    return np.array([0.0] * dimension + [0.0, math.log(1e-2)])


@dataclass(frozen=True, slots=True)
class NoiseBelief:
    """What is expected of the noise's variance before any evidence, where values have variance 1.

    It is Gamma(1.1, `rate`), and `most` at the most.
    """

    rate: float = 30.0
    most: float = math.e


def bounds(dimension: int, belief: NoiseBelief) -> list[tuple[float, float]]:
    """Return the least and the greatest value of each element of theta."""
    return [LOG_WEIGHTS] * dimension + [LOG_SIGNAL, (LOG_LEAST_NOISE, math.log(belief.most))]


def surprise(theta: Array, belief: NoiseBelief) -> tuple[float, Array]:
    """Return minus the log density of theta before any evidence, up to a constant, and its gradient.

    It is Optuna's GPSampler's: weights that are neither huge nor tiny, Gamma(2, 1) for the signal,
    and the belief for the noise.
    """
    weights, signal, noise = np.exp(theta[:-2]), math.exp(theta[-2]), math.exp(theta[-1])
    value = float((0.1 / weights + 0.1 * weights).sum())
    value += signal - theta[-2] + belief.rate * noise - 0.1 * theta[-1]
    gradient = np.empty_like(theta)
    gradient[:-2] = 0.1 * weights - 0.1 / weights
    gradient[-2] = signal - 1.0
    gradient[-1] = belief.rate * noise - 0.1
    return float(value), gradient

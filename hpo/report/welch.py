"""Whether two samples have the same mean, by Welch's t-test (Welch, 1947), without a library for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance

_PRECISION = 1e-15
_TINY = 1e-300
_MOST_TERMS = 10_000


def welch(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return the two-sided p-value; None where a sample has fewer than two values, or both never vary."""
    if min(len(one), len(other)) < 2:
        return None
    first, second = variance(one) / len(one), variance(other) / len(other)
    if first + second == 0.0:
        return None
    t = (fmean(one) - fmean(other)) / math.sqrt(first + second)
    degrees = (first + second) ** 2 / (first**2 / (len(one) - 1) + second**2 / (len(other) - 1))
    return two_sided(t, degrees)


def two_sided(t: float, degrees: float) -> float:
    """Return the probability that Student's t is at least as far from 0 as this."""
    return _incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x in {0.0, 1.0}:
        return x
    if x > (a + 1.0) / (a + b + 2.0):  # there the fraction converges slowly
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction by Lentz's method (Thompson and Barnett, 1986)."""
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _not_zero(1.0 + term * d)
            c = _not_zero(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY

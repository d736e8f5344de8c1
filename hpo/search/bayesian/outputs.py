"""Losses on a scale on which a Gaussian process can model them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpo.search.bayesian.encoding import Array

FLAT = 1e-12
"""Share of the losses' size from which on they differ."""

CAP = 4.0
"""Root mean square distances of the better half from the median: worse losses say no more than that."""


def tail_compressed(losses: Array) -> Array:
    """Return losses on the scale of the better half, with the distances of the worse half compressed.

    With m their median and q the root mean square distance of the better half from it, u = (y - m) / q
    becomes log(1 + u) where u > 0: how bad the bad ones are matters little, how good the good ones are
    stays as it is. The result has mean 0 and variance 1, and is all zeros where the losses are equal.
    """
    losses = _of_moderate_size(losses)
    median, spread = _better_half(losses)
    if spread > FLAT * float(np.abs(losses).max()):
        scaled = (losses - median) / spread
        losses = np.where(scaled > 0.0, np.log1p(np.maximum(scaled, 0.0)), scaled)
    return standardised(losses)


@dataclass(frozen=True, slots=True)
class CappedScale:
    """Losses on a linear scale, with the worst ones capped: noise is as large anywhere on it.

    Where the worse half is compressed noise is smaller, and the mean of noisy values too good. The `values`
    have mean 0 and variance 1; `unit` is which difference of losses 1 is, 0 where they are equal.
    """

    values: Array
    zero: float  # the loss that lies at 0
    unit: float

    @classmethod
    def of(cls, losses: Array) -> CappedScale:
        """Return some losses on their scale."""
        moderate = _of_moderate_size(losses)
        size = float(np.abs(losses).max()) / (float(np.abs(moderate).max()) or 1.0) or 1.0
        median, spread = _better_half(moderate)
        capped = np.minimum(moderate, median + CAP * spread)
        values = standardised(capped)
        return cls(values, float(capped.mean()) * size, float(capped.std()) * size * bool(values.any()))

    def losses(self, values: Array) -> Array:
        """Return which losses lie at some values."""
        return np.asarray(self.zero + self.unit * values)


def standardised(losses: Array) -> Array:
    """Return losses with mean 0 and variance 1; all zeros where they are equal."""
    losses = _of_moderate_size(losses)
    deviation = float(losses.std())
    if deviation <= FLAT * float(np.abs(losses).max()):
        return np.zeros_like(losses)
    return np.asarray((losses - losses.mean()) / deviation)


def _better_half(losses: Array) -> tuple[float, float]:
    """Return the median, and how far the better half is from it: root mean square; of all where that is 0."""
    median = float(np.median(losses))
    better = losses[losses <= median]
    return median, float(np.sqrt(np.mean((better - median) ** 2))) or float(losses.std())


def _of_moderate_size(losses: Array) -> Array:
    """Return losses whose squares can be computed with, whatever they are."""
    largest = float(np.abs(losses).max())
    return losses / largest if largest > 1e100 or 0.0 < largest < 1e-100 else losses

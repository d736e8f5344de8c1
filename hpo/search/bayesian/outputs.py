"""Losses on a scale on which a Gaussian process can model them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpo.search.bayesian.encoding import Array

FLAT = 1e-12
"""Share of the losses' size from which on they differ."""


@dataclass(frozen=True, slots=True)
class TailScale:
    """Losses on the scale of the better half, with the distances of the worse half compressed.

    With m their median and q the root mean square distance of the better half from it, u = (y - m) / q
    becomes log(1 + u) where u > 0: how bad the bad ones are matters little, how good the good ones are
    stays as it is. The `values` have mean 0 and variance 1, and are all zeros where the losses are equal.
    """

    values: Array
    median: float  # of the losses
    middle: float = 0.0  # where that is among the values
    unit: float = 0.0  # which difference of losses 1 is in the better half; 0 where it cannot be told
    deviation: float = 1.0  # of the compressed ones, before they had variance 1

    @classmethod
    def of(cls, losses: Array) -> TailScale:
        """Return some losses on their scale."""
        size = _moderate(losses)
        losses = losses / size
        median = float(np.median(losses))
        better = losses[losses <= median]
        spread = float(np.sqrt(np.mean((better - median) ** 2))) or float(losses.std())
        if spread <= FLAT * float(np.abs(losses).max()):
            return cls(standardised(losses), median * size)
        scaled = (losses - median) / spread
        compressed = np.where(scaled > 0.0, np.log1p(np.maximum(scaled, 0.0)), scaled)
        mean, deviation = float(compressed.mean()), float(compressed.std())
        values, unit = standardised(compressed), spread * deviation * size
        return cls(values, median * size, -mean / deviation, unit, deviation)

    def losses(self, values: Array) -> Array:
        """Return which losses lie at some values."""
        away = values - self.middle
        compressed = np.expm1(np.maximum(away, 0.0) * self.deviation) / self.deviation
        return np.asarray(self.median + self.unit * np.where(away > 0.0, compressed, away))


def tail_compressed(losses: Array) -> Array:
    """Return the values of losses on their scale: of mean 0 and variance 1."""
    return TailScale.of(losses).values


def standardised(losses: Array) -> Array:
    """Return losses with mean 0 and variance 1; all zeros where they are equal."""
    losses = losses / _moderate(losses)
    deviation = float(losses.std())
    if deviation <= FLAT * float(np.abs(losses).max()):
        return np.zeros_like(losses)
    return np.asarray((losses - losses.mean()) / deviation)


def _moderate(losses: Array) -> float:
    """Return what losses are to be divided by so that their squares can be computed with, mostly 1."""
    largest = float(np.abs(losses).max())
    return largest if largest > 1e100 or 0.0 < largest < 1e-100 else 1.0

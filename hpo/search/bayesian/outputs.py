"""Losses on a scale on which a Gaussian process can model them."""

from __future__ import annotations

import numpy as np

from hpo.search.bayesian.encoding import Array

FLAT = 1e-12
"""Share of the losses' size from which on they differ."""


def tail_compressed(losses: Array) -> Array:
    """Return losses on the scale of the better half, with the distances of the worse half compressed.

    With m their median and q the root mean square distance of the better half from it, u = (y - m) / q
    becomes log(1 + u) where u > 0: how bad the bad ones are matters little, how good the good ones are
    stays as it is. The result has mean 0 and variance 1, and is all zeros where the losses are equal.
    """
    losses = _of_moderate_size(losses)
    median = float(np.median(losses))
    better = losses[losses <= median]
    spread = float(np.sqrt(np.mean((better - median) ** 2))) or float(losses.std())
    if spread > FLAT * float(np.abs(losses).max()):
        scaled = (losses - median) / spread
        losses = np.where(scaled > 0.0, np.log1p(np.maximum(scaled, 0.0)), scaled)
    return standardised(losses)


def standardised(losses: Array) -> Array:
    """Return losses with mean 0 and variance 1; all zeros where they are equal."""
    losses = _of_moderate_size(losses)
    deviation = float(losses.std())
    if deviation <= FLAT * float(np.abs(losses).max()):
        return np.zeros_like(losses)
    return np.asarray((losses - losses.mean()) / deviation)


def _of_moderate_size(losses: Array) -> Array:
    """Return losses whose squares can be computed with, whatever they are."""
    largest = float(np.abs(losses).max())
    return losses / largest if largest > 1e100 or 0.0 < largest < 1e-100 else losses

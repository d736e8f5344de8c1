"""What keeps proposals out of the corners of a space.

A Gaussian process is least certain in the corners, so that improvement is expected there for want of
evidence, and the more so once nothing is left to gain around the best trials; good configurations are seldom
there. A prior belief says so, and fades as results come in (after Hvarfner et al., πBO: augmenting
acquisition functions with user beliefs, 2022), but never below what keeps corners from being tried one after
the other (Siivola et al., Correcting boundary over-exploration deficiencies in Bayesian optimization with
virtual derivative sign observations, 2018, on why they would be). It says nothing of
conditional parameters: where they are inactive they lie in the middle, so that it would keep proposals from
whatever has many of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpo.search.bayesian.encoding import Array

STRENGTH = 10.0
"""How much one result alone would pull; of n results each pulls with an nth of it."""

FADED = 20
"""Results from which on the pull stays as it is."""

WIDTH = 0.4
"""How far from the good trials a coordinate may lie, as a share of its range: a standard deviation."""

GOOD, LEAST_GOOD = 0.25, 2
"""The share of the trials that are good, and how many are at the least."""

MIDDLE = 2
"""As how many trials the middle of the space counts."""


class Pull:
    """The logarithm of a normal density around the mean of the good trials and the middle of the space."""

    def __init__(self, points: Array, losses: Array, is_free: NDArray[np.bool_]) -> None:
        """Take what was tried, points of shape (n, d), and which of the d parameters it says something of."""
        self._is_free = is_free
        count = max(LEAST_GOOD, int(GOOD * len(losses)))
        good = points[np.argsort(losses, kind="stable")[:count]][:, is_free]
        self._centre = (good.sum(axis=0) + 0.5 * MIDDLE) / (len(good) + MIDDLE)
        self._strength = STRENGTH / min(len(losses), FADED)

    def __call__(self, points: Array) -> Array:
        """Return it for points of shape (m, d), up to a constant: shape (m,)."""
        away = (points[:, self._is_free] - self._centre) / WIDTH
        return np.asarray(-0.5 * self._strength * (away * away).sum(axis=1))

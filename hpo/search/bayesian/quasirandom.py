"""Low-discrepancy sequences."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from hpo.search.bayesian.encoding import Array

EDGE = 1e-6
"""Least distance of a coordinate from 0 and 1 that becomes a normal."""


def sobol(dimension: int, count: int, random: np.random.Generator) -> Array:
    """Return a scrambled Sobol sequence in the unit cube, shape (count, dimension)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a count is no power of 2
        points: Array = qmc.Sobol(dimension, rng=random).random(count)
    return points


def normals(dimension: int, count: int, random: np.random.Generator) -> Array:
    """Return standard normals, shape (dimension, count), by a scrambled Sobol sequence."""
    values: Array = ndtri(np.clip(sobol(dimension, count, random), EDGE, 1.0 - EDGE)).T
    return values

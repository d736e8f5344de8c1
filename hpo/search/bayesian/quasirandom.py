"""Points that are spread evenly over every axis."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from hpo.search.bayesian.encoding import Array

EDGE = 1e-6
"""Least distance of a coordinate from 0 and 1 that becomes a normal."""


def latin(dimension: int, count: int, random: np.random.Generator) -> Array:
    """Return a Latin hypercube sample of the unit cube, shape (count, dimension).

    Each axis has one coordinate in each count-th of it (McKay, Beckman and Conover, A comparison of three
    methods for selecting values of input variables, 1979). A Sobol sequence would spread pairs of axes
    evenly, too, but is slow to import, and made no difference to what is found.
    """
    strata = random.permuted(np.tile(np.arange(count), (dimension, 1)), axis=1)
    return np.asarray((strata + random.random((dimension, count))).T / count)


def normals(dimension: int, count: int, random: np.random.Generator) -> Array:
    """Return standard normals, shape (dimension, count), by a Latin hypercube sample."""
    values: Array = ndtri(np.clip(latin(dimension, count, random), EDGE, 1.0 - EDGE)).T
    return values

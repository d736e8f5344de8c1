"""What the parents of a transfer expect of a job's points, as the prior mean of its own process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.outputs import tail_compressed
from hpo.search.bayesian.process import GaussianProcess, Mean, Observed, fitted, zero
from hpo.search.bayesian.subset import subset
from hpo.search.hints import Order

FITTED = 150
"""Trials of a parent by which its kernel is fitted, at the most."""


class Parents:
    """The processes of some parents' trials, each on a scale of its own: mean 0 and variance 1.

    A job's process with such a mean models what is different from the parents (the mean of a model that is
    transferred: Golovin et al., Google Vizier, 2017, section 3.3).
    """

    def __init__(self, encoding: Encoding, orders: Sequence[Order]) -> None:
        self._experts = [_Expert(encoding, order) for order in orders]

    def mean(self, weights: Sequence[float]) -> Mean:
        """Return what they expect of features, by a weight from 0 to 1 for each.

        The one that is believed most tells how large the differences are; all tell where they are.
        """
        total = sum(weights)
        if not total:
            return zero
        shares = [max(weights) * weight / total for weight in weights]
        believed = [(expert, share) for expert, share in zip(self._experts, shares, strict=True) if share]
        return lambda features: np.sum([share * expert(features) for expert, share in believed], axis=0)


class _Expert:
    """The process of one parent's trials, over the parameters that it knew; fitted when it is first asked."""

    def __init__(self, encoding: Encoding, order: Order) -> None:
        self._encoding = encoding
        self._order = order
        lacked = [place for place, p in enumerate(encoding.space) if p.name in order.lacked]
        self._is_known = ~np.isin(encoding.axis_of, lacked)

    def __call__(self, features: Array) -> Array:
        if not self._is_known.any():
            return np.zeros(len(features))
        return self._process.project(features[:, self._is_known]).mean

    @cached_property
    def _process(self) -> GaussianProcess:
        points = np.stack([self._encoding.point(values) for values, _ in self._order.known])
        features = self._encoding.features(points)[:, self._is_known]
        values = tail_compressed(np.array([loss for _, loss in self._order.known]))
        axis_of = np.unique(self._encoding.axis_of[self._is_known], return_inverse=True)[1]
        doubt = np.zeros(len(values))
        some = subset(values, FITTED, np.random.default_rng(0))
        kernel = fitted(Observed(features[some], values[some], axis_of, doubt[some]))
        return GaussianProcess(Observed(features, values, axis_of, doubt), kernel)

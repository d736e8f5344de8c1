"""Points of a space of all kinds of parameters, and what was observed there."""

from __future__ import annotations

import numpy as np

from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.outputs import tail_compressed
from hpo.search.bayesian.process import Observed
from hpo.spec.conditions import Condition
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space

SPACE = Space(
    (
        Continuous("rate", 1e-4, 1.0, Scaling.LOGARITHMIC),
        Integer("width", 1, 9, step=2),
        Categorical("kind", ("a", "b", "c")),
        Continuous("momentum", 0.0, 1.0),
    ),
    {"momentum": (Condition("kind", ("a", "c")),)},
)
ENCODING = Encoding(SPACE)


def points(count: int, seed: int = 1) -> Array:
    return ENCODING.snapped(np.random.default_rng(seed).random((count, len(SPACE))))


def observed(count: int, seed: int = 1) -> Observed:
    where = points(count, seed)
    values = tail_compressed((where[:, 0] - 0.3) ** 2 + where[:, 1] + np.sin(9 * where[:, 3]))
    return Observed(ENCODING.features(where), values, ENCODING.axis_of, np.full(count, 0.01))

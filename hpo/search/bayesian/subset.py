"""Which trials a model is made of, where there are more than it can take."""

from __future__ import annotations

import numpy as np

from hpo.search.bayesian.encoding import Array, Places


def subset(losses: Array, count: int, random: np.random.Generator) -> Places:
    """Return the places of at most so many losses, ascending.

    Half of them are the best ones, the first among equals; the others are drawn.
    """
    if len(losses) <= count:
        return np.arange(len(losses))
    order = np.argsort(losses, kind="stable")
    best, others = order[: count // 2], order[count // 2 :]
    drawn = random.choice(others, count - len(best), replace=False)
    return np.sort(np.concatenate([best, drawn]))

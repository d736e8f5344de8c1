"""Where to look for the most promising point: over the whole space, then ever closer to the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.promise import Promise
from hpo.search.bayesian.quasirandom import sobol

EVERYWHERE = 1_024
"""Candidates of a low-discrepancy sequence over the whole space."""

NEAR_THE_BEST, AT_THE_BEST = 384, 128
"""Candidates around the best trials, and close to the best one."""

WIDE, CLOSE = 0.15, 0.03
"""How far from them, as a share of each range."""

ROUNDS, FIRST_STEP, SHRINK = 6, 0.1, 0.55
"""Rounds of a local search, and how far it steps."""

CLIMBERS, OFFSPRING = 6, 48
"""Points that a round goes on from, and candidates around each."""

LOOKED_AT = 200
"""Candidates among which a round's points are looked for."""

MOST_CELLS = 2_048
"""Configurations up to which all of a finite space are candidates."""

Fits = Callable[[Array], bool]
"""Whether a point, of shape (d,), keeps to the constraints."""


class Candidates:
    """The points of one space that are looked at, and the search among them."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding

    @cached_property
    def _cells(self) -> Array | None:
        """All points of a space of few configurations; None where there are many."""
        space = self._encoding.space
        count = space.cardinality
        if count is None or not 0 < count <= MOST_CELLS:
            return None
        return np.stack([self._encoding.point(space.cell(index)) for index in range(count)])

    def pool(self, best: Array, drawn: Array, random: np.random.Generator) -> Array:
        """Return candidates over the whole space and around the best trials, shape (n, d).

        `best` has some trials, best first, and `drawn` candidates from elsewhere.
        """
        if self._cells is not None:
            return self._cells
        around = best[random.integers(0, len(best), NEAR_THE_BEST)]
        parts = [
            sobol(self._encoding.dimension, EVERYWHERE, random),
            self._varied(around, WIDE, random),
            self._varied(best[:1].repeat(AT_THE_BEST, axis=0), CLOSE, random),
            drawn,
        ]
        return self._encoding.snapped(np.vstack(parts))

    def climbed(
        self, promise: Promise, pool: Array, values: Array, fits: Fits, random: np.random.Generator
    ) -> Array:
        """Return points, the most promising first, after a local search from those of a pool that fit."""
        step = FIRST_STEP
        for _ in range(0 if self._cells is not None else ROUNDS):
            chosen = self._distinct(pool, values, fits, apart=0.3 * step)
            if not chosen:
                break
            varied = self._encoding.snapped(
                self._varied(pool[chosen].repeat(OFFSPRING, axis=0), step, random)
            )
            pool = np.vstack([pool[chosen], varied])
            values = np.concatenate([values[chosen], promise(varied)])
            step *= SHRINK
        ranked: Array = pool[np.argsort(-values, kind="stable")]
        return ranked

    @staticmethod
    def _distinct(points: Array, values: Array, fits: Fits, *, apart: float) -> Sequence[int]:
        """Return which of the points fit, are the best, and away from each other."""
        chosen: list[int] = []
        for place in np.argsort(-values, kind="stable")[:LOOKED_AT]:
            away = np.abs(points[place] - points[chosen]).max(axis=1, initial=0.0)
            if (not chosen or away.min() > apart) and fits(points[place]):
                chosen.append(int(place))
                if len(chosen) == CLIMBERS:
                    break
        return chosen

    def _varied(self, points: Array, step: float, random: np.random.Generator) -> Array:
        """Return each point with some coordinates moved, by about a step, and some categories drawn anew."""
        count, dimension = points.shape
        moved = random.random((count, dimension)) < max(0.3, 1.5 / dimension)
        moved[np.arange(count), random.integers(0, dimension, count)] = True
        reach = step * np.exp(random.normal(0.0, 0.7, (count, 1)))
        varied = points + moved * random.normal(0.0, 1.0, (count, dimension)) * reach
        for axis in np.flatnonzero(self._encoding.is_category):
            anew = moved[:, axis] & (random.random(count) < 0.5)
            varied[:, axis] = np.where(anew, random.random(count), points[:, axis])
        return np.asarray(varied)

"""Uniform draws from a space, none of them twice."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from random import Random

from hpo.core.history import History
from hpo.spec.space import Scalar, Space, Values, identity

DRAWS = 50
"""How often a draw is repeated that was tried before, until its cells are searched in order."""


def derived_seed(*key: int) -> int:
    """Return 32 bits that depend on the key alone, whatever the machine, process and Python."""
    return int.from_bytes(sha256(repr(key).encode()).digest()[:4])


class UniformDraws:
    """A configuration for each trial number, uniform under the scalings of the space.

    In a finite space none that a trial of the history has, pending ones included, is drawn again.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._cardinality = space.cardinality
        self._tried = lru_cache(maxsize=1)(_Tried)

    def is_new(self, history: History, values: Values) -> bool:
        """Tell whether no trial has these values; in an infinite space every draw counts as new."""
        return self._cardinality is None or identity(values) not in self._tried(history).catch_up()

    def draw(self, history: History, number: int, again: int = 0) -> dict[str, Scalar] | None:
        """Return the configuration for trial `number`, or another one `again`; None where all are tried."""
        random = Random(derived_seed(self._seed, number, again))  # noqa: S311 - to be repeated, not to be secret
        if self._cardinality is None:
            return self._uniform(random)
        tried = self._tried(history).catch_up()
        for _ in range(DRAWS):
            values = self._uniform(random)
            if identity(values) not in tried:
                return values
        start = random.randrange(self._cardinality)
        for offset in range(self._cardinality):  # at most one step more than there are trials
            values = self._space.cell((start + offset) % self._cardinality)
            if identity(values) not in tried:
                return values
        return None

    def _uniform(self, random: Random) -> dict[str, Scalar]:
        return self._space.from_unit([random.random() for _ in self._space])


class _Tried:
    """The configurations of a history's trials, kept up with as it grows."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._read = 0
        self._identities: set[tuple[tuple[str, str, Scalar], ...]] = set()

    def catch_up(self) -> set[tuple[tuple[str, str, Scalar], ...]]:
        log = self._history.log
        while self._read < len(log):
            self._identities.add(identity(self._history.trials[log[self._read]].params))
            self._read += 1
        return self._identities

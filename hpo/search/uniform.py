"""Uniform draws from a space, none of them twice."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from hashlib import sha256
from random import Random

from hpo.core.history import History
from hpo.spec.feasible import FeasibleDraws
from hpo.spec.space import Scalar, Space, Values, identity

Identity = tuple[tuple[str, str, Scalar], ...]

DRAWS = 50
"""How often a draw is repeated that was tried before, until its cells are searched in order."""


def derived_seed(*key: int) -> int:
    """Return 32 bits that depend on the key alone, whatever the machine, process and Python."""
    return int.from_bytes(sha256(repr(key).encode()).digest()[:4])


class UniformDraws:
    """A configuration for each trial number, uniform under the scalings of the space.

    In a finite space none that a trial of the history has, pending ones included, is drawn again, nor one
    of those that were `tried` before the job began.
    """

    def __init__(self, space: Space, seed: int, *, tried: Iterable[Values] = ()) -> None:
        self._space = space
        self._seed = seed
        self._cardinality = space.cardinality
        self._feasible = FeasibleDraws(space)
        self._tried = lru_cache(maxsize=1)(partial(_Tried, before=frozenset(map(identity, tried))))

    def is_new(self, history: History, values: Values) -> bool:
        """Tell whether no trial has these values; in an infinite space every draw counts as new."""
        return not self._space.is_finite or identity(values) not in self._tried(history).catch_up()

    def draw(self, history: History, number: int, again: int = 0) -> dict[str, Scalar] | None:
        """Return the configuration for trial `number`, or another one `again`; None where all are tried."""
        random = Random(derived_seed(self._seed, number, again))  # noqa: S311 - to be repeated, not to be secret
        if not self._space.is_finite:
            return self._feasible.draw(random)
        tried = self._tried(history).catch_up()
        for _ in range(DRAWS if self._cardinality is not None else 4 * DRAWS):
            values = self._feasible.draw(random)
            if values is None or identity(values) not in tried:
                return values
        if self._cardinality is None:  # there are many: nothing new is found of the few that fit
            return None
        start = random.randrange(self._cardinality)
        for offset in range(self._cardinality):  # at most one step more than there are trials
            values = self._space.cell((start + offset) % self._cardinality)
            if identity(values) not in tried:
                return values
        return None


class _Tried:
    """The configurations of a history's trials, kept up with as it grows."""

    def __init__(self, history: History, *, before: frozenset[Identity]) -> None:
        self._history = history
        self._read = 0
        self._identities = set(before)

    def catch_up(self) -> set[Identity]:
        log = self._history.log
        while self._read < len(log):
            self._identities.add(identity(self._history.trials[log[self._read]].params))
            self._read += 1
        return self._identities

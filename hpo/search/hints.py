"""Where the parents of a transfer say that it is good, and how far they are to be believed.

A parent's values are no results here, as data or program differ; their order may hold. It is compared with
the job's own results, and counts as far as it agrees with them: a parent that misleads is left alone.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from statistics import StatisticsError, correlation

from hpo.core.history import History
from hpo.core.prior import Prior, PriorTrial, WarmStart
from hpo.core.settings import Goal
from hpo.core.trial import TrialStatus
from hpo.search.coordinates import to_coordinate
from hpo.spec.space import Categorical, Parameter, Space, Values

APART = 0.15
"""Mean distance of parameters, as shares of their ranges, from which on two start points are different."""

NEIGHBOURS = 3
"""Trials of a parent from which the place of a configuration in its order is told."""

LEAST = 4
"""Own results that are needed to judge a parent."""

ENOUGH = 30
"""Own results from which on the parents of a transfer are not asked any more."""

MOST = 300
"""Trials of a parent that are looked at, evenly over its order: each proposal looks at all of them."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A parent's configuration to be tried here, and whose it was."""

    values: Values
    words: str


def evidence_of(space: Space, prior: Prior) -> list[tuple[Values, tuple[float, ...]]]:
    """Return the parents' configurations whose values count like the job's own, of each objective."""
    return [(trial.params or {}, trial.past.values) for trial in inherited(space, prior)]


def beyond(space: Space, prior: Prior) -> list[tuple[Values, tuple[float, ...]]]:
    """Return the parents' configurations outside of the space whose values tell of what lies next to them."""
    return [(trial.params or {}, trial.past.values) for trial in prior.within(space).trials if trial.beyond]


def inherited(space: Space, prior: Prior) -> list[PriorTrial]:
    """Return the parents' trials that count like the job's own."""
    return _within(space, prior) if prior.is_evidence else []


def _within(space: Space, prior: Prior) -> list[PriorTrial]:
    """Return the trials of use; ranges may have been narrowed since they were read."""
    return prior.within(space).used


class Hints:
    """What the parents of a transfer say; nothing where there are none."""

    def __init__(self, space: Space, prior: Prior, goal: Goal) -> None:
        self._space = space
        used = _within(space, prior) if prior.type is WarmStart.TRANSFER else []
        scales = dict.fromkeys(trial.scale for trial in used)
        self.orders: Sequence[Order] = [
            Order(space, [t for t in used if t.scale == scale], goal) for scale in scales
        ]
        self._starts = list(self._distinct())
        self._judged = lru_cache(maxsize=1)(lambda history: _Judged(space, history, self.orders))

    def start(self, history: History, number: int) -> Suggestion | None:
        """Return a parent's trial to begin with as trial `number`: every other one, the best ones first.

        None where it is the turn of a random draw, or the job's own results contradict the parents.
        """
        place, is_random = divmod(number - 1, 2)
        if is_random or place >= len(self._starts) or self._judged(history).caught_up().are_contradicted:
            return None
        trial = self._starts[place]
        words = f"parent: trial {trial.past.number} of {trial.past.job}"
        return Suggestion(trial.params or {}, words)

    def trust(self, history: History) -> list[float]:
        """Return how far each of the orders agrees with the job's own results so far, from 0 to 1."""
        return self._judged(history).caught_up().weights

    def _distinct(self) -> Iterator[PriorTrial]:
        """Yield the parents' best trials in turn, each away from those before it."""
        taken: list[PriorTrial] = []
        for several in zip_longest(*(order.best for order in self.orders)):
            for trial in several:
                if trial is None or trial.params is None:
                    continue
                if all(distance(self._space, trial.params, other.params or {}) >= APART for other in taken):
                    taken.append(trial)
                    yield trial


class Order:
    """The trials of one scale, best first: `best` has all, and `known` some with losses of that scale.

    `lacked` has the names of the parameters that none of them had.
    """

    def __init__(self, space: Space, trials: Sequence[PriorTrial], goal: Goal) -> None:
        self.lacked = frozenset(
            p.name for p in space if not any(p.name in trial.past.params for trial in trials)
        )
        self._compared = Space(tuple(p for p in space if p.name not in self.lacked))
        sign = goal.sign
        self.best = sorted(trials, key=lambda trial: sign * trial.past.value)
        known = [(trial.params or {}, sign * trial.past.value) for trial in self.best]
        step = max(1, math.ceil(len(known) / MOST))
        self.known = known[::step]
        places = _places([loss for _, loss in known])[::step]
        self._placed = [(values, place) for (values, _), place in zip(self.known, places, strict=True)]

    def place(self, values: Values) -> float:
        """Return where a configuration would be in the order, by the nearest ones in it."""
        near = sorted((distance(self._compared, values, known), place) for known, place in self._placed)
        weights = [(1.0 / (away + 0.01), place) for away, place in near[:NEIGHBOURS]]
        return sum(weight * place for weight, place in weights) / sum(weight for weight, _ in weights)


class _Judged:
    """How far each order agrees with a history's completed trials, kept up with as it grows."""

    def __init__(self, space: Space, history: History, orders: Sequence[Order]) -> None:
        self._space = space
        self._history = history
        self._orders = orders
        self._read = 0
        self._sign = history.goal.sign
        self._results: dict[int, tuple[float, list[float]]] = {}  # trial → its loss, its place in each order
        self._agreements = [0.0] * len(orders)

    @property
    def count(self) -> int:
        """How many results of the job's own there are."""
        return len(self._results)

    @property
    def weights(self) -> list[float]:
        """Return for each order how much it counts: its rank correlation, less what chance alone may give."""
        if not LEAST <= self.count < ENOUGH:
            return [0.0] * len(self._orders)
        return [max(0.0, agreement - 1.0 / math.sqrt(self.count)) for agreement in self._agreements]

    @property
    def are_contradicted(self) -> bool:
        """Whether no order agrees with the results at all."""
        return self.count >= LEAST and all(agreement <= 0.0 for agreement in self._agreements)

    def caught_up(self) -> _Judged:
        """Take in what happened since the last call, up to the results from which on it does not matter."""
        log, before = self._history.log, self.count
        while self._orders and self._read < len(log) and self.count < ENOUGH:
            trial = self._history.trials[log[self._read]]
            self._read += 1
            if trial.status is not TrialStatus.COMPLETED or trial.number in self._results:
                continue
            if trial.value is not None and math.isfinite(trial.value) and self._space.contains(trial.params):
                places = [order.place(trial.params) for order in self._orders]
                self._results[trial.number] = (self._sign * trial.value, places)
        if self.count > before:
            results = [self._results[number] for number in sorted(self._results)]
            losses = [loss for loss, _ in results]
            self._agreements = [
                _correlation(losses, [places[index] for _, places in results])
                for index in range(len(self._orders))
            ]
        return self


def distance(space: Space, values: Values, other: Values) -> float:
    """Return the mean distance of two configurations' parameters, each a share of its range."""
    return sum(_distance(parameter, values, other) for parameter in space) / max(1, len(space))


def _distance(parameter: Parameter, values: Values, other: Values) -> float:
    """Return 0 for the same value, or none in both, and 1 for one that only one of them has."""
    name = parameter.name
    if name not in values or name not in other:
        return float((name in values) is not (name in other))
    if isinstance(parameter, Categorical) and not parameter.ordered:
        return float(parameter.index(values[name]) != parameter.index(other[name]))
    return abs(to_coordinate(parameter, values[name]) - to_coordinate(parameter, other[name]))


def _places(losses: Sequence[float]) -> list[float]:
    """Return each value's place among all of them, from 0 to 1; equal ones share theirs."""
    ascending = sorted(losses)
    last = max(1, len(losses) - 1)
    return [(bisect_left(ascending, x) + bisect_right(ascending, x) - 1) / 2 / last for x in losses]


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return Spearman's rank correlation; 0 where either is constant."""
    try:
        return correlation(_places(xs), _places(ys))
    except StatisticsError:
        return 0.0

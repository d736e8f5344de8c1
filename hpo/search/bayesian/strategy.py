"""Bayesian optimization as a strategy: a few trials spread evenly, then what a model finds most promising."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

from hpo.core.history import History
from hpo.core.verdict import Verdict
from hpo.search.bayesian.choices import Choices, ImprovementPer
from hpo.search.bayesian.start import POINTS, Start
from hpo.search.hints import MOST, Hints, Order, distance, evidence_of
from hpo.search.open_draws import OpenDraws
from hpo.search.strategy import Proposal, SearchContext
from hpo.spec.space import Values

if TYPE_CHECKING:
    from hpo.search.bayesian.model import Model

STARTS = 8
"""Trials that are spread evenly, in a job of at least twice as many; in a smaller one half of its trials."""

LEAST_STARTS = 3

MIN_RESULTS = 3
"""How many values a model needs, where trials in parallel or failing ones keep it waiting."""

CONSTRAINED_DRAWS = 64
"""Draws that keep to the constraints, for the model to choose from."""


class Bayesian:
    """Proposes points of a low-discrepancy sequence, then what a Gaussian process finds most promising."""

    needs_results = True

    def __init__(self, context: SearchContext, improvement_per: str = "trial") -> None:
        """Take what a job must be known of, and an `ImprovementPer`."""
        self._space = context.space
        evidence = evidence_of(context.space, context.prior)
        self._inherited = [values for values, _ in evidence]
        starts = max(LEAST_STARTS, min(STARTS, context.max_jobs // 2))
        fresh = min(LEAST_STARTS, context.max_jobs // 4)  # as parents' trials lie where their models looked
        self._starts = max(fresh, starts - len(evidence))
        self._start = Start(context.space, context.seed)
        self._draws = OpenDraws(context.space, context.seed, tried=self._inherited)
        self._hints = Hints(context.space, context.prior, context.objective.goal)
        choices = Choices(improvement_per=ImprovementPer(improvement_per))
        self._model = lru_cache(maxsize=1)(partial(_model, context, self._hints.orders, choices))

    def prepare(self) -> None:
        """Import the model's libraries."""
        import hpo.search.bayesian.model  # noqa: F401

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return values for trial `number`; None where everything has been tried."""
        if number <= self._starts:
            return self._first(history, number)
        model = self._model(history)
        model.catch_up()
        if model.results + model.inherited < MIN_RESULTS:
            why = f"random, with {model.results} of the {MIN_RESULTS} results that a model needs"
            return self._draws.propose(history, number, why)
        trust = self._hints.trust(history)
        drawn = self._draws.several(history, number, CONSTRAINED_DRAWS) if self._space.constraints else ()
        for values in model.ask(number, trust=trust, drawn=drawn):
            if self._draws.are_open(history, values):
                return Proposal(values, model.evidence(number, trust))
        return self._draws.propose(history, number, "random, as all that the model chooses is tried already")

    def should_stop(self, history: History, number: int) -> Verdict | None:  # noqa: ARG002
        """Let every trial run to its end."""
        return None

    def _first(self, history: History, number: int) -> Proposal | None:
        """Return one of the parents' best trials and a start point in turn."""
        suggestion = self._hints.start(history, number)
        if suggestion is not None and self._draws.are_open(history, suggestion.values):
            return Proposal(suggestion.values, suggestion.words)
        words = f"random start {number} of {self._starts}"
        if number <= POINTS:
            values = self._spread[number - 1]
            if self._space.satisfies(values) and self._draws.are_open(history, values):
                return Proposal(values, words)
        return self._draws.propose(history, number, words)

    @cached_property
    def _spread(self) -> Sequence[Values]:
        """The start points; where there are parents' trials, the one furthest from these first, and so on.

        A parent may have looked at one category alone: a model of its trials alone would not, either.
        """
        points: list[Values] = [
            self._space.from_unit(self._start.point(number)) for number in range(1, POINTS + 1)
        ]
        known = self._inherited[:: max(1, math.ceil(len(self._inherited) / MOST))]
        if not known:
            return points
        away = [min(distance(self._space, point, other) for other in known) for point in points]
        spread: list[Values] = []
        while points:
            place = max(range(len(points)), key=away.__getitem__)
            spread.append(points.pop(place))
            away.pop(place)
            away = [min(a, distance(self._space, p, spread[-1])) for a, p in zip(away, points, strict=True)]
        return spread


def _model(context: SearchContext, parents: Sequence[Order], choices: Choices, history: History) -> Model:
    from hpo.search.bayesian.model import Model

    return Model(context, history, choices, parents)

"""Bayesian optimization: a few random trials, then a model of all results so far."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from hpo.core.history import History
from hpo.search.coordinates import PendingPoints
from hpo.search.strategy import Proposal, SearchContext
from hpo.search.uniform import UniformDraws, derived_seed

if TYPE_CHECKING:
    from hpo.search.tpe import TreeParzenModel

ASKS = 16
"""How often something is asked for that was not tried before and is not near a pending trial."""

MIN_RESULTS = 2
"""How many values a model needs, where trials in parallel or failing ones keep it waiting."""


class Bayesian:
    """Proposes a few random draws, then what a tree-structured Parzen estimator finds most promising."""

    needs_results = True

    def __init__(self, context: SearchContext) -> None:
        self._seed = context.seed
        self._start = max(3, min(6, context.max_jobs // 2))
        self._draws = UniformDraws(context.space, context.seed)
        self._pending = lru_cache(maxsize=1)(partial(PendingPoints, context.space))
        self._model = lru_cache(maxsize=1)(partial(_model, context))

    def prepare(self) -> None:
        """Import the model's library."""
        import hpo.search.tpe  # noqa: F401

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return values for trial `number`; None where everything has been tried."""
        if number <= self._start:
            return self._random(history, number, f"random start {number} of {self._start}")
        model = self._model(history)
        model.catch_up()
        if model.results < MIN_RESULTS:
            return self._random(
                history,
                number,
                f"random, with {model.results} of the {MIN_RESULTS} results that a model needs",
            )
        for ask in range(ASKS):
            values = model.ask(derived_seed(self._seed, number, ask))
            if self._draws.is_new(history, values) and not self._pending(history).are_near(values):
                return Proposal(values, model.evidence)
        return self._random(history, number, "random, as all that the model chooses is tried already")

    def should_stop(self, history: History, number: int) -> str:  # noqa: ARG002
        """Let every trial run to its end."""
        return ""

    def _random(self, history: History, number: int, why: str) -> Proposal | None:
        values = self._draws.draw(history, number)
        for again in range(1, ASKS):
            if values is None or not self._pending(history).are_near(values):
                break
            values = self._draws.draw(history, number, again)
        return None if values is None else Proposal(values, why)


def _model(context: SearchContext, history: History) -> TreeParzenModel:
    from hpo.search.tpe import TreeParzenModel

    return TreeParzenModel(context.space, history)

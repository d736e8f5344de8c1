"""Search for several objectives at once: a few random trials, then Optuna's model of all results so far."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from hpo.core.history import History
from hpo.core.verdict import Verdict
from hpo.search.hints import distance
from hpo.search.open_draws import OpenDraws
from hpo.search.strategy import Proposal, SearchContext
from hpo.search.uniform import derived_seed
from hpo.spec.space import Scalar

if TYPE_CHECKING:
    from hpo.search.pareto_tpe import ParetoModel

START = 10
"""Random trials before the model is asked, where the job has room for them: a front has many places."""

ASKS = 16
"""How often something is asked for that was not tried before and is not near a pending trial."""

MOST_ASKS = 64
"""How often the model is asked at most, where constraints refuse some of what it chooses."""

MIN_RESULTS = 2
"""How many results a model needs, where trials in parallel or failing ones keep it waiting."""


class ParetoSearch:
    """What `bayesian` is for several objectives; Optuna's multi-objective TPE chooses."""

    needs_results = True

    def __init__(self, context: SearchContext) -> None:
        self._seed = context.seed
        self._space = context.space
        self._start = max(3, min(START, context.max_jobs // 3))
        self._draws = OpenDraws(context.space, context.seed)
        self._model = lru_cache(maxsize=1)(partial(_model, context))

    def prepare(self) -> None:
        """Import the model's library."""
        import hpo.search.pareto_tpe  # noqa: F401

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return values for trial `number`; None where everything has been tried."""
        if number <= self._start:
            return self._draws.propose(history, number, f"random start {number} of {self._start}")
        model = self._model(history)
        model.catch_up()
        if model.results < MIN_RESULTS:
            why = f"random, with {model.results} of the {MIN_RESULTS} results that a model needs"
            return self._draws.propose(history, number, why)
        asked = islice(filter(self._space.satisfies, self._asked(model, number)), ASKS)
        chosen = next((values for values in asked if self._draws.are_open(history, values)), None)
        if chosen is None:
            return self._instead(history, number, model)
        return Proposal(chosen, model.evidence)

    def should_stop(self, history: History, number: int) -> Verdict | None:  # noqa: ARG002
        """Let every trial run to its end."""
        return None

    def _asked(self, model: ParetoModel, number: int) -> Iterator[dict[str, Scalar]]:
        """Yield what the model chooses, from ever fewer candidates: the best of many is ever the same one."""
        for ask in range(MOST_ASKS):
            seed = derived_seed(self._seed, number, ask)
            yield model.ask(seed) if ask < ASKS else model.ask(seed, candidates=max(1, 2 * ASKS - ask))

    def _instead(self, history: History, number: int, model: ParetoModel) -> Proposal | None:
        """Return a random draw; where constraints refuse what the model chose, one that is near to that."""
        choice = model.ask(derived_seed(self._seed, number, 0))
        if self._space.satisfies(choice):
            why = "random, as all that the model chooses is tried already"
            return self._draws.propose(history, number, why)
        draws = self._draws.several(history, number, ASKS)
        near = [values for values in draws if self._draws.are_open(history, values)]
        if not near:
            why = "random, as constraints refuse all that the model chooses"
            return self._draws.propose(history, number, why)
        nearest = min(near, key=lambda values: distance(self._space, values, choice))
        return Proposal(nearest, f"{model.evidence}; the nearest of {len(near)} draws within the constraints")


def _model(context: SearchContext, history: History) -> ParetoModel:
    from hpo.search.pareto_tpe import ParetoModel

    return ParetoModel(context.space, [objective.goal for objective in context.objectives], history)

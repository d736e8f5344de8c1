"""Bayesian optimization: a few random trials, then a model of all results so far."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from hpo.core.history import History
from hpo.core.verdict import Verdict
from hpo.search.coordinates import PendingPoints
from hpo.search.hints import Hints, distance, evidence_of
from hpo.search.strategy import Proposal, SearchContext
from hpo.search.uniform import UniformDraws, derived_seed
from hpo.spec.space import Scalar, Values

if TYPE_CHECKING:
    from optuna.study import Study

    from hpo.search.tpe import TreeParzenModel

ASKS = 16
"""How often something is asked for that was not tried before and is not near a pending trial."""

MOST_ASKS = 64
"""How often the model is asked at most, where constraints refuse some of what it chooses."""

CHOICE = 8
"""Of how many proposals of the model the parents choose one, where they agree with the job's own results."""

MIN_RESULTS = 2
"""How many values a model needs, where trials in parallel or failing ones keep it waiting."""


class Bayesian:
    """Proposes a few random draws, then what a tree-structured Parzen estimator finds most promising."""

    needs_results = True

    def __init__(self, context: SearchContext) -> None:
        self._seed = context.seed
        self._space = context.space
        evidence = evidence_of(context.space, context.prior)
        self._start = max(0, max(3, min(6, context.max_jobs // 2)) - len(evidence))
        self._draws = UniformDraws(context.space, context.seed, tried=[values for values, _ in evidence])
        self._hints = Hints(context.space, context.prior, context.objective.goal)
        self._pending = lru_cache(maxsize=1)(partial(PendingPoints, context.space))
        self._model = lru_cache(maxsize=1)(partial(_model, context))

    def prepare(self) -> None:
        """Import the model's library."""
        import hpo.search.tpe  # noqa: F401

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return values for trial `number`; None where everything has been tried."""
        if number <= self._start:
            return self._first(history, number)
        model = self._model(history)
        model.catch_up()
        if model.results + model.inherited < MIN_RESULTS:
            return self._random(
                history,
                number,
                f"random, with {model.results} of the {MIN_RESULTS} results that a model needs",
            )
        trust = self._hints.trust(history)
        wanted = 1 + round(trust * (CHOICE - 1))
        advice = self._hints.advice(history) if trust else []
        study = model.advised(advice) if advice else None
        asked = islice(filter(self._space.satisfies, self._asked(model, number, study)), ASKS)
        chosen = list(islice((values for values in asked if self._is_open(history, values)), wanted))
        if not chosen:
            return self._instead(history, number, model)
        best = min(chosen, key=lambda values: self._hints.rank(history, values)) if trust else chosen[0]
        said = f"; the best of {len(chosen)} by the parents" if len(chosen) > 1 else ""
        return Proposal(best, model.evidence + said)

    def should_stop(self, history: History, number: int) -> Verdict | None:  # noqa: ARG002
        """Let every trial run to its end."""
        return None

    def _first(self, history: History, number: int) -> Proposal | None:
        """Return one of the parents' best trials and a random draw in turn."""
        suggestion = self._hints.start(history, number)
        if suggestion is not None and self._is_open(history, suggestion.values):
            return Proposal(suggestion.values, suggestion.words)
        return self._random(history, number, f"random start {number} of {self._start}")

    def _asked(self, model: TreeParzenModel, number: int, study: Study | None) -> Iterator[dict[str, Scalar]]:
        """Yield what the model chooses, from ever fewer candidates: the best of many is ever the same one."""
        for ask in range(MOST_ASKS):
            seed = derived_seed(self._seed, number, ask)
            if ask < ASKS:
                yield model.ask(seed, study)
            else:
                yield model.ask(seed, study, candidates=max(1, 2 * ASKS - ask))

    def _is_open(self, history: History, values: Values) -> bool:
        """Tell whether a configuration was not tried before, and is not near a pending one."""
        return self._draws.is_new(history, values) and not self._pending(history).are_near(values)

    def _instead(self, history: History, number: int, model: TreeParzenModel) -> Proposal | None:
        """Return a random draw; where constraints refuse what the model chose, one that is near to that."""
        choice = model.ask(derived_seed(self._seed, number, 0))
        if self._space.satisfies(choice):
            return self._random(history, number, "random, as all that the model chooses is tried already")
        draws = [self._draws.draw(history, number, again) for again in range(ASKS)]
        near = [values for values in draws if values is not None and self._is_open(history, values)]
        if not near:
            return self._random(history, number, "random, as constraints refuse all that the model chooses")
        nearest = min(near, key=lambda values: distance(self._space, values, choice))
        return Proposal(nearest, f"{model.evidence}; the nearest of {len(near)} draws within the constraints")

    def _random(self, history: History, number: int, why: str) -> Proposal | None:
        values = self._draws.draw(history, number)
        for again in range(1, ASKS):
            if values is None or not self._pending(history).are_near(values):
                break
            values = self._draws.draw(history, number, again)
        return None if values is None else Proposal(values, why)


def _model(context: SearchContext, history: History) -> TreeParzenModel:
    from hpo.search.tpe import TreeParzenModel

    return TreeParzenModel(context.space, history, evidence_of(context.space, context.prior))

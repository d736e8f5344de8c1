"""The engine on a job's history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hpo.core.history import History
from hpo.search.bayesian.choices import Choices
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.engine import Engine
from hpo.search.bayesian.evidence import HistoryEvidence, Kind
from hpo.search.bayesian.parents import Parents
from hpo.search.chebyshev import weights
from hpo.search.hints import Order
from hpo.search.strategy import SearchContext
from hpo.search.uniform import derived_seed
from hpo.spec.space import Scalar, Values

EXPLORED = 30
"""Results, an identical start's parents' included, from which on a job with parents looks elsewhere, too."""

SAME = 1e-6
"""Points that are nearer to each other, in every coordinate, are one."""


class Model:
    """What a job's history, and an identical start's parents, say of its space."""

    def __init__(
        self,
        context: SearchContext,
        history: History,
        choices: Choices | None = None,
        parents: Sequence[Order] = (),
    ) -> None:
        self._space = context.space
        self._seed = context.seed
        self._encoding = Encoding(context.space)
        self._engine = Engine(self._encoding, choices)
        self._parents = Parents(self._encoding, parents)
        self._has_parents = context.prior.type is not None
        self._objectives = len(context.objectives)
        others = [objective.goal for objective in context.others]
        self._known = HistoryEvidence(self._encoding, history, context.prior, others)

    @property
    def results(self) -> int:
        """How many values of the job's own there are."""
        return self._known.count(Kind.RESULT, Kind.STOPPED)

    @property
    def inherited(self) -> int:
        """How many values there are of parents."""
        return self._known.inherited

    def evidence(self, number: int, trust: Sequence[float] = ()) -> str:
        """Return what the proposal for a trial rests on, in words for the user; `trust` is as in `ask`."""
        known = self._known
        outside = f", {known.beyond} outside of the ranges" if known.beyond else ""
        parents = f" and {known.inherited} of parents" if known.inherited else ""
        weighed = ", ".join(f"{weight:.2f}" for weight in weights(self._objectives, number))
        where = f" where the objectives weigh {weighed}" if self._objectives > 1 else ""
        counts = f"({known.count(Kind.PENDING)} pending, {known.count(Kind.FAILED)} failed{outside})"
        expected = ", beginning with what parents expect" if any(self._believed(trust)) else ""
        per = ", improvement per second" if self._engine.weighs_time(known.timed) else ""
        return f"model of {self.results} trials{parents}{where}{expected}{per} {counts}"

    def catch_up(self) -> None:
        """Take in what happened since the last call."""
        self._known.catch_up()

    def ask(
        self, number: int, *, trust: Sequence[float] = (), drawn: Sequence[Values] = ()
    ) -> Iterator[dict[str, Scalar]]:
        """Yield configurations for trial `number` that keep to the constraints, most promising first.

        `trust` tells how far each parent is believed, from 0 to 1, and `drawn` has some configurations that
        fit.
        """
        space, encoding = self._space, self._encoding

        def fits(point: Array) -> bool:
            return not space.constraints or space.satisfies(encoding.values(point))

        points = [encoding.point(values) for values in drawn]
        ranked = self._engine.ranked(
            self._known.evidence(number),
            number=number,
            random=np.random.default_rng(derived_seed(self._seed, number)),
            fits=fits,
            drawn=np.array(points).reshape(len(points), encoding.dimension),
            mean=self._parents.mean(self._believed(trust)),
            explores=not self._has_parents or self.results + self.inherited >= EXPLORED,
        )
        tried = self._known.tried()
        for point in ranked:
            if fits(point) and np.abs(tried - point).max(axis=1).min(initial=1.0) > SAME:
                yield encoding.values(point)

    def _believed(self, trust: Sequence[float]) -> Sequence[float]:
        """Return how far parents are believed: not at all while the model is of what is required."""
        return () if self._known.misses_all else trust

"""Random search (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from hpo.core.history import History
from hpo.core.verdict import Verdict
from hpo.search.strategy import Proposal, SearchContext
from hpo.search.uniform import UniformDraws


class RandomSearch:
    """Proposes uniform draws, none of a finite space's configurations twice."""

    needs_results = False

    def __init__(self, context: SearchContext) -> None:
        self._draws = UniformDraws(context.space, context.seed)

    def prepare(self) -> None:
        """Do nothing: there is nothing slow."""

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return a draw for trial `number`; None where everything has been tried."""
        values = self._draws.draw(history, number)
        return None if values is None else Proposal(values, "random")

    def should_stop(self, history: History, number: int) -> Verdict | None:  # noqa: ARG002
        """Let every trial run to its end."""
        return None

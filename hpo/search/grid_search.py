"""Grid search."""

from __future__ import annotations

from hpo.core.history import History
from hpo.search.strategy import Proposal, SearchContext


class GridSearch:
    """Proposes every configuration of a finite space once, in order: the last parameter varies fastest.

    Raises ValueError where a parameter is continuous without a step.
    """

    needs_results = False

    def __init__(self, context: SearchContext) -> None:
        cardinality = context.space.cardinality
        if cardinality is None:
            raise ValueError("a grid takes discrete parameters only; give each continuous one a step")
        self._space = context.space
        self._cardinality = cardinality

    def prepare(self) -> None:
        """Do nothing: there is nothing slow."""

    def propose(self, history: History, number: int) -> Proposal | None:  # noqa: ARG002
        """Return cell `number`, from 1; None past the last one."""
        if number > self._cardinality:
            return None
        return Proposal(self._space.cell(number - 1), f"grid cell {number} of {self._cardinality}")

    def should_stop(self, history: History, number: int) -> str:  # noqa: ARG002
        """Let every trial run to its end."""
        return ""

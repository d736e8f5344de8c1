"""Grid search."""

from __future__ import annotations

from hpo.core.history import History
from hpo.core.verdict import Verdict
from hpo.search.strategy import Proposal, SearchContext


class GridSearch:
    """Proposes every configuration of a finite space once, in the order of its cells.

    Raises ValueError where a parameter is continuous without a step.
    """

    needs_results = False

    def __init__(self, context: SearchContext) -> None:
        cardinality = context.space.cardinality
        if cardinality is None:
            raise ValueError("a grid takes discrete parameters only; give each continuous one a step")
        self._space = context.space
        self._cardinality = cardinality
        self._initial = sorted(context.space.number(values) for values in context.initial)

    def prepare(self) -> None:
        """Do nothing: there is nothing slow."""

    def propose(self, history: History, number: int) -> Proposal | None:  # noqa: ARG002
        """Return cell `number`, from 1, without those tried before all others; None past the last one."""
        if number > self._cardinality:
            return None
        cell = number - len(self._initial) - 1
        for taken in self._initial:
            cell += taken <= cell
        return Proposal(self._space.cell(cell), f"grid cell {cell + 1} of {self._cardinality}")

    def should_stop(self, history: History, number: int) -> Verdict | None:  # noqa: ARG002
        """Let every trial run to its end."""
        return None

"""Trials that the user wants tried before anything that a strategy proposes."""

from __future__ import annotations

from collections.abc import Sequence

from hpo.core.history import History
from hpo.core.verdict import Verdict
from hpo.search.stopping import Decision, Explains
from hpo.search.strategy import Proposal, Strategy
from hpo.spec.space import Values


class Initial:
    """Proposes the given configurations in their order, then what another strategy proposes."""

    def __init__(self, strategy: Strategy, configurations: Sequence[Values]) -> None:
        self._strategy = strategy
        self._configurations = tuple(configurations)
        self.needs_results = strategy.needs_results

    def prepare(self) -> None:
        """Do what the other strategy does."""
        self._strategy.prepare()

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return configuration `number`, from 1, or past the last one the other strategy's proposal."""
        count = len(self._configurations)
        if number <= count:
            return Proposal(self._configurations[number - 1], f"initial {number} of {count}")
        return self._strategy.propose(history, number)

    def should_stop(self, history: History, number: int) -> Verdict | None:
        """Return what the other strategy says."""
        return self._strategy.should_stop(history, number)

    def decisions(self, history: History, number: int) -> Sequence[Decision]:
        """Return what the other strategy decided."""
        return self._strategy.decisions(history, number) if isinstance(self._strategy, Explains) else ()

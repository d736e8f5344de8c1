"""How one of several algorithms stands: what its trials have given, by one objective or by several."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpo.search.attained import Attained, Losses


@dataclass(slots=True)
class Standing:
    """How one algorithm stands."""

    name: str
    initial: int  # configurations that are to be tried first of all
    trials: int = 0  # all that were proposed, also those that have not ended, or failed
    inherited: int = 0  # results of parents, which count like its own
    results: Attained = field(default_factory=Attained)  # its own and its parents'

    @property
    def tried(self) -> int:
        """How many trials count, its own and its parents'."""
        return self.trials + self.inherited

    def inherit(self, losses: Losses) -> None:
        """Take in what a trial of an identical start's parent has completed with."""
        self.inherited += 1
        self.results.add(losses)

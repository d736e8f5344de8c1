"""The protocol of a strategy, and what one is built with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hpo.core.history import History
from hpo.core.prior import NO_PRIOR, Prior
from hpo.core.settings import Objective
from hpo.core.verdict import Verdict
from hpo.spec.space import Space, Values


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What a strategy must know of the job beyond its own options."""

    space: Space
    seed: int
    objective: Objective  # of several the first one
    max_jobs: int
    prior: Prior = NO_PRIOR
    initial: tuple[Values, ...] = ()  # what is tried before the strategy is asked
    others: tuple[Objective, ...] = ()  # the objectives beside the first one

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Everything that is tuned for at once; a trial has its values in this order."""
        return (self.objective, *self.others)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Values for a trial, and how they were chosen: the phase or model, and from how much evidence.

    The first word of `proposed_by` is what `hpo status` counts by.
    """

    params: Values
    proposed_by: str
    memo: str = ""
    algorithm: str | None = None  # whose values they are, of several


class Strategy(Protocol):
    """Decides what to try next and what to stop early.

    Both answers depend on the context, the trial's number and the history alone: a strategy may
    cache, but a new instance given the same history answers the same. They are asked for one at a time,
    and the history stays as it is meanwhile.
    """

    needs_results: bool
    """Whether results change what it proposes: where not, the next trial is known before it can start.

    Where they do, `propose` is called in a thread of its own, and may take its time: all else goes on.
    """

    def prepare(self) -> None:
        """Do what is slow and can be done early, as importing; called once, in a thread."""

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return values for trial `number`, or None where the space is exhausted.

        Trials of the history that have not ended count as pending.
        """

    def should_stop(self, history: History, number: int) -> Verdict | None:
        """Return why running trial `number` should stop now, given its curve so far; None to go on."""

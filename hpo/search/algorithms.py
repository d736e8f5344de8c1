"""Several algorithms in one job: each searched by a strategy of its own, the trials shared out among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from hpo.core.history import History
from hpo.core.settings import Goal
from hpo.core.verdict import Verdict
from hpo.search.allocation import minimum, ranked
from hpo.search.chebyshev import weights
from hpo.search.projection import Projections
from hpo.search.standing import Standing
from hpo.search.stopping import Decision, Explains
from hpo.search.strategy import Proposal, Strategy


@dataclass(frozen=True, slots=True)
class Searched:
    """An algorithm's strategy, which sees the algorithm's own trials alone, counted from 1."""

    strategy: Strategy
    initial: int = 0  # configurations that it proposes first
    known: Sequence[Sequence[float]] = ()  # values of an identical start's parents, of each objective


class Algorithms:
    """Proposes for the algorithm that the allocation names what this one's own strategy proposes.

    One that has nothing left to propose leaves its turn to the next. Trials are stopped early by their own
    algorithm's strategy, which compares them with no other's.
    """

    needs_results = True

    def __init__(
        self, algorithms: Mapping[str, Searched], *, max_jobs: int, others: Sequence[Goal] = ()
    ) -> None:
        self._algorithms = dict(algorithms)
        self._others = others  # goals of the objectives beside the history's
        self._first = minimum(max_jobs, len(algorithms))
        self._shares = lru_cache(maxsize=1)(self._new_shares)

    def prepare(self) -> None:
        """Prepare each strategy."""
        for algorithm in self._algorithms.values():
            algorithm.strategy.prepare()

    def propose(self, history: History, number: int) -> Proposal | None:
        """Return values for the algorithm whose turn it is; None where all have nothing left."""
        shares = self._shares(history)
        for choice in ranked(shares.standings(), self._first, weights(1 + len(self._others), number)):
            own = shares.projections.of(choice.name)
            proposal = self._algorithms[choice.name].strategy.propose(own, len(own.trials) + 1)
            if proposal is not None:
                why = "; ".join(filter(None, [proposal.proposed_by, choice.why]))
                return replace(proposal, proposed_by=why, algorithm=choice.name)
        return None

    def should_stop(self, history: History, number: int) -> Verdict | None:
        """Return what the strategy of the trial's algorithm says."""
        shares = self._shares(history)
        shares.catch_up()
        name, place = shares.projections.place(number)
        return self._algorithms[name].strategy.should_stop(shares.projections.of(name), place)

    def decisions(self, history: History, number: int) -> Sequence[Decision]:
        """Return the comparisons of the trial with others of its algorithm."""
        shares = self._shares(history)
        shares.catch_up()
        name, place = shares.projections.place(number)
        strategy = self._algorithms[name].strategy
        if not isinstance(strategy, Explains):
            return ()
        number_of = shares.projections.number
        return [
            replace(
                decision,
                against=tuple((number_of(name, other), value) for other, value in decision.against),
            )
            for decision in strategy.decisions(shares.projections.of(name), place)
        ]

    def _new_shares(self, history: History) -> _Shares:
        standings, goals = [], [history.goal, *self._others]
        for name, each in self._algorithms.items():
            standings.append(Standing(name, each.initial))
            for values in each.known:
                standings[-1].inherit(tuple(g.sign * value for g, value in zip(goals, values, strict=True)))
        return _Shares(history, standings, goals)


class _Shares:
    """How the algorithms stand, kept up with as a history grows."""

    def __init__(self, history: History, standings: Sequence[Standing], goals: Sequence[Goal]) -> None:
        self.projections = Projections(history)
        self._signs = [goal.sign for goal in goals]
        self._standings = {standing.name: standing for standing in standings}
        self._completed: set[int] = set()

    def standings(self) -> list[Standing]:
        self.catch_up()
        return list(self._standings.values())

    def catch_up(self) -> None:
        for trial in self.projections.catch_up():
            standing = self._standings[trial.algorithm or ""]
            standing.trials = len(self.projections.of(standing.name).trials)
            if trial.is_result and trial.number not in self._completed:
                self._completed.add(trial.number)
                values = zip(self._signs, trial.values, strict=True)
                standing.results.add(tuple(sign * (value or 0.0) for sign, value in values))

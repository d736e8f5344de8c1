"""Jobs with one trial at a time, or some, on a function in place of a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Reason, Trial, TrialStatus
from hpo.search.registry import build
from hpo.search.strategy import Strategy
from hpo.spec.space import Scalar, Space, Values

Function = Callable[[Values], float | None]
"""The objective; None is a failed trial."""


@dataclass
class Rehearsal:
    """Runs a strategy's trials on a function that is to be minimized."""

    strategy: Strategy
    function: Function
    history: History = field(default_factory=lambda: History(Objective("loss", Goal.MINIMIZE)))

    def run(self, count: int, *, parallel: int = 1) -> Rehearsal:
        """Add trials; the oldest of those that run ends when another one needs its place."""
        for number in range(len(self.history.trials) + 1, len(self.history.trials) + count + 1):
            proposal = self.strategy.propose(self.history, number)
            assert proposal is not None
            trial = Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING)
            self.history.record(replace(trial, algorithm=proposal.algorithm))
            if number >= parallel:
                self.end(number - parallel + 1)
        return self

    def end(self, number: int) -> None:
        trial = self.history.trials[number]
        value = self.function(trial.params)
        if value is None:
            trial = replace(trial, status=TrialStatus.FAILED, reason=Reason.EXIT_STATUS)
        else:
            trial = replace(trial, status=TrialStatus.COMPLETED, value=value)
        self.history.record(trial)

    @property
    def trials(self) -> list[Trial]:
        return list(self.history.trials.values())

    @property
    def best(self) -> float:
        return min(trial.value for trial in self.trials if trial.value is not None)

    @property
    def sequence(self) -> list[dict[str, Scalar]]:
        return [dict(trial.params) for trial in self.trials]


Rehearse = Callable[..., Rehearsal]


@pytest.fixture
def rehearse() -> Rehearse:
    """Build a rehearsal: `rehearse(name, space, function, seed=…, max_jobs=…)`."""

    def start(name: str, space: Space, function: Function, *, seed: int = 0, max_jobs: int = 50) -> Rehearsal:
        options = {"min_resource": 1, "max_resource": 9} if name == "hyperband" else {}
        objective = Objective("loss", Goal.MINIMIZE)
        under = build(name, space=space, seed=seed, objective=objective, max_jobs=max_jobs, options=options)
        return Rehearsal(under, function)

    return start

"""Jobs under a strategy, of which chance says what happens next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import settings

from hpo.core.history import History
from hpo.core.inherit import Heir, inherit
from hpo.core.prior import NO_PRIOR, Parent, PastTrial, Prior, WarmStart
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Reason, Trial, TrialStatus
from hpo.search.registry import build
from hpo.search.strategy import Proposal, Strategy
from hpo.spec.conditions import Condition
from hpo.spec.constraint import Domain
from hpo.spec.expression import parse
from hpo.spec.space import Categorical, Integer, Space

OBJECTIVE = Objective("score", Goal.MAXIMIZE)
OPTIONS = {"hyperband": {"min_resource": 1, "max_resource": 9}}
MAX_JOBS = 20
KIND = Categorical("kind", ("sgd", "adam", "none"))
TIED = Space(
    (
        Integer("size", 1, 4),
        KIND,
        Categorical("nesterov", (True, False)),
        Integer("depth", 1, 4),
        Categorical("rate", (0.1, 0.2), ordered=True),
    ),
    {
        "nesterov": (Condition("kind", ("sgd",)),),
        "rate": (Condition("kind", ("sgd", "adam")), Condition("size", (1, 2))),
    },
    (parse("size * depth <= 4", {"size": Domain(), "depth": Domain()}),),
)
"""Conditions within conditions, and a constraint: 28 configurations for sgd, 14 for adam, 8 for none."""

TWENTY_FOUR = Space((Categorical("kind", ("a", 1, 1.0, True)), Integer("size", 1, 6)))
few_examples = settings(max_examples=20, derandomize=True, database=None)


def schedules(quick: int, *, of: int) -> pytest.MarkDecorator:
    """Have a test run under so many courses of events, of which only the quick ones are in `make test`."""
    slow = (pytest.param(schedule, marks=pytest.mark.slow) for schedule in range(quick, of))
    return pytest.mark.parametrize("schedule", [*range(quick), *slow])


def strategy(
    name: str, space: Space, *, seed: int = 7, max_jobs: int = MAX_JOBS, prior: Prior = NO_PRIOR
) -> Strategy:
    options = OPTIONS.get(name, {})
    return build(
        name, space=space, seed=seed, objective=OBJECTIVE, max_jobs=max_jobs, options=options, prior=prior
    )


def warm(kind: WarmStart, space: Space) -> Prior:
    """Return the trials of two parents, with values that follow the parameter `size`, and others."""
    random = Random(5)
    size = next(parameter for parameter in space if isinstance(parameter, Integer))
    parents = []
    for name in ("a", "b"):
        drawn = [space.from_unit([random.random() for _ in space]) for _ in range(8)]
        values = [size.to_unit(float(str(params["size"]))) + random.random() / 9 for params in drawn]
        past = [PastTrial(name, number, *each) for number, each in enumerate(zip(drawn, values, strict=True))]
        parents.append(Parent(name, tuple(past)))
    return inherit(Heir(kind, space, {}), parents)


class Job:
    """Trials in parallel under a strategy; what happens next is drawn from `random`."""

    def __init__(self, under: Strategy, random: Random, *, parallel: int = 4) -> None:
        self.history = History(OBJECTIVE)
        self.strategy = under
        self.random = random
        self.parallel = parallel

    def proposals(self, count: int) -> Iterator[Proposal | None]:
        """Run the job, and stop before each proposal is recorded."""
        for number in range(1, count + 1):
            while len(self.open()) >= self.parallel or (self.open() and self.random.random() < 0.3):
                self.go_on()
            proposal = self.strategy.propose(self.history, number)
            yield proposal
            if proposal is None:
                return
            trial = Trial(
                number,
                proposal.params,
                proposal.proposed_by,
                TrialStatus.RUNNING,
                algorithm=proposal.algorithm,
            )
            self.history.record(trial)

    def open(self) -> list[Trial]:
        return [trial for trial in self.history.trials.values() if not trial.status.is_final]

    def go_on(self) -> None:
        """Let one of the open trials print something or end."""
        trial = self.random.choice(self.open())
        if self.random.random() < 0.6:
            reached = len(self.history.curve(trial.number))
            for step in range(reached + 1, reached + 1 + self.random.randrange(1, 4)):
                value = self.random.choice([self.random.random(), 0.5, 1e308, math.nan])
                self.history.extend([Point(trial.number, trial.run.number, "score", step, value, 0.0)])
            if self.strategy.should_stop(self.history, trial.number):
                self.history.record(replace(trial, status=TrialStatus.PRUNED, reason=Reason.PRUNED))
            return
        self.history.record(self.ended(trial))

    def ended(self, trial: Trial) -> Trial:
        match self.random.randrange(8):
            case 0:
                return replace(trial, status=TrialStatus.FAILED, reason=Reason.EXIT_STATUS)
            case 1:
                return replace(trial, status=TrialStatus.FAILED, reason=Reason.LOST)
            case 2:
                return replace(trial, status=TrialStatus.CANCELLED, reason=Reason.STOPPED)
            case _:
                value = self.random.choice([self.random.random(), 0.5, -1e308])
                return replace(trial, status=TrialStatus.COMPLETED, value=value)

    def as_loaded(self) -> History:
        """Return the history as another process reads it from the store."""
        return History.of(OBJECTIVE, self.history.trials.values(), self.history.points)

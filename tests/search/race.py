"""Trials whose curves are judged by a rule of early stopping."""

from __future__ import annotations

from dataclasses import replace

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Run, Trial, TrialStatus
from hpo.core.verdict import Verdict
from hpo.search.completed_curves import RunningAverage, completed_at
from hpo.search.early_stopping import EarlyStopping, Median, Rule
from hpo.search.registry import build
from hpo.spec.space import Continuous, Space

SPACE = Space((Continuous("x", 0.0, 1.0),))


class Race:
    """Trials under a rule, each look at one of them at a time of its own."""

    def __init__(
        self,
        goal: Goal = Goal.MINIMIZE,
        rule: Rule | None = None,
        *,
        min_trials: int = 3,
        min_steps: float = 2,
    ) -> None:
        objective = Objective("loss", goal)
        inner = build("random", space=SPACE, seed=1, objective=objective, max_jobs=50)
        self.history = History(objective)
        self.rule = EarlyStopping(inner, rule or Median(), min_trials=min_trials, min_steps=min_steps)
        self.looks = 0.0

    def look(self, number: int, *points: tuple[float, float], run: int = 1) -> Verdict | None:
        """Let a look at a trial find these points; return the verdict on it."""
        known = self.history.trials.get(number)
        if known is None or known.run.number != run:
            runs = tuple(Run(attempt) for attempt in range(1, run + 1))
            self.history.record(Trial(number, {"x": 0.5}, "test", TrialStatus.RUNNING, runs=runs))
        self.looks += 1.0
        self.history.extend(Point(number, run, "loss", step, value, self.looks) for step, value in points)
        return self.rule.should_stop(self.history, number)

    def complete(self, number: int, *values: float, every: int = 1) -> None:
        """Let a trial print values at every so many steps, and complete."""
        self.look(number, *((place * every, value) for place, value in enumerate(values, 1)))
        self.end(number, TrialStatus.COMPLETED)

    def end(self, number: int, status: TrialStatus) -> None:
        trial = self.history.trials[number]
        ended = [trial.place or 0 for trial in self.history.trials.values()]
        self.history.record(replace(trial, status=status, place=max(ended) + 1))


def averages_at(history: History, step: float) -> list[tuple[int, float]]:
    return completed_at(history, step, after=99, running=RunningAverage)


def why(verdict: Verdict | None) -> str:
    return "" if verdict is None else verdict.why

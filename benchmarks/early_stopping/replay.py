"""Tuning jobs over learning curves: hpo's own strategies and rules, in place of a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.early_stopping.curves import SPACE, Curve, curve_of
from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Reason, Trial, TrialStatus
from hpo.search.early_stopping import EarlyStopping, Rule
from hpo.search.registry import build
from hpo.search.strategy import Strategy
from hpo.spec.space import Categorical, Scalar, Space, Values
from hpo.spec.stopping import MIN_STEPS, MIN_TRIALS

OBJECTIVE = Objective("accuracy", Goal.MAXIMIZE)


@dataclass(frozen=True, slots=True)
class Task:
    """What is tuned: a space, and the curve of each configuration of it."""

    space: Space
    curve: Callable[[Values], Curve]


def of_pool(curves: Sequence[Curve]) -> Task:
    """Return the task of choosing from a pool that is trained already."""
    space = Space((Categorical("configuration", tuple(range(len(curves)))),))
    return Task(space, lambda values: curves[int(values["configuration"] or 0)])


def trained() -> Task:
    """Return the task on the whole space, where each configuration is trained when it is first asked for."""
    known: dict[tuple[Scalar, ...], Curve] = {}

    def curve(values: Values) -> Curve:
        key = tuple(values.values())
        if key not in known:
            known[key] = curve_of(values)
        return known[key]

    return Task(SPACE, curve)


@dataclass(frozen=True, slots=True)
class Method:
    """A strategy, with a rule of early stopping or without one."""

    name: str
    strategy: str
    options: Mapping[str, Scalar] = field(default_factory=dict)
    rule: Rule | None = None
    min_trials: int = MIN_TRIALS
    min_steps: int = MIN_STEPS

    def build(self, space: Space, *, seed: int, max_jobs: int) -> Strategy:
        strategy = build(
            self.strategy,
            space=space,
            seed=seed,
            objective=OBJECTIVE,
            max_jobs=max_jobs,
            options=self.options,
        )
        if self.rule is None:
            return strategy
        return EarlyStopping(strategy, self.rule, min_trials=self.min_trials, min_steps=self.min_steps)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best value of a completed trial, the epochs trained in all, and how many trials were stopped."""

    best: float
    epochs: int
    stopped: int


def replay(method: Method, task: Task, *, seed: int, max_jobs: int, parallel: int) -> Outcome:
    """Run a job to its end; the trials that run at a time train an epoch each in turn."""
    strategy = method.build(task.space, seed=seed, max_jobs=max_jobs)
    history = History(OBJECTIVE)
    running: list[int] = []
    reached: dict[int, int] = {}
    clock, ended = 0.0, 0
    while len(history.trials) < max_jobs or running:
        while len(running) < parallel and len(history.trials) < max_jobs:
            number = len(history.trials) + 1
            proposal = strategy.propose(history, number)
            assert proposal is not None
            history.record(Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING))
            running.append(number)
            reached[number] = 0
        for number in tuple(running):
            curve = task.curve(history.trials[number].params)
            reached[number] += 1
            clock += 1.0
            value = curve[reached[number] - 1]
            history.extend([Point(number, 1, OBJECTIVE.metric, reached[number], value, clock)])
            end = _end(strategy, history, number, is_last=reached[number] == len(curve))
            if end is not None:
                ended += 1
                history.record(replace(end, place=ended))
                running.remove(number)
    completed = [
        trial.value
        for trial in history.trials.values()
        if trial.status is TrialStatus.COMPLETED and trial.value is not None
    ]
    return Outcome(max(completed), sum(reached.values()), max_jobs - len(completed))


def _end(strategy: Strategy, history: History, number: int, *, is_last: bool) -> Trial | None:
    trial = history.trials[number]
    if is_last:
        return replace(trial, status=TrialStatus.COMPLETED, value=history.curve(number)[-1][1])
    if verdict := strategy.should_stop(history, number):
        return replace(trial, status=TrialStatus.PRUNED, reason=Reason.PRUNED, verdict=verdict)
    return None

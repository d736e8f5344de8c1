"""Jobs on a task, cold and with a parent: each is the strategy's own trials, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from random import Random

from benchmarks.warm_start.tasks import Task
from hpo.core.history import History
from hpo.core.inherit import Heir, inherit
from hpo.core.prior import NO_PRIOR, Parent, PastTrial, Prior, WarmStart
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Trial, TrialStatus
from hpo.search.registry import build

OBJECTIVE = Objective("f1", Goal.MAXIMIZE)


def run(task: Task, seed: int, trials: int, prior: Prior = NO_PRIOR) -> list[Trial]:
    """Run a job of 30 trials, and on for as long as is asked."""
    strategy = build("bayesian", space=task.space, seed=seed, objective=OBJECTIVE, max_jobs=30, prior=prior)
    history = History(OBJECTIVE)
    for number in range(1, trials + 1):
        proposal = strategy.propose(history, number)
        assert proposal is not None
        trial = Trial(number, proposal.params, proposal.proposed_by)
        history.record(trial)
        history.record(replace(trial, status=TrialStatus.COMPLETED, value=task(proposal.params)))
    return list(history.trials.values())


def parent_of(trials: Sequence[Trial]) -> Parent:
    past = tuple(PastTrial("parent", trial.number, trial.params, trial.value or 0.0) for trial in trials)
    return Parent("parent", past)


def inverted(parent: Parent) -> Parent:
    """Let the parent's best be its worst."""
    return replace(parent, trials=tuple(replace(past, value=-past.value) for past in parent.trials))


def shuffled(parent: Parent, seed: int) -> Parent:
    """Give the parent's values to others of its trials."""
    values = [past.value for past in parent.trials]
    Random(seed).shuffle(values)
    trials = tuple(replace(past, value=value) for past, value in zip(parent.trials, values, strict=True))
    return replace(parent, trials=trials)


def prior_of(task: Task, parent: Parent, kind: WarmStart) -> Prior:
    return inherit(Heir(kind, task.space, {}), [parent])


def best_so_far(trials: Sequence[Trial]) -> list[float]:
    return list(accumulate((trial.value or 0.0 for trial in trials), max))


def reached(curve: Sequence[float], target: float) -> int:
    """Return after how many trials a curve is at a target; one more than there are where it never is."""
    return next((number for number, value in enumerate(curve, 1) if value >= target), len(curve) + 1)

"""A job that has a certain time, on workers with a simulated clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.cost.tasks import SPREAD, Timed
from benchmarks.search.adapter import AskAndTell
from benchmarks.search.contenders import Setting
from benchmarks.search.simulation import Losses, ended
from hpo.spec.space import Values

MEANS = 30
"""Random trials whose mean duration is the time of a job, shared by the workers."""

MOST = 150
"""Trials that are planned; a job that has ended so many asks for no more."""

PER_TRIAL, PER_SECOND, RANDOM = "per trial", "per second", "random"


@dataclass(frozen=True, slots=True)
class Run:
    """Regrets after half of the time and all of it, infinite where there is no result, and trials ended."""

    regrets: Sequence[float]
    trials: int


def contender(name: str, timed: Timed, seed: int) -> AskAndTell:
    space = timed.task.space
    if name == RANDOM:
        return AskAndTell(space, seed=seed, trials=MOST, strategy="random")
    return AskAndTell(space, seed=seed, trials=MOST, improvement_per=name.removeprefix("per "))


def simulated(name: str, timed: Timed, workers: int, seed: int) -> Run:
    """Return what a job finds; what runs when its time is over doesn't count.

    The regret is the loss without noise of the configuration with the best observed value, less the optimum.
    """
    task, whole = timed.task, MEANS * timed.mean / workers

    def observe(values: Values, random: np.random.Generator) -> Losses | None:
        value = task.observe(values, random)
        return None if value is None else (value,)

    best, regret, half, count = math.inf, math.inf, math.inf, 0
    setting = Setting(task, workers, MOST, seed)
    for trial in ended(lambda own: contender(name, timed, own), setting, observe, timed.seconds, SPREAD):
        if trial.at > whole:
            break
        count += 1
        if trial.seen is not None and trial.seen[0] < best:
            best, regret = trial.seen[0], task.loss(trial.values) - task.optimum
        if trial.at <= 0.5 * whole:
            half = regret
    return Run([half, regret], count)

"""Who is compared: hpo's engine, random search, and Optuna's samplers for several objectives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import optuna

from benchmarks.objectives.tasks import Task
from benchmarks.search.adapter import AskAndTell
from benchmarks.search.contenders import Contender, OptunaStudy, Setting

Build = Callable[[Setting[Task], int], Contender]
"""Makes a contender for a job, with a seed."""


def hpo(setting: Setting[Task], seed: int) -> Contender:
    return _own("bayesian", setting, seed)


def random_search(setting: Setting[Task], seed: int) -> Contender:
    return _own("random", setting, seed)


def _own(strategy: str, setting: Setting[Task], seed: int) -> Contender:
    task, trials = setting.task, setting.trials
    return AskAndTell(task.space, seed=seed, trials=trials, strategy=strategy, objectives=task.objectives)


def tpe(setting: Setting[Task], seed: int) -> Contender:
    """Return Optuna's default, which is multivariate and takes what is running for bad, in groups."""
    task = setting.task
    conditional = bool(task.space.conditions)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, group=conditional)
    return OptunaStudy(task.space, sampler, task.objectives)


def nsga2(setting: Setting[Task], seed: int) -> Contender:
    """Return Optuna's NSGA-II, with generations of 20: one of its default's 50 would be half of a job."""
    sampler = optuna.samplers.NSGAIISampler(seed=seed, population_size=20)
    return OptunaStudy(setting.task.space, sampler, setting.task.objectives)


ENGINE, RANDOM = "hpo", "random"

CONTENDERS: Mapping[str, Build] = {
    ENGINE: hpo,
    RANDOM: random_search,
    "TPE": tpe,
    "NSGA-II": nsga2,
}

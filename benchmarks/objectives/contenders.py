"""Who is compared: hpo's engine, random search, and Optuna's samplers for several objectives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import optuna
from optuna.trial import TrialState

from benchmarks.objectives.tasks import Losses, Task
from benchmarks.search.contenders import suggested
from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Reason, Trial, TrialStatus
from hpo.search.registry import build
from hpo.spec.space import Scalar, Space, Values


class Contender(Protocol):
    """Chooses the trials of one job."""

    def ask(self) -> tuple[int, Values]:
        """Return a new trial's number and its values; trials that were not told yet are running."""

    def tell(self, number: int, losses: Losses | None) -> None:
        """End a trial with its losses; None says that it failed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One job that contenders are compared in."""

    task: Task
    objectives: int
    workers: int
    trials: int
    seed: int


class Own:
    """One of hpo's strategies, with its history."""

    def __init__(self, name: str, setting: Setting, seed: int) -> None:
        first, *others = (Objective(f"loss {i}", Goal.MINIMIZE) for i in range(setting.objectives))
        self._history = History(first)
        self._strategy = build(
            name,
            space=setting.task.space,
            seed=seed,
            objective=first,
            others=others,
            max_jobs=setting.trials,
        )

    def ask(self) -> tuple[int, Values]:
        number = len(self._history.trials) + 1
        proposal = self._strategy.propose(self._history, number)
        assert proposal is not None, "the spaces are not that small"
        self._history.record(Trial(number, proposal.params, proposal.proposed_by, TrialStatus.RUNNING))
        return number, proposal.params

    def tell(self, number: int, losses: Losses | None) -> None:
        trial = self._history.trials[number]
        if losses is None:
            self._history.record(replace(trial, status=TrialStatus.FAILED, reason=Reason.EXIT_STATUS))
        else:
            done = replace(trial, status=TrialStatus.COMPLETED, value=losses[0], others=losses[1:])
            self._history.record(done)


class OptunaStudy:
    """A sampler of Optuna's, with a study in memory."""

    def __init__(self, space: Space, objectives: int, sampler: optuna.samplers.BaseSampler) -> None:
        self._space = space
        self._study = optuna.create_study(sampler=sampler, directions=["minimize"] * objectives)
        self._running: dict[int, optuna.Trial] = {}

    def ask(self) -> tuple[int, Values]:
        trial = self._study.ask()
        values: dict[str, Scalar] = {}
        for parameter in self._space.dependent:
            if self._space.is_active(parameter.name, values):
                values[parameter.name] = suggested(trial, parameter)
        self._running[trial.number] = trial
        return trial.number, values

    def tell(self, number: int, losses: Losses | None) -> None:
        state = TrialState.FAIL if losses is None else TrialState.COMPLETE
        self._study.tell(self._running.pop(number), losses, state=state)


Build = Callable[[Setting, int], Contender]
"""Builds a contender for a setting, with a seed of its own."""


def hpo(setting: Setting, seed: int) -> Contender:
    return Own("bayesian", setting, seed)


def random_search(setting: Setting, seed: int) -> Contender:
    return Own("random", setting, seed)


def tpe(setting: Setting, seed: int) -> Contender:
    """Return Optuna's default, which is multivariate and takes what is running for bad, in groups."""
    conditional = bool(setting.task.space.conditions)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, group=conditional)
    return OptunaStudy(setting.task.space, setting.objectives, sampler)


def nsga2(setting: Setting, seed: int) -> Contender:
    """Return Optuna's NSGA-II, with generations of 20: one of its default's 50 would be half of a job."""
    sampler = optuna.samplers.NSGAIISampler(seed=seed, population_size=20)
    return OptunaStudy(setting.task.space, setting.objectives, sampler)


ENGINE, RANDOM = "hpo", "random"

CONTENDERS: Mapping[str, Build] = {
    ENGINE: hpo,
    RANDOM: random_search,
    "TPE": tpe,
    "NSGA-II": nsga2,
}

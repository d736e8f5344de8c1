"""Who is compared: hpo's engine, also with one choice switched, random search, and Optuna's samplers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, assert_never

import optuna
from optuna.trial import TrialState

from benchmarks.search.adapter import AskAndTell, Switched
from benchmarks.search.tasks import Task
from hpo.search.bayesian.choices import Choices, Incumbent, Outputs, Pending
from hpo.search.bayesian.engine import FEW
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space, Values


class Contender(Protocol):
    """Chooses the trials of one job."""

    def ask(self) -> tuple[int, Values]:
        """Return a new trial's number and its values; trials that were not told yet are running."""

    def tell(self, number: int, value: float | None, *others: float, seconds: float | None = None) -> None:
        """End a trial with its loss, or that of each objective; None says that it failed."""


class Named(Protocol):
    """A task, whatever its losses are."""

    @property
    def name(self) -> str: ...


AnyTask = TypeVar("AnyTask", bound=Named)


@dataclass(frozen=True, slots=True)
class Setting(Generic[AnyTask]):
    """One job that contenders are compared in."""

    task: AnyTask
    workers: int
    trials: int
    seed: int


class OptunaStudy:
    """A sampler of Optuna's, with a study in memory."""

    def __init__(self, space: Space, sampler: optuna.samplers.BaseSampler, objectives: int = 1) -> None:
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

    def tell(
        self,
        number: int,
        value: float | None,
        *others: float,
        seconds: float | None = None,  # noqa: ARG002 -- no sampler of Optuna's weighs it
    ) -> None:
        trial = self._running.pop(number)
        if value is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, [value, *others])


def suggested(trial: optuna.Trial, parameter: Parameter) -> Scalar:
    """Return the value that Optuna suggests for a parameter."""
    match parameter:
        case Continuous():
            log = parameter.scaling is Scaling.LOGARITHMIC
            return trial.suggest_float(parameter.name, parameter.low, parameter.high, log=log)
        case Integer():
            log = parameter.scaling is Scaling.LOGARITHMIC
            return trial.suggest_int(parameter.name, parameter.low, parameter.high, log=log)
        case Categorical():
            return trial.suggest_categorical(parameter.name, parameter.values)
        case _:
            assert_never(parameter)


Build = Callable[[Setting[Task], int], Contender]
"""Builds a contender for a setting, with a seed of its own."""


def hpo(setting: Setting[Task], seed: int) -> Contender:
    return AskAndTell(setting.task.space, seed=seed, trials=setting.trials)


def random_search(setting: Setting[Task], seed: int) -> Contender:
    return AskAndTell(setting.task.space, seed=seed, trials=setting.trials, strategy="random")


def tpe(setting: Setting[Task], seed: int) -> Contender:
    """Return Optuna's default: since version 5 it is multivariate, and takes what is running for bad."""
    return OptunaStudy(setting.task.space, optuna.samplers.TPESampler(seed=seed))


def tpe_group(setting: Setting[Task], seed: int) -> Contender:
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
    return OptunaStudy(setting.task.space, sampler)


def switched(choices: Choices) -> Build:
    def build(setting: Setting[Task], seed: int) -> Contender:
        return Switched(setting.task.space, seed=seed, trials=setting.trials, choices=choices)

    return build


ENGINE, RANDOM = "hpo", "random"

CONTENDERS: Mapping[str, Build] = {
    ENGINE: hpo,
    RANDOM: random_search,
    "TPE": tpe,
    "TPE, multivariate, group": tpe_group,
}


@dataclass(frozen=True, slots=True)
class Ablation:
    """The engine with one choice switched, in jobs of so many trials, and where that can matter."""

    choices: Choices
    trials: int = 30
    matters: Callable[[Task, int], bool] = lambda task, workers: True  # noqa: ARG005


ABLATIONS: Mapping[str, Ablation] = {
    "losses as they are": Ablation(Choices(outputs=Outputs.PLAIN)),
    "running trials ignored": Ablation(
        Choices(pending=Pending.IGNORED), matters=lambda _, workers: workers > 1
    ),
    "best mean as incumbent": Ablation(
        Choices(incumbent=Incumbent.MEAN), matters=lambda _, workers: workers <= FEW + 1
    ),
    "best observed value as incumbent": Ablation(Choices(incumbent=Incumbent.OBSERVED)),
    "failures ignored": Ablation(Choices(failures=False), matters=lambda task, _: task.has_failures),
    "no pull": Ablation(Choices(pull=False)),
    "no companions": Ablation(Choices(companions=0), trials=100),
}


def build_of(name: str) -> Build:
    """Return how a contender or an ablation is built."""
    return CONTENDERS[name] if name in CONTENDERS else switched(ABLATIONS[name].choices)


def stand_in(name: str, task: Task) -> str:
    """Return whose runs count for a contender's, as the two propose the same: groups are of conditions."""
    return "TPE" if name == "TPE, multivariate, group" and not task.space.conditions else name

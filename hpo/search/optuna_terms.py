"""A space, and how trials end, in Optuna's terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import InMemoryStorage
from optuna.study import Study

from hpo.core.settings import Goal
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Space


def groups_of(space: Space) -> list[list[Parameter]]:
    """Return the parameters by what activates them, those that others depend on first."""
    groups: dict[str, list[Parameter]] = {}
    for parameter in space.dependent:
        groups.setdefault(repr(space.conditions.get(parameter.name, ())), []).append(parameter)
    return list(groups.values())


def distribution_of(parameter: Parameter) -> BaseDistribution:
    """Return what Optuna samples a coordinate from; each scaling and step is the space's own.

    Optuna's distributions know no reverse-logarithmic scaling, refuse logarithmic integers with a
    step, shorten a range that its step doesn't divide, and take 1 for true.
    """
    match parameter:
        case Continuous() | Integer() | Categorical(ordered=True):
            return FloatDistribution(0.0, 1.0)
        case Categorical():
            return CategoricalDistribution(range(parameter.count))
        case _:
            assert_never(parameter)


def create_study(storage: InMemoryStorage, goals: Sequence[Goal]) -> Study:
    """Create a study without Optuna's message that it did, and leave its verbosity as it was."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(storage=storage, directions=[goal.value for goal in goals])
    finally:
        optuna.logging.set_verbosity(verbosity)

"""The engine as a sampler for any Optuna study."""

from __future__ import annotations

import math
import warnings
from typing import Any, assert_never

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpo.search.bayesian.choices import Choices
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.engine import Engine
from hpo.search.bayesian.evidence import SHORTEST
from hpo.search.bayesian.model import SAME
from hpo.search.bayesian.start import Start
from hpo.search.bayesian.strategy import MIN_RESULTS, STARTS
from hpo.search.bayesian.surrogate import Evidence
from hpo.search.uniform import derived_seed
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space


class BayesianSampler(BaseSampler):
    """Samples what a Gaussian process expects most of, given a study's trials, the running ones included.

    What it samples depends on the seed, the trial's number and the study alone. Parameters that all
    completed trials have are sampled together; with a `space` its parameters are, also the conditional
    ones. Others are sampled at random. One objective; constraints of a study are not looked at.
    """

    def __init__(self, seed: int = 0, *, space: Space | None = None, choices: Choices | None = None) -> None:
        self._seed = seed
        self._space = space
        self._choices = choices
        self._common = IntersectionSearchSpace()

    def infer_relative_search_space(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002 -- Optuna's signature
    ) -> dict[str, BaseDistribution]:
        """Return the distributions of the parameters that are sampled together."""
        if self._space is not None:
            return {parameter.name: _distribution(parameter) for parameter in self._space}
        return {name: d for name, d in self._common.calculate(study).items() if not d.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return values of these parameters. Raises ValueError for a study of several objectives."""
        if len(study.directions) != 1:
            raise ValueError("BayesianSampler is for studies of one objective")
        if not search_space:
            return {}
        space = self._space or Space(tuple(_parameter(n, d) for n, d in search_space.items()))
        encoding = Encoding(space)
        number = trial.number + 1
        if number <= STARTS:
            return dict[str, Any](space.from_unit(Start(space, self._seed).point(number)))
        evidence = _evidence(study, trial, encoding)
        random = np.random.default_rng(derived_seed(self._seed, number))
        if len(evidence.losses) < MIN_RESULTS:
            return dict[str, Any](space.from_unit(random.random(len(space)).tolist()))
        ranked = Engine(encoding, self._choices).ranked(evidence, number=number, random=random)
        tried = np.vstack([evidence.points, evidence.failed, evidence.pending])
        new = (point for point in ranked if np.abs(tried - point).max(axis=1).min() > SAME)
        return dict[str, Any](encoding.values(next(new, ranked[0])))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return a random value of a parameter that not all trials have."""
        seed = derived_seed(self._seed, trial.number, *param_name.encode())
        return RandomSampler(seed=seed).sample_independent(study, trial, param_name, param_distribution)


def _evidence(study: Study, trial: FrozenTrial, encoding: Encoding) -> Evidence:
    """Return what a study's other trials say; pruned ones count by their last value."""
    sign = -1.0 if study.direction is StudyDirection.MAXIMIZE else 1.0
    points: list[Array] = []
    losses: list[float] = []
    failed: list[Array] = []
    pending: list[Array] = []
    seconds: list[float] = []
    for other in study.get_trials(deepcopy=False):
        if other.number == trial.number or not encoding.space.contains(_known(encoding.space, other)):
            continue
        point = encoding.point(_known(encoding.space, other))
        value = other.value if other.state is TrialState.COMPLETE else None
        if other.state is TrialState.PRUNED and other.last_step is not None:
            value = other.intermediate_values[other.last_step]
        if value is not None and math.isfinite(value):
            points.append(point)
            losses.append(sign * value)
            whole = other.duration if other.state is TrialState.COMPLETE else None
            seconds.append(max(whole.total_seconds(), SHORTEST) if whole is not None else math.nan)
        elif other.state is TrialState.RUNNING:
            pending.append(point)
        elif other.state is TrialState.FAIL:
            failed.append(point)

    def stacked(some: list[Array]) -> Array:
        return np.array(some).reshape(len(some), encoding.dimension)

    return Evidence(
        points=stacked(points),
        losses=np.array(losses),
        doubts=np.zeros(len(losses)),
        misses=np.zeros(len(losses), dtype=bool),
        beyond=np.zeros(len(losses), dtype=bool),
        seconds=np.array(seconds),
        failed=stacked(failed),
        pending=stacked(pending),
    )


def _known(space: Space, trial: FrozenTrial) -> dict[str, Scalar]:
    return {
        parameter.name: trial.params[parameter.name] for parameter in space if parameter.name in trial.params
    }


def _parameter(name: str, distribution: BaseDistribution) -> Parameter:
    """Return a parameter with the values of a distribution. Raises TypeError for one of an unknown kind."""
    match distribution:
        case FloatDistribution():
            scaling = Scaling.LOGARITHMIC if distribution.log else Scaling.LINEAR
            return Continuous(name, distribution.low, distribution.high, scaling, distribution.step)
        case IntDistribution():
            scaling = Scaling.LOGARITHMIC if distribution.log else Scaling.LINEAR
            return Integer(name, distribution.low, distribution.high, scaling, distribution.step)
        case CategoricalDistribution():
            return Categorical(name, tuple(distribution.choices))
        case _:
            raise TypeError(f"{name} has a distribution of an unknown kind: {distribution}")


def _distribution(parameter: Parameter) -> BaseDistribution:
    """Return the distribution whose values a parameter has; Optuna knows no reverse-logarithmic scaling."""
    match parameter:
        case Continuous():
            log = parameter.scaling is Scaling.LOGARITHMIC and parameter.step is None
            return FloatDistribution(parameter.low, parameter.high, log=log, step=parameter.step)
        case Integer():
            log = parameter.scaling is Scaling.LOGARITHMIC and parameter.step == 1
            return IntDistribution(parameter.low, parameter.high, log=log, step=parameter.step)
        case Categorical():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return CategoricalDistribution(parameter.values)
        case _:
            assert_never(parameter)

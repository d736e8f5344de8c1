"""The spec's models.

A field's checks see the fields before it: each is checked against those that are right, so that
one mistake hides no other.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import (
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    Strict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from hpo.spec.algorithms import SECTION, Algorithm, AlgorithmName, nothing_to_tune
from hpo.spec.coherence import incoherences
from hpo.spec.learners import LearnerName, refuse_auto
from hpo.spec.limits import Limits, Retry, no_limits
from hpo.spec.objectives import Objective, OneOfSeveral, first_of, no_objective
from hpo.spec.parameters import ParameterModel
from hpo.spec.repeats import Repeats
from hpo.spec.section import (
    Channel,
    Constraints,
    Initial,
    JobName,
    ParameterName,
    PathText,
    Section,
    SpecScalar,
    Text,
    mistake,
    together,
)
from hpo.spec.space import Scalar, Space
from hpo.spec.stopping import EarlyStopping, StopWhen
from hpo.spec.strategies import (
    Bayesian,
    OtherStrategy,
    Strategy,
    epochs_of,
    name_alone,
    own_strategies,
)
from hpo.spec.tuned import combinations, first_configurations, space_of
from hpo.spec.warm_start import WarmStart


class Launcher(Section):
    """Where trials run; every launcher has options of its own beside `kind`."""

    model_config = ConfigDict(extra="allow")

    kind: Text = Field(default="process", description="process: as programs on this machine")


class Spec(Section):
    """A tuning job."""

    name: JobName = Field(description="the job's name: 1 to 32 letters, digits and inner hyphens")
    seed: int | None = Field(
        default=None, ge=0, lt=2**32, description="drawn and recorded where there is none"
    )
    objectives: Annotated[tuple[OneOfSeveral, ...], Strict(strict=False)] = Field(
        default=(), description="instead of `objective`: two metrics or more, none of which outweighs another"
    )
    objective: Objective = Field(
        default_factory=no_objective,
        validate_default=True,
        description="the metric to tune for, and which way it is better",
    )
    require: Annotated[tuple[Text, ...], Strict(strict=False)] = Field(
        default=(), description="inequalities that a result's metrics keep to: latency < 50"
    )
    metrics: Mapping[Text, Text] = Field(
        description="name → regex with one group, tried on every line of stdout and stderr"
    )
    learner: LearnerName | None = Field(
        default=None, description="what the program trains, for `parameters: auto`: a learner of the library"
    )
    parameters: Mapping[ParameterName, ParameterModel] = Field(
        description="what is tuned: continuous, integer and categorical parameters, by name"
    )
    algorithms: Mapping[AlgorithmName, Algorithm] = Field(
        default_factory=dict,
        validate_default=True,
        description="in place of `parameters`: several algorithms by name, each with parameters of its own",
        json_schema_extra={"minProperties": 2},
    )
    fixed: Mapping[ParameterName, SpecScalar] = Field(
        default_factory=dict, description="parameters given to every trial as they are"
    )
    constraints: Constraints = Field(
        default=(), description="comparisons that every trial's parameters keep to: depth * width <= 4096"
    )
    initial: Initial = Field(
        default=(), description="what to try first: values of some parameters, or of all"
    )
    strategy: Strategy = Field(
        default=Bayesian(name="bayesian"),
        validate_default=True,
        description="bayesian, random, grid or hyperband, or a mapping with the name and its options",
        json_schema_extra=name_alone,
    )
    limits: Limits = Field(
        default_factory=no_limits, validate_default=True, description="trials, time, failures"
    )
    stop_when: StopWhen = Field(default_factory=StopWhen, description="ends the job early")
    early_stopping: EarlyStopping = Field(
        default="off", description="off, median or percentile, or a mapping with the rule and its options"
    )
    repeats: Repeats | None = Field(
        default=None, description="runs of each trial, with a seed each; or a mapping with count and options"
    )
    retry: Retry = Field(default_factory=Retry, description="of trials that the infrastructure failed")
    warm_start: WarmStart | None = Field(default=None, description="begins with the trials of earlier jobs")
    inputs: Mapping[Channel, PathText] = Field(
        default_factory=dict, description="channel → path or s3:// address of its data"
    )
    launcher: Launcher = Field(default_factory=Launcher, description="where trials run, and what")

    @model_validator(mode="wrap")
    @classmethod
    def _fits_together(cls, data: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        mistakes = list(incoherences(data))
        if isinstance(data, dict) and data.get(SECTION) is not None:
            data = {"parameters": {}, "metrics": {}, **data}  # which its algorithms may have for themselves
        try:
            spec = read(data)
        except ValidationError as error:
            raise together(mistakes, error) from None
        if mistakes:
            raise together(mistakes)
        return spec

    @field_validator("objective", mode="before")
    @classmethod
    def _first_of_several(cls, data: object, info: ValidationInfo) -> object:
        return first_of(info.data.get("objectives")) if data == no_objective() else data

    @field_validator("parameters", mode="before")
    @classmethod
    def _are_written_out(cls, data: object, info: ValidationInfo) -> object:
        return refuse_auto(data, info.data)

    @field_validator("algorithms")
    @classmethod
    def _are_some(cls, algorithms: Mapping[str, Algorithm], info: ValidationInfo) -> Mapping[str, Algorithm]:
        if not algorithms and info.data.get("parameters") == {}:
            raise nothing_to_tune(at=("parameters",))
        if len(algorithms) == 1:
            hint = "add another one, or write what it has at the top of the spec"
            raise mistake("there is only one", hint=hint)
        return algorithms

    @field_validator("strategy", mode="before")
    @classmethod
    def _complete_strategy(cls, data: object, info: ValidationInfo) -> object:
        if isinstance(data, str):
            data = {"name": data}
        if isinstance(data, list | int | float):
            raise mistake("it must be the name of a strategy, or a mapping with it")
        if not isinstance(data, dict) or data.get("name") != "hyperband":
            return data
        if data.get("max_resource") is not None:
            return data
        if not {"fixed", "algorithms"} <= info.data.keys():  # their mistakes come first
            return data | {"max_resource": sys.maxsize}
        own = {name: algorithm.fixed for name, algorithm in info.data["algorithms"].items()}
        return data | {"max_resource": epochs_of(info.data["fixed"], own, data.get("min_resource"))}

    @field_validator("strategy", mode="wrap")
    @classmethod
    def _of_another_package(
        cls, data: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        name = data.get("name") if isinstance(data, dict) else data
        if not isinstance(name, str) or name in own_strategies() or info.context is None:
            return read(data)
        names = info.context()
        if name in names:
            return OtherStrategy.model_validate(data if isinstance(data, dict) else {"name": name})
        from hpo.spec.explain import did_you_mean

        at = ("strategy", "name") if isinstance(data, dict) else ("strategy",)
        listed = f"{', '.join(names[:-1])} or {names[-1]}"
        raise mistake(f"it must be {listed}{did_you_mean(name, names)}", at=at)

    @field_validator("limits", mode="before")
    @classmethod
    def _complete_limits(cls, data: object, info: ValidationInfo) -> object:
        if not isinstance(data, dict) or data.get("max_jobs") is not None:
            return data
        if "strategy" not in info.data:  # its mistake comes first: it may be a grid
            return data | {"max_jobs": 1}
        return data | {"max_jobs": _combinations(info) or 1} if info.data["strategy"].name == "grid" else data

    @field_validator("limits")
    @classmethod
    def _fit_the_grid(cls, limits: Limits, info: ValidationInfo) -> Limits:
        if (count := _combinations(info)) and limits.max_jobs != count:
            raise mistake(
                f"the grid has {count} combinations, and each is tried once",
                hint=f"leave max_jobs out, or write {count}",
                at=("limits", "max_jobs"),
            )
        return limits

    @property
    def all_metrics(self) -> Mapping[str, str]:
        """The metrics with those of all algorithms; of a name that several have any one's regex."""
        own = (metrics.items() for metrics in (self.metrics, *(a.metrics for a in self.algorithms.values())))
        return {name: regex for metrics in own for name, regex in metrics}

    def alone(self, name: str) -> Spec:
        """Return the job as it would be with one of its algorithms only, but for its launcher's options."""
        own = self.algorithms[name]
        return self.model_copy(
            update={
                "algorithms": {},
                "metrics": {**self.metrics, **own.metrics},
                "learner": own.learner,
                "parameters": own.parameters,
                "fixed": {**self.fixed, **own.fixed},
                "constraints": own.constraints,
                "initial": own.initial,
                "warm_start": own.warm_start or self.warm_start,
            }
        )

    def space(self) -> Space:
        """Return the search space, with `auto` scalings decided; that of several algorithms is empty."""
        return space_of(self.parameters, self.constraints, self.fixed)

    def first_configurations(self) -> tuple[dict[str, Scalar], ...]:
        """Return what is tried before a strategy proposes anything, whole and in order."""
        return first_configurations(self.space(), self.initial)


def _combinations(info: ValidationInfo) -> int | None:
    """Return how many configurations the grids have; None where it is no grid or cannot be told yet."""
    strategy, fixed = info.data.get("strategy"), info.data.get("fixed", {})
    if strategy is None or strategy.name != "grid" or not {"parameters", "algorithms"} <= info.data.keys():
        return None
    algorithms = info.data["algorithms"]
    if not algorithms:
        return combinations(info.data["parameters"], info.data.get("constraints", ()), fixed)
    counts = [
        combinations(each.parameters, each.constraints, {**fixed, **each.fixed})
        for each in algorithms.values()
    ]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None

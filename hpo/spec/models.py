"""The spec's models.

A field's checks see the fields before it: each is checked against those that are right, so that
one mistake hides no other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, Self, cast, get_args

from pydantic import (
    ConfigDict,
    Field,
    GetPydanticSchema,
    JsonValue,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from hpo.spec.coherence import incoherences
from hpo.spec.parameters import ParameterModel
from hpo.spec.section import (
    Channel,
    Duration,
    JobName,
    ParameterName,
    PathText,
    Section,
    SpecScalar,
    Text,
    mistake,
    together,
)
from hpo.spec.space import Space

EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""Fixed parameters that give Hyperband its max_resource, as SageMaker's guide lists them."""


class PlainStrategy(Section):
    """A strategy without options."""

    name: Literal["bayesian", "random", "grid"] = Field(
        description="bayesian: learns from the trials so far; random; grid: every combination once"
    )


class Hyperband(Section):
    """Many configurations for a short time, ever fewer for longer."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].remove("max_resource"))

    name: Literal["hyperband"] = Field(description="hyperband: stops early what does not lead")
    min_resource: int = Field(default=1, ge=1, description="steps before a trial may be stopped")
    max_resource: int = Field(ge=1, description=f"steps of a whole trial; else fixed {', '.join(EPOCHS)}")
    reduction_factor: int = Field(default=3, ge=2, description="of so many trials one goes on at each rung")

    @field_validator("max_resource")
    @classmethod
    def _leaves_room(cls, most: int, info: ValidationInfo) -> int:
        if most <= info.data.get("min_resource", 0):
            raise mistake(f"it must be more than min_resource, which is {info.data['min_resource']}")
        return most


class OtherStrategy(Section):
    """A strategy of another package, with options that only that knows."""

    model_config = ConfigDict(extra="allow")

    name: Text = Field(description="as the package calls it")


Strategy = Annotated[
    PlainStrategy | Hyperband | OtherStrategy,
    GetPydanticSchema(
        lambda _, handler: handler(Annotated[PlainStrategy | Hyperband, Field(discriminator="name")])
    ),
]
"""Read as one of hpo's own; `Spec` reads another package's itself, and a schema lists hpo's own alone."""

Names = Callable[[], Sequence[str]]
"""Gives the names of all strategies that there are, hpo's own first; the context of a spec's validation."""


def _name_alone(schema: dict[str, JsonValue]) -> None:
    """Let a strategy's schema take the name alone, too."""
    names: list[JsonValue] = [*_own_strategies()]
    union = {key: schema.pop(key) for key in ("oneOf", "discriminator")}
    schema["anyOf"] = [{"enum": names}, union]


def _own_strategies() -> list[str]:
    return [
        name
        for model in (PlainStrategy, Hyperband)
        for name in get_args(model.model_fields["name"].annotation)
    ]


class Objective(Section):
    """The metric to tune for."""

    metric: Text = Field(description="one of `metrics`")
    goal: Literal["maximize", "minimize"] = Field(description="maximize or minimize: which way is better")
    take: Literal["last", "best"] = Field(default="last", description="which match is a trial's value")
    step: Text | None = Field(
        default=None, description="the metric that counts its steps; by default every match is one"
    )


class Limits(Section):
    """When the job, or a trial, has taken enough."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required"))

    max_jobs: int = Field(ge=1, description="trials in all; for grid by default the number of combinations")
    max_parallel_jobs: int = Field(default=1, ge=1, description="trials at the same time")
    max_runtime: Duration | None = Field(default=None, description="of the whole job: 90, 90s, 15m, 2h or 1d")
    max_job_runtime: Duration | None = Field(default=None, description="of one trial: 90, 90s, 15m, 2h or 1d")
    max_cost: float | None = Field(default=None, gt=0, description="of all trials together, in USD")
    max_failures: int | None = Field(
        default=None,
        ge=1,
        description="failed trials after which the job fails; by default it fails if the first three all do",
    )


def _no_limits() -> Limits:
    """Return what stands for a spec without limits: it is validated, and right for a grid alone."""
    return cast("Limits", {})


class StopWhen(Section):
    """Any one of these ends the job."""

    target: float | None = Field(default=None, description="a value of the objective that is good enough")
    not_improving_for: int | None = Field(default=None, ge=1, description="trials without a better value")


class Retry(Section):
    """What to do about failures of the infrastructure; a program's own failures are never retried."""

    attempts: int = Field(default=2, ge=1, le=30, description="launches of one trial, the first one included")


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
    objective: Objective = Field(description="the metric to tune for, and which way it is better")
    metrics: Mapping[Text, Text] = Field(
        description="name → regex with one group, tried on every line of stdout and stderr"
    )
    parameters: Mapping[ParameterName, ParameterModel] = Field(
        description="what is tuned: continuous, integer and categorical parameters, by name"
    )
    fixed: Mapping[ParameterName, SpecScalar] = Field(
        default_factory=dict, description="parameters given to every trial as they are"
    )
    strategy: Strategy = Field(
        default=PlainStrategy(name="bayesian"),
        validate_default=True,
        description="bayesian, random, grid or hyperband, or a mapping with the name and its options",
        json_schema_extra=_name_alone,
    )
    limits: Limits = Field(
        default_factory=_no_limits, validate_default=True, description="trials, time, failures"
    )
    stop_when: StopWhen = Field(default_factory=StopWhen, description="ends the job early")
    early_stopping: Literal["off"] = Field(default="off", description="stops single trials early")
    retry: Retry = Field(default_factory=Retry, description="of trials that the infrastructure failed")
    inputs: Mapping[Channel, PathText] = Field(
        default_factory=dict, description="channel → path or s3:// address of its data"
    )
    launcher: Launcher = Field(default_factory=Launcher, description="where trials run, and what")

    @model_validator(mode="wrap")
    @classmethod
    def _fits_together(cls, data: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        mistakes = list(incoherences(data))
        try:
            spec = read(data)
        except ValidationError as error:
            raise together(mistakes, error) from None
        if mistakes:
            raise together(mistakes)
        return spec

    @field_validator("parameters")
    @classmethod
    def _are_some(cls, parameters: Mapping[str, ParameterModel]) -> Mapping[str, ParameterModel]:
        if not parameters:
            raise mistake(
                "there is nothing to tune", hint="as in lr: {type: continuous, min: 1.0e-4, max: 0.1}"
            )
        return parameters

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
        if "fixed" not in info.data:  # its mistake comes first: nothing can be said of the epochs
            return data | {"max_resource": sys.maxsize}
        return data | {"max_resource": _epochs(info.data["fixed"], data.get("min_resource"))}

    @field_validator("strategy", mode="wrap")
    @classmethod
    def _of_another_package(
        cls, data: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        name = data.get("name") if isinstance(data, dict) else data
        if not isinstance(name, str) or name in _own_strategies() or info.context is None:
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

    def space(self) -> Space:
        """Return the search space, with `auto` scalings decided."""
        return _space(self.parameters)


def _epochs(fixed: Mapping[str, SpecScalar], min_resource: object) -> int:
    """Return the max_resource that the fixed parameters give Hyperband."""
    least = min_resource if isinstance(min_resource, int) else 1
    for name in filter(fixed.__contains__, EPOCHS):
        epochs = fixed[name]
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs <= least:
            raise mistake(
                f"hyperband needs a whole number above min_resource there, which is {least}",
                hint="or give the strategy a max_resource",
                at=("fixed", name),
            )
        return epochs
    raise mistake(
        "it needs `max_resource`, the steps of a whole trial",
        hint=f"give it, or one of these under `fixed`: {', '.join(EPOCHS)}",
    )


def _space(parameters: Mapping[str, ParameterModel]) -> Space:
    return Space(tuple(model.parameter(name) for name, model in parameters.items()))


def _combinations(info: ValidationInfo) -> int | None:
    """Return how many configurations a grid has; None where it is no grid or cannot be told yet."""
    strategy, parameters = info.data.get("strategy"), info.data.get("parameters")
    if strategy is None or strategy.name != "grid" or parameters is None:
        return None
    return _space(parameters).cardinality

"""The models of strategies: hpo's own with their options, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, GetPydanticSchema, JsonValue, ValidationInfo, field_validator

from hpo.spec.section import Section, SpecScalar, Text, mistake

EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""Fixed parameters that give Hyperband its max_resource, as SageMaker's guide lists them."""


class Bayesian(Section):
    """What a model of the trials so far expects most of."""

    name: Literal["bayesian"] = Field(description="bayesian: learns from the trials so far")
    improvement_per: Literal["trial", "second"] = Field(
        default="trial",
        description="second: prefers trials that take less time, as the durations so far tell",
    )


class PlainStrategy(Section):
    """A strategy without options."""

    name: Literal["random", "grid"] = Field(description="random; grid: every combination once")


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
    Bayesian | PlainStrategy | Hyperband | OtherStrategy,
    GetPydanticSchema(
        lambda _, handler: handler(
            Annotated[Bayesian | PlainStrategy | Hyperband, Field(discriminator="name")]
        )
    ),
]
"""Read as one of hpo's own; `Spec` reads another package's itself, and a schema lists hpo's own alone."""

Names = Callable[[], Sequence[str]]
"""Gives the names of all strategies that there are, hpo's own first; the context of a spec's validation."""


def name_alone(schema: dict[str, JsonValue]) -> None:
    """Let a strategy's schema take the name alone, too."""
    names: list[JsonValue] = [*own_strategies()]
    union = {key: schema.pop(key) for key in ("oneOf", "discriminator")}
    schema["anyOf"] = [{"enum": names}, union]


def own_strategies() -> list[str]:
    """Return the names of hpo's own strategies."""
    return [
        name
        for model in (Bayesian, PlainStrategy, Hyperband)
        for name in get_args(model.model_fields["name"].annotation)
    ]


def epochs_of(
    fixed: Mapping[str, SpecScalar], own: Mapping[str, Mapping[str, SpecScalar]], min_resource: object
) -> int:
    """Return the max_resource that the fixed parameters give Hyperband.

    `own` are those of each algorithm, over the job's, where there are several.
    """
    least = min_resource if isinstance(min_resource, int) else 1
    if not own:
        return _epochs(fixed, least, partial(_place, "", {}))
    found = {}
    for name, given in own.items():
        place = partial(_place, name, given)
        found[name] = _epochs({**fixed, **given}, least, place)
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} {epochs}" for name, epochs in found.items())
        raise mistake(
            f"the algorithms have different numbers of epochs ({listed})",
            hint="give the strategy a `max_resource`, the steps of a whole trial",
        )
    return next(iter(found.values()))


def _place(algorithm: str, own: Mapping[str, SpecScalar], key: str) -> tuple[str, ...]:
    return (*(("algorithms", algorithm) if key in own else ()), "fixed", key)


def _epochs(fixed: Mapping[str, SpecScalar], least: int, place: Callable[[str], tuple[str, ...]]) -> int:
    for name in filter(fixed.__contains__, EPOCHS):
        epochs = fixed[name]
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs <= least:
            raise mistake(
                f"hyperband needs a whole number above min_resource there, which is {least}",
                hint="or give the strategy a max_resource",
                at=place(name),
            )
        return epochs
    raise mistake(
        "it needs `max_resource`, the steps of a whole trial",
        hint=f"give it, or one of these under `fixed`: {', '.join(EPOCHS)}",
    )

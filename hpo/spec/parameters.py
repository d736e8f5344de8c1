"""The models of tuned parameters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, assert_never

from pydantic import Field, Strict, ValidationInfo, field_validator

from hpo.spec.constraint import shown
from hpo.spec.scaling import Scaling, automatic_scaling
from hpo.spec.section import ParameterName, ScalingName, Section, SpecScalar, mistake
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar

MOST_STEPS = 10**9
_EXACT = 2**53  # up to here every integer is a float, too


When = Mapping[ParameterName, Annotated[tuple[SpecScalar, ...], Strict(strict=False)]]
"""The values of other parameters with which one is active."""

_WHEN = "it is active only where each of these parameters is, and has one of the values"
_DEFAULT = "the first trial's value, where any parameter has a default"


class ContinuousParameter(Section):
    """A real range; with a step only min, min + step, … are values."""

    type: Literal["continuous"] = Field(description="continuous: a real number")
    min: float = Field(description="the least value")
    max: float = Field(description="the greatest value")
    step: float | None = Field(
        default=None, gt=0, description="distance between values; it divides the range"
    )
    scaling: ScalingName = Field(
        default="auto",
        description="how values are spread over the range; reverse-logarithmic: ever denser towards 1. "
        "auto is logarithmic from a ratio of 100 between max and min on",
    )
    default: float | None = Field(default=None, description=_DEFAULT)
    when: When = Field(default_factory=dict, description=_WHEN)

    @field_validator("max")
    @classmethod
    def _spans_a_range(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("min", -math.inf)
        _check_order(low, high)
        if low > -math.inf and high - low == math.inf:
            raise mistake("the range is too wide to be computed with")
        return high

    @field_validator("step")
    @classmethod
    def _divides_the_range(cls, step: float | None, info: ValidationInfo) -> float | None:
        if step is None or not {"min", "max"} <= info.data.keys():
            return step
        low, high = info.data["min"], info.data["max"]
        if (high - low) / step > MOST_STEPS:
            raise mistake(f"that makes more than {MOST_STEPS:,} values", hint="leave the step out")
        least, greatest, width = Decimal(str(low)), Decimal(str(high)), Decimal(str(step))
        _check_step(float(low), float(greatest - (greatest - least) % width), high)
        return step

    @field_validator("scaling")
    @classmethod
    def _fits_the_range(cls, scaling: str, info: ValidationInfo) -> str:
        low, high = info.data.get("min"), info.data.get("max")
        if low is None or high is None:
            return scaling
        if scaling == "logarithmic":
            _check_positive(low, instead=1e-6)
        if scaling == "reverse-logarithmic" and not 0 <= low <= high < 1:
            raise mistake(
                f"it needs 0 <= min and max < 1, and the range is {low} to {high}",
                hint="it spreads values ever denser towards 1, as for a momentum of 0.9 to 0.999",
            )
        return scaling

    @field_validator("default")
    @classmethod
    def _is_in_the_range(cls, default: float | None, info: ValidationInfo) -> float | None:
        if default is not None and {"min", "max", "step"} <= info.data.keys():
            low, high, step = info.data["min"], info.data["max"], info.data["step"]
            _check_default(Continuous("", low, high, step=step), default)
        return default

    def parameter(self, name: str) -> Continuous:
        """Return the range as a part of the search space."""
        auto = self.scaling == "auto"
        scaling = automatic_scaling(self.min, self.max, integer=False) if auto else Scaling(self.scaling)
        return Continuous(name, self.min, self.max, scaling, self.step)


Bound = Annotated[int, Field(ge=-_EXACT, le=_EXACT)]


class IntegerParameter(Section):
    """The integers min, min + step, … up to max."""

    type: Literal["integer"] = Field(description="integer: a whole number")
    min: Bound = Field(description="the least value")
    max: Bound = Field(description="the greatest value")
    step: int = Field(default=1, ge=1, description="distance between values; it divides the range")
    scaling: Literal["auto", "linear", "logarithmic"] = Field(
        default="auto",
        description="how values are spread over the range. "
        "auto is logarithmic from a ratio of 100 between max and min on",
    )
    default: Bound | None = Field(default=None, description=_DEFAULT)
    when: When = Field(default_factory=dict, description=_WHEN)

    @field_validator("max")
    @classmethod
    def _spans_a_range(cls, high: int, info: ValidationInfo) -> int:
        _check_order(info.data.get("min", -math.inf), high)
        return high

    @field_validator("step")
    @classmethod
    def _divides_the_range(cls, step: int, info: ValidationInfo) -> int:
        if {"min", "max"} <= info.data.keys():
            low, high = info.data["min"], info.data["max"]
            _check_step(low, high - (high - low) % step, high)
        return step

    @field_validator("scaling", mode="before")
    @classmethod
    def _fits_the_range(cls, scaling: object, info: ValidationInfo) -> object:
        if scaling == "reverse-logarithmic":
            raise mistake("it goes with continuous parameters only", hint="take auto, linear or logarithmic")
        if scaling == "logarithmic" and {"min", "max"} <= info.data.keys():
            _check_positive(info.data["min"], instead=1)
        return scaling

    @field_validator("default")
    @classmethod
    def _is_in_the_range(cls, default: int | None, info: ValidationInfo) -> int | None:
        if default is not None and {"min", "max", "step"} <= info.data.keys():
            low, high, step = info.data["min"], info.data["max"], info.data["step"]
            _check_default(Integer("", low, high, step=step), default)
        return default

    def parameter(self, name: str) -> Integer:
        """Return the range as a part of the search space."""
        auto = self.scaling == "auto"
        scaling = automatic_scaling(self.min, self.max, integer=True) if auto else Scaling(self.scaling)
        return Integer(name, self.min, self.max, scaling, self.step)


class CategoricalParameter(Section):
    """One of some values, of any scalar types."""

    type: Literal["categorical"] = Field(description="categorical: one of the values")
    values: Annotated[tuple[SpecScalar, ...], Strict(strict=False)] = Field(
        description="the values, each with the type it is written with", json_schema_extra={"minItems": 1}
    )

    ordered: bool = Field(default=False, description="whether neighbours among the values are alike")
    default: SpecScalar = Field(default=None, description=_DEFAULT)
    when: When = Field(default_factory=dict, description=_WHEN)

    @field_validator("values")
    @classmethod
    def _differ(cls, values: tuple[SpecScalar, ...]) -> tuple[SpecScalar, ...]:
        if not values:
            raise mistake("there is no value", hint="write values: [a, b]")
        counts = Counter((type(value), value) for value in values)
        if twice := [repr(value) for (_, value), count in counts.items() if count > 1]:
            raise mistake(f"given more than once: {', '.join(twice)}")
        return values

    @field_validator("default")
    @classmethod
    def _is_one_of_them(cls, default: Scalar, info: ValidationInfo) -> Scalar:
        if default is not None and "values" in info.data:
            _check_default(Categorical("", info.data["values"]), default)
        return default

    def parameter(self, name: str) -> Categorical:
        """Return the values as a part of the search space."""
        return Categorical(name, self.values, self.ordered)


ParameterModel = Annotated[
    ContinuousParameter | IntegerParameter | CategoricalParameter, Field(discriminator="type")
]


def allowed(parameter: Parameter) -> str:
    """Return in words which values a parameter has."""
    match parameter:
        case Categorical():
            return f"its values are {', '.join(map(shown, parameter.values))}"
        case Continuous(step=None):
            return f"it is a number from {parameter.low} to {parameter.high}"
        case Continuous():
            return f"it is from {parameter.low} to {parameter.high} in steps of {parameter.step}"
        case Integer():
            steps = f" in steps of {parameter.step}" if parameter.step != 1 else ""
            return f"it is a whole number from {parameter.low} to {parameter.high}{steps}"
        case _:
            assert_never(parameter)


def _check_default(parameter: Parameter, default: Scalar) -> None:
    if not parameter.contains(default):
        raise mistake("it is none of the parameter's values", hint=allowed(parameter))


def _check_order(low: float, high: float) -> None:
    if high <= low:
        hint = "a value that is not tuned goes under `fixed`" if high == low else "exchange min and max"
        raise mistake(f"it must be more than min, which is {low}", hint=hint)


def _check_positive(low: float, *, instead: float) -> None:
    if low <= 0:
        hint = f"write a min such as {instead}, or scaling: linear"
        raise mistake(f"it needs a min above 0, and min is {low}", hint=hint)


def _check_step(low: float, last: float, high: float) -> None:
    if last == low:
        raise mistake(f"it is larger than the range, {low} to {high}")
    if last != high:
        raise mistake(
            f"it does not divide the range: the last value would be {last}",
            hint=f"write max: {last}, or a step that divides {low} to {high}",
        )

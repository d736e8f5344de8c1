"""What the spec's models are made of: their base, their mistakes, and the types of their fields."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from hpo.errors import UsageError
from hpo.spec.names import JOB_NAME
from hpo.spec.paths import expanded
from hpo.spec.space import Scalar


class Section(BaseModel):
    """A mapping of the spec: its keys and types are exact, and a key without a value counts as not given."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        defer_build=True,  # most are validated as parts of another one alone
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {k: value for k, value in data.items() if value is not None or k not in cls.model_fields}


def mistake(text: str, *, hint: str = "", at: Sequence[str | int] = ()) -> PydanticCustomError:
    """Return an error whose text goes on after "`limits.max_jobs` is 5;".

    `at` is the path from the spec's root, where the mistake is another place's than the validated value's.
    """
    return PydanticCustomError("mistake", "{text}", {"text": text, "hint": hint, "at": tuple(at)})


def together(
    mistakes: Sequence[PydanticCustomError], error: ValidationError | None = None
) -> ValidationError:
    """Return one error that makes several mistakes, and those of another error."""
    lines = [InitErrorDetails(type=known, loc=(), input=None) for known in mistakes]
    for details in error.errors(include_url=False) if error else ():
        kind, context = details["type"], details.get("ctx", {})
        again = mistake(**context) if kind == "mistake" else kind
        lines.append(InitErrorDetails(type=again, loc=details["loc"], input=details["input"], ctx=context))
    return ValidationError.from_exception_data("spec", lines)


_DURATION = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[smhd]?)")
_SECONDS: Mapping[str, float] = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: object) -> float:
    match value:
        case int() | float() if not isinstance(value, bool):
            seconds = float(value)
        case str() if written := _DURATION.fullmatch(value):
            seconds = float(written["number"]) * _SECONDS[written["unit"]]
        case _:
            seconds = math.nan
    if not 0 < seconds < math.inf:
        raise mistake(
            "it must be a duration above 0: 90, 90s, 15m, 2h, 1.5h or 1d", hint="without a unit: seconds"
        )
    return seconds


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*[smhd]?$"},
            ]
        }
    ),
]
"""Seconds; written as a number, or as a text with one of the units s, m, h and d."""


def _job_name(name: str) -> str:
    if re.search(r"[/\\]|^\.", name):
        raise mistake("a name is not a path", hint="the job lies under this name in hpo's state folder")
    if not JOB_NAME.fullmatch(name):
        raise mistake("it must be 1 to 32 letters (a to z), digits and inner hyphens")
    return name


JobName = Annotated[
    str,
    AfterValidator(_job_name),
    WithJsonSchema({"type": "string", "pattern": f"^{JOB_NAME.pattern}$"}),
]


def _parameter_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}", name):
        raise mistake(
            "a parameter's name is 1 to 256 letters (a to z), digits, _, . and -, the first one a letter or _"
        )
    return name


ParameterName = Annotated[
    str,
    AfterValidator(_parameter_name),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,255}$"}),
]


def _channel(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", name):
        raise mistake(
            "a channel's name is 1 to 64 letters (a to z), digits, ., _ and -, and begins with no dot"
        )
    return name


Channel = Annotated[
    str,
    AfterValidator(_channel),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"}),
]

Text = Annotated[str, Field(min_length=1)]


def _path(path: str) -> str:
    try:
        expanded(path)
    except UsageError as error:
        raise mistake(str(error)) from None
    return path


PathText = Annotated[Text, AfterValidator(_path)]
"""A path on this machine, which may begin with `~`."""


def _scalar(value: object) -> object:
    if isinstance(value, dict | list):
        raise mistake("it must be a single value: text, a number, true, false or null")
    if isinstance(value, float) and not math.isfinite(value):
        raise mistake("it must be a finite number")
    return value


SpecScalar = Annotated[
    Scalar,
    BeforeValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]
"""A parameter's value; its type is kept."""

ScalingName = Literal["auto", "linear", "logarithmic", "reverse-logarithmic"]

Constraints = Annotated[tuple[Text, ...], Strict(strict=False)]

Initial = Annotated[tuple[Mapping[ParameterName, SpecScalar], ...], Strict(strict=False)]

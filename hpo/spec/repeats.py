"""Several runs of each trial, with a seed each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from hpo.spec.section import ParameterName, Section, mistake

Count = Annotated[int, Field(ge=1, le=1000)]

SEED_NAME = "seed"
"""By which parameter a program is given its seed, unless told otherwise."""


class RepeatsOptions(Section):
    """How often a trial is run, and what its value is then."""

    count: Count = Field(description="runs of each trial, one after another, with the seeds 1, 2, …")
    score: Literal["mean", "median"] = Field(
        default="mean", description="mean or median: which of its runs' values is the trial's"
    )
    seed_name: ParameterName = Field(
        default=SEED_NAME, description="the parameter by which the program is given its seed"
    )


Repeats = Count | RepeatsOptions
"""The count alone, or with its options."""


def repeats_options(repeats: Repeats) -> RepeatsOptions:
    """Return the count with its options."""
    return RepeatsOptions(count=repeats) if isinstance(repeats, int) else repeats


def seeds_given_twice(spec: object) -> Iterator[PydanticCustomError]:
    """Yield that the parameter by which a program is given its seed is tuned or fixed."""
    spec = _mapping(spec)
    match spec:
        case {"repeats": {"seed_name": str() as name}}:
            path: tuple[str, ...] = ("repeats", "seed_name")
        case {"repeats": int() | {}}:
            name, path = SEED_NAME, ("repeats",)
        case _:
            return
    for section, how, given in _given(spec):
        if name in given:
            text = f"every run is given its seed as the parameter {name}, which is {how} under `{section}`"
            hint = "leave it out there, or name another one: repeats: {count: 3, seed_name: NAME}"
            yield mistake(text, hint=hint, at=path)


def _given(spec: Mapping[str, object]) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Yield the sections with parameters, also those of several algorithms, and what becomes of theirs."""
    algorithms = spec.get("algorithms")
    named = {"": spec, **{f"algorithms.{name}.": own for name, own in _mapping(algorithms).items()}}
    for prefix, sections in named.items():
        for section, how in {"parameters": "tuned", "fixed": "fixed"}.items():
            yield f"{prefix}{section}", how, _mapping(_mapping(sections).get(section))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

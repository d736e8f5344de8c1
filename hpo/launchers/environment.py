"""The environment of a trial's program, as launchers let users write it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from hpo.errors import CannotStart
from hpo.spec.section import Section, Text, mistake

THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)
"""The variables by which numeric libraries are told how many threads to use."""


def _variable_name(name: str) -> str:
    if not re.fullmatch(r"[^=\0\s]+", name):
        raise mistake("a variable's name has neither white space nor `=` in it")
    return name


VariableName = Annotated[str, AfterValidator(_variable_name)]
VariableValue = str | int | float | bool


class FromFile(Section):
    """A secret that lies in a file."""

    file: Text = Field(description="its path; the newline at its end does not count")


class FromVariable(Section):
    """A secret that the tuner has in a variable."""

    env: Text = Field(description="the variable's name")


Secrets = Sequence[VariableName] | Mapping[VariableName, FromFile | FromVariable]
"""Variables by reference: the names of the tuner's own, or each with where its value comes from."""


def _split(command: object) -> object:
    if isinstance(command, list):
        return command
    if not isinstance(command, str):
        raise mistake("it must be a list or text", hint="as in [python, train.py], or python train.py as text")
    try:
        return shlex.split(command)
    except ValueError as error:
        raise mistake(f"it cannot be split into words: {error}") from None


Words = Annotated[
    list[str],
    BeforeValidator(_split, json_schema_input_type=Text | Annotated[list[str], Field(min_length=1)]),
    Field(min_length=1),
]
"""A program and its arguments, as a list or as one text that is split as a shell would."""

Threads = Literal["auto", "off"] | Annotated[int, Field(ge=1)]
"""How many threads numeric libraries may use in a trial; auto is the trial's share of the CPUs."""


def text_of(value: VariableValue) -> str:
    """Return a variable's value as programs expect it: true and false in small letters."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_secrets(secrets: Secrets, base: Path) -> dict[str, str]:
    """Return the variables' values as they are now; paths are relative to `base`.

    Raises CannotStart, which names every one that cannot be had.
    """
    sources = secrets if isinstance(secrets, Mapping) else {name: FromVariable(env=name) for name in secrets}
    values: dict[str, str] = {}
    missing: list[str] = []
    for name, source in sources.items():
        match source:
            case FromVariable(env=variable) if variable in os.environ:
                values[name] = os.environ[variable]
            case FromVariable(env=variable):
                missing.append(f"the variable {variable} is not set")
            case FromFile(file=file):
                try:
                    values[name] = (base / file).expanduser().read_text().removesuffix("\n")
                except (OSError, UnicodeDecodeError) as error:
                    missing.append(f"{name} cannot be read from {file}: {_reason(error)}")
    if missing:
        raise CannotStart(f"env_from: {'; '.join(missing)}")
    return values


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is not text"


def thread_limits(threads: int, already: Iterable[str]) -> dict[str, str]:
    """Return the variables that hold numeric libraries to so many threads.

    Those set `already` stay as they are; where OMP_NUM_THREADS is, the others follow it of themselves.
    """
    taken = set(already)
    if THREAD_LIMITS[0] in taken:
        return {}
    return {name: str(threads) for name in THREAD_LIMITS if name not in taken}


def available_cpus() -> int:
    """Return how many CPUs this process may use, under its affinity and its control group's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(count, int(quota) // int(period)))
    except (OSError, ValueError):  # no such control group, or one without a quota
        return count

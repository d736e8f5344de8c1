"""The environment of a trial's program, as launchers let users write it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from hpo.errors import CannotStart
from hpo.spec.paths import expanded
from hpo.spec.section import PathText, Section, Text, mistake

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

    file: PathText = Field(description="its path; the newline at its end does not count")


class FromVariable(Section):
    """A secret that the tuner has in a variable."""

    env: Text = Field(description="the variable's name")


Secrets = Sequence[VariableName] | Mapping[VariableName, FromFile | FromVariable]
"""Variables by reference: the names of the tuner's own, or each with where its value comes from."""


def _split(command: object) -> object:
    if isinstance(command, list):
        return command
    if not isinstance(command, str):
        raise mistake("it must be a list or text", hint="as in [python, train.py], or python train.py")
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
    values: dict[str, str] = {}
    missing: list[str] = []
    for name, source in _sources(secrets):
        try:
            values[name] = _secret(name, source, base)
        except LookupError as error:
            missing.append(error.args[0])
    if missing:
        raise CannotStart(f"env_from: {'; '.join(missing)}")
    return values


def missing_secrets(secrets: Secrets, base: Path) -> Iterator[tuple[str | int, str]]:
    """Yield the key below `env_from` of each variable whose value cannot be had now, and why."""
    for index, (name, source) in enumerate(_sources(secrets)):
        try:
            _secret(name, source, base)
        except LookupError as error:
            yield name if isinstance(secrets, Mapping) else index, error.args[0]


def _sources(secrets: Secrets) -> Iterable[tuple[str, FromFile | FromVariable]]:
    if isinstance(secrets, Mapping):
        return secrets.items()
    return [(name, FromVariable(env=name)) for name in secrets]


def _secret(name: str, source: FromFile | FromVariable, base: Path) -> str:
    """Return a variable's value; raises LookupError, which says why it cannot be had."""
    match source:
        case FromVariable(env=variable):
            if variable not in os.environ:
                raise LookupError(f"the variable {variable} is not set")
            return os.environ[variable]
        case FromFile(file=file):
            try:
                return (base / expanded(file)).read_text().removesuffix("\n")
            except OSError as error:
                raise LookupError(f"{name} cannot be read from {file}: {error.strerror or error}") from None
            except UnicodeDecodeError:
                raise LookupError(f"{name} cannot be read from {file}: it is not text") from None


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

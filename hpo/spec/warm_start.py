"""The section `warm_start`: which earlier jobs a job begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field, Strict, field_validator

from hpo.spec.names import ALGORITHM
from hpo.spec.section import Section, Text, mistake

OPTUNA = "optuna:"
SAGEMAKER = "sagemaker:"
SQLITE = "sqlite:///"
VARIABLE = "env:"
"""Begins the name of the variable that holds a storage's address, in the place of the address."""

TABLES = (".csv", ".json")


class WarmStart(Section):
    """Earlier jobs whose trials are known already."""

    type: Literal["identical", "transfer"] = Field(
        description="identical: their values count like the job's own; transfer: they say where to begin"
    )
    parents: Annotated[tuple[Text, ...], Strict(strict=False)] = Field(
        description="a job's name, its folder, a .csv or .json table of trials, "
        "optuna:STORAGE_URL#STUDY, optuna:env:VARIABLE#STUDY for an address with a password, or "
        "sagemaker:NAME; with #ALGORITHM for the trials of one of several",
        json_schema_extra={"minItems": 1},
    )

    @field_validator("parents")
    @classmethod
    def _are_some(cls, parents: tuple[str, ...]) -> tuple[str, ...]:
        if not parents:
            raise mistake("there is no parent", hint="write parents: [digits-1]")
        if twice := [name for name, count in Counter(parents).items() if count > 1]:
            raise mistake(f"given more than once: {', '.join(twice)}")
        return parents


def parent_from(parent: str, absolute: Callable[[str], str]) -> str:
    """Return a parent as it is found from any folder, where `absolute` makes a path one that counts so."""
    if is_path(parent):
        return absolute(parent)
    url, mark, study = parent.removeprefix(OPTUNA).partition("#")
    if not parent.startswith(OPTUNA) or url.startswith(VARIABLE):
        return parent
    if url.startswith(SQLITE):
        return f"{OPTUNA}{SQLITE}{absolute(url.removeprefix(SQLITE))}{mark}{study}"
    return parent if "://" in url else f"{OPTUNA}{absolute(url)}{mark}{study}"


def is_path(parent: str) -> bool:
    """Tell whether a parent is given as a path: of a job's folder, or of a table."""
    if parent.startswith((OPTUNA, SAGEMAKER)):
        return False
    source, _ = one_of(parent)
    return (
        "/" in parent or parent.startswith(("~", ".")) or parent.endswith(TABLES) or source.endswith(TABLES)
    )


def one_of(parent: str) -> tuple[str, str]:
    """Return a parent, and whose trials of its several algorithms are meant: NAME#ALGORITHM; "" for none."""
    source, mark, algorithm = parent.rpartition("#")
    if not mark or parent.startswith(OPTUNA) or not ALGORITHM.fullmatch(algorithm):
        return parent, ""
    return source, algorithm

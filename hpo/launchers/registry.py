"""The kinds of launchers, by the names that specs use; each is imported when it is asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from pydantic import BaseModel

from hpo.errors import UsageError
from hpo.launchers.launcher import JobContext, Launcher
from hpo.plugins import instead, offered

GROUP = "hpo.launchers"
"""Entry points of this group are launchers of other packages: each names a `Kind`."""

_BUILT_IN = {"process": "hpo.launchers.process.launcher:KIND"}
_PLANNED = ("docker", "sagemaker")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of launcher: the model of its options, and what builds one of a job and its options."""

    options: type[BaseModel]
    build: Callable[..., Launcher]


def names() -> list[str]:
    """Return the names of all kinds, hpo's own first.

    Raises HpoError where another package takes the name of one that is there already.
    """
    return list(_entries())


def options_model(kind: str) -> type[BaseModel]:
    """Return the model that a launcher's options must fit. Raises UsageError for an unknown kind."""
    return _find(kind).options


def build(kind: str, context: JobContext, options: BaseModel) -> Launcher:
    """Build a job's launcher with options of its model. Raises UsageError for an unknown kind."""
    return _find(kind).build(context, options)


def _find(kind: str) -> Kind:
    entries = _entries()
    if kind in entries:
        found: Kind = entries[kind].load()
        return found
    if kind in _PLANNED:
        raise UsageError(f"the launcher `{kind}` is not available yet; write kind: process")
    raise UsageError(f"there is no launcher `{kind}`; {instead(kind, list(entries))}")


@functools.cache
def _entries() -> dict[str, EntryPoint]:
    return offered(GROUP, _BUILT_IN, what="launchers")

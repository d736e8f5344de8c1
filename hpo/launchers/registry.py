"""The kinds of launchers, by the names that specs use; each is imported when it is asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import cast

from pydantic import BaseModel

from hpo.errors import LauncherError, UsageError
from hpo.launchers.launcher import JobContext, Launcher
from hpo.plugins import instead, load, offered

GROUP = "hpo.launchers"
"""Entry points of this group are launchers of other packages: each names a `Kind`."""

_BUILT_IN = {
    "process": "hpo.launchers.process.launcher:KIND",
    "docker": "hpo.launchers.docker.launcher:KIND",
    "sagemaker": "hpo.launchers.sagemaker.launcher:KIND",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of launcher: the model of its options, and what builds one of a job and its options.

    Where runs leave something outside of their job's folder, `remove_all` removes that of a job, which
    is about to be deleted, and `clean` that of all deleted jobs; it yields what was removed, in words.
    `ends_runs` says that it ends by itself what runs longer than the spec allows. `learner` gives from the
    options which learner of hpo's library runs train, where they tell that for certain.
    """

    options: type[BaseModel]
    build: Callable[..., Launcher]
    remove_all: Callable[..., None] | None = None
    clean: Callable[[], Iterator[str]] | None = None
    ends_runs: bool = False
    learner: Callable[..., str | None] | None = None


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


def ends_runs(kind: str) -> bool:
    """Tell whether a launcher itself ends what runs longer than the spec allows."""
    return _find(kind).ends_runs


def learner(kind: str, options: BaseModel) -> str | None:
    """Return which learner of hpo's library runs train; None where the options do not tell."""
    tell = _find(kind).learner
    return None if tell is None else tell(options)


def remove_all(kind: str, context: JobContext, options: BaseModel) -> None:
    """Remove what the runs of a job have left outside of its folder. Raises LauncherError."""
    if (remove := _find(kind).remove_all) is not None:
        remove(context, options)


def clean() -> Iterator[str]:
    """Remove what the runs of deleted jobs have left, whatever their launcher; yield what that was.

    A launcher that cannot look, as for want of an engine, is passed over with a word on that.
    """
    for name in names():
        try:
            if (clean := _find(name).clean) is not None:
                yield from clean()
        except LauncherError as error:
            yield f"nothing of kind {name}: {error}"


def _find(kind: str) -> Kind:
    entries = _entries()
    if kind in entries:
        return cast("Kind", load(entries[kind], what="launcher"))
    raise UsageError(f"there is no launcher `{kind}`; {instead(kind, list(entries))}")


@functools.cache
def _entries() -> dict[str, EntryPoint]:
    return offered(GROUP, _BUILT_IN, what="launchers")

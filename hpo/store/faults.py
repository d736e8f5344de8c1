"""What SQLite's errors mean to a user."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpo.errors import DiskFull, StoreError

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process's transaction."""


_NO_ROOM = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})
"""The latter: no room for the index of the log."""

_NO_WRITING = frozenset({"SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR"})


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Raise SQLite's errors within the block as the StoreError that they mean."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def keeps_from_writing(error: StoreError) -> bool:
    """Tell whether a file that gave this error on opening may still be read."""
    name = getattr(error.__cause__, "sqlite_errorname", "")
    return name in _NO_ROOM or _family(name) in _NO_WRITING


def _family(name: str) -> str:
    """Return SQLITE_READONLY for SQLITE_READONLY_DIRECTORY and the like."""
    return "_".join(name.split("_")[:2])


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """Return the error to raise for one of SQLite's: what happened, and what to do next."""
    name = getattr(error, "sqlite_errorname", "")
    if name in _NO_ROOM:
        return DiskFull(
            f"no space is left on the disk that holds {path}; what was committed is safe: "
            f"free some space, then go on with `hpo resume {path.parent.name}`"
        )
    match _family(name):
        case "SQLITE_BUSY":
            return StoreError(f"{path} has been locked by another process for {BUSY_TIMEOUT:.0f} s")
        case "SQLITE_READONLY" | "SQLITE_CANTOPEN" | "SQLITE_PERM":
            return StoreError(f"{path} cannot be opened for writing ({error}); check its permissions")
        case "SQLITE_NOTADB" | "SQLITE_CORRUPT":
            return StoreError(f"{path} is damaged ({error}); restore the job's folder from a copy")
        case _:
            return StoreError(f"{path}: {error}")

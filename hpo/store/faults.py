"""What SQLite's errors mean to a user."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hpo.errors import DiskFull, StoreError

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process's transaction."""


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """Return the error to raise for one of SQLite's: what happened, and what to do next."""
    match getattr(error, "sqlite_errorname", ""):
        case "SQLITE_FULL" | "SQLITE_IOERR_SHMSIZE":  # the latter: no room for the index of the log
            return DiskFull(
                f"no space is left on the disk that holds {path}; what was committed is safe: "
                "free some space, then go on with `hpo resume`"
            )
        case "SQLITE_BUSY":
            return StoreError(f"{path} has been locked by another process for {BUSY_TIMEOUT:.0f} s")
        case "SQLITE_READONLY" | "SQLITE_CANTOPEN" | "SQLITE_PERM":
            return StoreError(f"{path} cannot be opened for writing ({error}); check its permissions")
        case "SQLITE_NOTADB" | "SQLITE_CORRUPT":
            return StoreError(f"{path} is damaged ({error}); restore the job's folder from a copy")
        case _:
            return StoreError(f"{path}: {error}")

"""The schema of a database: its version, and the migrations that bring it up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hpo.errors import StoreError


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring a file up to date, one transaction a version. Raises StoreError if a newer hpo has written it."""
    for number, file in _outstanding(db, path):
        script = file.read_text(encoding="utf-8")
        db.executescript(f"begin immediate;\n{script}\npragma user_version = {number};\ncommit;")


def refuse_another_version(db: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError where a file would have to be brought up to date, and cannot be written."""
    if _outstanding(db, path):
        raise StoreError(
            f"{path} was written by an older hpo and cannot be brought up to date, as it cannot be "
            "written; check its permissions and the space on its disk"
        )


def _outstanding(db: sqlite3.Connection, path: Path) -> list[tuple[int, Path]]:
    """Return the migrations that a file has yet to see, by the version that each brings it to."""
    migrations = sorted(Path(__file__).with_name("migrations").glob("*.sql"))
    version: int = db.execute("pragma user_version").fetchone()[0]
    if version > len(migrations):
        raise StoreError(f"{path} was written by a newer hpo; upgrade hpo to use it")
    return list(enumerate(migrations[version:], version + 1))

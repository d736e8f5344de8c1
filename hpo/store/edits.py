"""Changes to a begun job's spec: asked for by any process, made by the one that holds its lease."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hpo.store import rows
from hpo.store.faults import BUSY_TIMEOUT, understood
from hpo.store.home import DATABASE, SPEC
from hpo.store.sqlite import JobRecord

MADE = ""
"""The answer to what was asked for and is so now; any other one is why it was refused."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    text: str | None  # None while nobody has answered
    is_forgotten: bool = False  # it was asked of a session that has ended meanwhile


class EditLog:
    """One job's edits, on a connection of their own that any one thread at a time may use.

    The database must be up to date, as `Store.open` leaves it. An edit is one transaction; spec.yaml
    follows it, at the latest when the job is taken up again. Raises DiskFull where no space is left, and
    StoreError for anything else that the file refuses.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / DATABASE
        with understood(self._path):
            self._db = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            self._db.execute("pragma synchronous = full")

    def __enter__(self) -> EditLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # -- asking, from any process

    def ask(self, overrides: Sequence[str], *, at: float) -> int:
        """Ask the process that runs the job for an edit, and return the request's number."""
        row = "insert into request (kind, at, what) values ('edit', ?, ?)"
        with understood(self._path):
            number = self._db.execute(row, (at, json.dumps(overrides))).lastrowid
        return number or 0

    def answer(self, request: int) -> Answer:
        """Return what came of a request."""
        with understood(self._path):
            row = self._db.execute("select answer from request where id = ?", (request,)).fetchone()
        return Answer(None, is_forgotten=True) if row is None else Answer(row[0])

    def withdraw(self, request: int) -> None:
        """Take a request back that nobody has answered."""
        with understood(self._path):
            self._db.execute("delete from request where id = ? and answer is null", (request,))

    # -- making, under the job's lease

    def asked(self, request: int) -> list[str] | None:
        """Return the overrides of a request; None where it was withdrawn."""
        with understood(self._path):
            row = self._db.execute("select what from request where id = ?", (request,)).fetchone()
        return None if row is None else [str(override) for override in json.loads(row[0])]

    def reply(self, request: int, answer: str) -> None:
        """Answer a request that leads to no edit."""
        with understood(self._path):
            self._db.execute("update request set answer = ? where id = ?", (answer, request))

    def make(self, record: JobRecord, what: str, spec: str, *, at: float, request: int | None = None) -> None:
        """Write down an edit with the settings and the whole spec that it leads to."""
        with understood(self._path):
            self._db.execute("begin immediate")
            try:
                settings = rows.settings_text(record.settings)
                self._db.execute("update job set settings = ?, digest = ?", (settings, record.digest))
                self._db.execute("update edit set spec = null")
                self._db.execute("insert into edit (at, what, spec) values (?, ?, ?)", (at, what, spec))
                if request is not None:
                    self._db.execute("update request set answer = ? where id = ?", (MADE, request))
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise
        self.settle()

    def settle(self) -> None:
        """Bring spec.yaml up to the last edit, where a process died between the two."""
        with understood(self._path):
            row = self._db.execute("select spec from edit where spec is not null").fetchone()
        if row is None:
            return
        draft = self._folder / f".{SPEC}"
        with draft.open("w", encoding="utf-8") as file:
            file.write(row[0])
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / SPEC)
        with understood(self._path):
            self._db.execute("update edit set spec = null")

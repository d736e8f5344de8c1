"""The store: one SQLite file for each job, written by one process, read by any."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from hpo.core.job import Job, JobStatus
from hpo.core.prior import Prior, Priors
from hpo.core.settings import Settings
from hpo.core.trial import Point, Run, Trial, TrialStatus
from hpo.errors import StoreError
from hpo.store import rows
from hpo.store.faults import BUSY_TIMEOUT, keeps_from_writing, understood
from hpo.store.prior import read_priors, write_priors
from hpo.store.schema import migrate, refuse_another_version

if TYPE_CHECKING:
    from hpo.core.apply import Change  # only for its shape: `hpo status` reads jobs without the state machine

SEEN_EVERY = 1.0
"""Seconds after which a commit also notes that the session is alive."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What the store says of the job itself."""

    settings: Settings
    strategy: str
    launcher: str
    seed: int
    digest: str  # of what may not change any more
    base: str  # the folder from which the spec's relative paths count
    created: float
    status: JobStatus = JobStatus.RUNNING
    end_reason: str = ""
    end_detail: str = ""
    ended: float | None = None


class Store:
    """Reads and writes one job's database; every change is one transaction.

    What is committed survives the process, however it dies. New trials and the job's end are also forced
    to the disk, and with them all that was committed before: a machine that goes down may take with it
    what became of the latest trials, which is then read again from their logs and exit records, but
    never their values.

    Raises DiskFull where no space is left, StoreError for anything else that the file refuses.
    """

    def __init__(self, path: Path, *, immutable: bool = False) -> None:
        self._path = path
        self._seen = 0.0
        self._newest = 0  # of the trials written here, the last to be proposed
        self._session: int | None = None
        self._forced = True
        with understood(self._path):
            if immutable:
                self._db = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
                refuse_another_version(self._db, path)
                return
            self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            migrate(self._db, path)

    @classmethod
    def create(cls, path: Path, record: JobRecord, priors: Priors | None = None) -> Store:
        """Make the database of a new job, with what it begins with."""
        store = cls(path)
        with store._transaction():
            store._db.execute(
                f"insert into job ({rows.JOB_COLUMNS}) values ({rows.marks(rows.JOB_COLUMNS)})",
                (
                    record.settings.job,
                    rows.settings_text(record.settings),
                    record.strategy,
                    record.launcher,
                    record.seed,
                    record.digest,
                    record.base,
                    record.status.value,
                    record.end_reason,
                    record.end_detail,
                    record.created,
                    record.ended,
                ),
            )
            write_priors(store._db, priors or {})
        return store

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open the database of an existing job."""
        if not path.exists():
            raise StoreError(f"{path} is missing: this is no job's folder, or it is damaged")
        return cls(path)

    @classmethod
    def look(cls, path: Path) -> Store:
        """Open the database of an existing job to read it, also where nothing can be written.

        On a full disk, or in somebody else's folder, that works while no process has it open.
        """
        try:
            return cls.open(path)
        except StoreError as error:
            log = path.with_name(f"{path.name}-wal")
            if not keeps_from_writing(error) or (log.exists() and log.stat().st_size):
                raise
            return cls(path, immutable=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # -- writing: the process that holds the job's lease

    def commit(self, changes: Iterable[Change], *, at: float) -> None:
        """Write down what events changed, all of it or nothing."""
        changes = list(changes)
        newest = max((trial.number for change in changes for trial in change.trials), default=0)
        is_done = any(change.job.is_done for change in changes)
        with self._transaction(forced=is_done or newest > self._newest):
            for change in changes:
                for trial in change.trials:
                    self._write_trial(trial)
                if change.points:
                    self._db.executemany(rows.INSERT_POINT, map(rows.point_row, change.points))
                if change.job.is_done:
                    self._write_end(change.job, at)
            if at - self._seen >= SEEN_EVERY:
                self._note_seen(at)
        self._newest = max(self._newest, newest)

    def begin_session(self, *, pid: int, at: float) -> None:
        """Note that a process runs the job from now on, and forget what was asked of an earlier one."""
        with self._transaction():
            self._db.execute("delete from request")
            row = "insert into session (pid, started, seen) values (?, ?, ?)"
            self._session = self._db.execute(row, (pid, at, at)).lastrowid
            self._db.execute(
                "update job set status = ?, end_reason = '', end_detail = '', ended = null",
                (JobStatus.RUNNING.value,),
            )

    def note_alive(self, *, at: float) -> None:
        """Note that the process still runs the job, for a time in which there is nothing to commit."""
        with self._transaction(forced=False):
            self._note_seen(at)

    def end_session(self, *, at: float) -> None:
        """Note when the process stopped running the job."""
        with self._transaction():
            self._note_seen(at)

    def _note_seen(self, at: float) -> None:
        if self._session is not None:
            self._seen = at
            self._db.execute("update session set seen = ? where id = ?", (at, self._session))

    def reopen(self, trials: Iterable[Trial]) -> None:
        """Write down trials that got another run."""
        with self._transaction():
            for trial in trials:
                self._write_trial(trial)

    def _write_trial(self, trial: Trial) -> None:
        self._db.execute(rows.UPSERT_TRIAL, rows.trial_row(trial))
        for run in trial.runs[-2:]:  # earlier ones cannot change any more
            self._db.execute(rows.UPSERT_RUN, rows.run_row(trial.number, run))
        if trial.status is TrialStatus.CANCELLED:  # a run that was abandoned before its launch is dropped
            key = (trial.number, trial.run.number)
            self._db.execute("delete from run where trial = ? and number > ?", key)

    def _write_end(self, job: Job, at: float) -> None:
        reason = job.ending.reason.value if job.ending else ""
        detail = job.ending.detail if job.ending else ""
        self._db.execute(
            "update job set status = ?, end_reason = ?, end_detail = ?, ended = ?",
            (job.status.value, reason, detail, at),
        )

    # -- requests of other processes

    def request(self, kind: str, *, at: float) -> None:
        """Ask the process that runs the job for something."""
        with self._transaction():
            self._db.execute("insert into request (kind, at) values (?, ?)", (kind, at))

    def requests(self, *, after: int = 0) -> list[tuple[int, str]]:
        """Return what was asked of this session after a request of that number, oldest first."""
        with understood(self._path):
            select = "select id, kind from request where id > ? order by id"
            return self._db.execute(select, (after,)).fetchall()

    def version(self) -> int:
        """Return a number that changes when another process has written."""
        with understood(self._path):
            return int(self._db.execute("pragma data_version").fetchone()[0])

    # -- reading

    def record(self) -> JobRecord:
        """Return the job's own row."""
        with understood(self._path):
            row = self._db.execute(f"select {rows.JOB_COLUMNS} from job").fetchone()
        if row is None:
            raise StoreError(f"{self._path} holds no job: its creation was cut off; delete its folder")
        _, settings, strategy, launcher, seed, digest, base, status, reason, detail, created, ended = row
        return JobRecord(
            settings=rows.settings_of(settings),
            strategy=strategy,
            launcher=launcher,
            seed=seed,
            digest=digest,
            base=base,
            created=created,
            status=JobStatus(status),
            end_reason=reason,
            end_detail=detail,
            ended=ended,
        )

    def priors(self) -> dict[str | None, Prior]:
        """Return what each of the job's algorithms began with, or the job itself under None."""
        with self._transaction(read=True):
            return read_priors(self._db)

    def trials(self, number: int | None = None) -> list[Trial]:
        """Return all trials by number with their runs, or the one of that number."""
        where, key = ("", ()) if number is None else (" where {} = ?", (number,))
        select_runs = f"select {rows.RUN_COLUMNS} from run{where.format('trial')} order by trial, number"
        select = f"select {rows.TRIAL_COLUMNS} from trial{where.format('number')} order by number"
        with self._transaction(read=True):
            groups = groupby(self._db.execute(select_runs, key).fetchall(), key=lambda row: row[0])
            runs: dict[int, tuple[Run, ...]] = {
                trial: tuple(rows.run_of(row) for row in group) for trial, group in groups
            }
            return [rows.trial_of(row, runs[row[0]]) for row in self._db.execute(select, key)]

    def points(self, *, metric: str) -> list[Point]:
        """Return the points of one metric, those of each trial in the order of its log."""
        select = f"select {rows.POINT_COLUMNS} from point where metric = ? order by id"
        with understood(self._path):
            return [rows.point_of(row) for row in self._db.execute(select, (metric,))]

    def edits(self) -> list[tuple[float, str]]:
        """Return when the spec was changed, and what of it, oldest first."""
        with understood(self._path):
            return self._db.execute("select at, what from edit order by rowid").fetchall()

    def sessions(self) -> list[tuple[float, float]]:
        """Return from when to when the job was run, as far as that is known, oldest first."""
        with understood(self._path):
            return self._db.execute("select started, seen from session order by id").fetchall()

    def elapsed(self, now: float | None = None) -> float:
        """Return for how many seconds the job was run, by all sessions; the last one up to `now` if given."""
        spans = self.sessions()
        if now is not None and spans:
            spans[-1] = (spans[-1][0], now)
        return sum(max(0.0, seen - started) for started, seen in spans)

    # -- transactions

    @contextmanager
    def _transaction(self, *, read: bool = False, forced: bool = True) -> Iterator[None]:
        with understood(self._path):
            if forced is not self._forced and not read:
                self._db.execute(f"pragma synchronous = {'full' if forced else 'normal'}")
                self._forced = forced
            self._db.execute("begin" if read else "begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

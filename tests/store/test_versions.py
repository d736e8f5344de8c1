"""Databases of earlier and later versions, and what is none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hpo.core.apply import Change
from hpo.core.job import Job, JobStatus
from hpo.core.trial import Run, RunState, Trial
from hpo.core.usage import Usage
from hpo.errors import StoreError
from hpo.store.sqlite import Store
from tests.store.new_store import RECORD, SETTINGS, change, new_store


def older_store(path: Path) -> Path:
    """Make the database of a job that an earlier version had begun."""
    db = sqlite3.connect(path)
    db.executescript(Path(__file__).with_name("version-1.sql").read_text(encoding="utf-8"))
    db.close()
    return path


@pytest.mark.parametrize("take", [Store.open, Store.look])
def test_a_database_of_an_earlier_version_is_brought_up_to_date(
    tmp_path: Path, take: Callable[[Path], Store]
) -> None:
    store = take(older_store(tmp_path / "job.db"))
    assert store.record() == RECORD
    ended, queued = store.trials()
    assert [(run.state, run.progress.latest, run.usage) for run in ended.runs] == [
        (RunState.LOST, {"f1": 0.5}, None),
        (RunState.SUCCEEDED, {"f1": 0.7}, None),
    ]
    assert [(run.repeat, run.value) for run in ended.runs] == [(1, None)] * 2
    assert (ended.value, dict(queued.params), queued.run.waiting) == (
        0.7,
        {"lr": 0.2, "depth": 1, "kind": None},
        "no GPU is free",
    )
    assert [point.value for point in store.points(metric="f1")] == [0.5, 0.6, 0.7]
    assert store.record().settings.repeats.count == 1
    used = replace(ended.run, usage=Usage("ml.m5.large", billable_seconds=60.0, price=0.115, is_spot=True))
    store.commit([change(replace(ended, runs=(ended.runs[0], used)))], at=20.0)
    store.close()
    assert Store.open(tmp_path / "job.db").trials(1)[0].run == used


def test_a_database_of_an_earlier_version_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    older_store(tmp_path / "job.db")
    with pytest.raises(StoreError, match="older hpo and cannot be brought up to date"):
        Store(tmp_path / "job.db", immutable=True)


@pytest.mark.parametrize("take", [Store.open, Store.look])
def test_a_newer_database_is_refused(tmp_path: Path, take: Callable[[Path], Store]) -> None:
    new_store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "job.db")
    db.execute("alter table job add column later text")
    db.execute("pragma user_version = 999")
    db.close()
    with pytest.raises(StoreError, match="newer hpo"):
        take(tmp_path / "job.db")


def test_a_database_that_cannot_be_written_is_looked_at_if_it_is_of_this_version(tmp_path: Path) -> None:
    path = tmp_path / "job.db"
    new_store(tmp_path).close()
    looked = Store(path, immutable=True)
    assert looked.record() == RECORD
    looked.close()
    for version, words in ((999, "newer hpo; upgrade"), (0, "older hpo and cannot be brought up to date")):
        db = sqlite3.connect(path)
        db.execute(f"pragma user_version = {version}")
        db.close()
        with pytest.raises(StoreError, match=words):
            Store(path, immutable=True)


def test_a_column_more_is_no_hindrance(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    db = sqlite3.connect(tmp_path / "job.db")
    db.execute("alter table job add column later text")
    db.close()
    assert store.record() == RECORD


def test_only_new_trials_and_the_jobs_end_are_forced_to_the_disk(tmp_path: Path) -> None:
    store = new_store(tmp_path)

    def is_forced(*changes: Change) -> bool:
        store.commit(changes, at=1.0)
        return bool(store._db.execute("pragma synchronous").fetchone() == (2,))

    queued = Trial(1, {}, "", runs=(Run(1, waiting="no GPU is free"),))
    assert is_forced(change(Trial(1, {}, "")))
    assert not is_forced(change(queued))
    assert not is_forced(change(replace(queued, runs=(Run(1, RunState.LOST), Run(2)))))
    assert is_forced(change(Trial(2, {}, "")))
    assert is_forced(change(job=Job(SETTINGS, JobStatus.COMPLETED)))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Store.open(tmp_path / "job.db")


def test_a_missing_database_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing"):
        Store.open(tmp_path / "job.db")
    assert not (tmp_path / "job.db").exists()

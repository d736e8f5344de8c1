"""Stores for tests."""

from __future__ import annotations

from pathlib import Path

from hpo.core.apply import Change
from hpo.core.job import Job
from hpo.core.settings import Goal, Objective, Settings, Take
from hpo.core.trial import Point, Trial
from hpo.store.sqlite import JobRecord, Store

SETTINGS = Settings("digits", Objective("f1", Goal.MAXIMIZE, Take.BEST, "epoch"), 10, 4, 60.5, target=0.9)
RECORD = JobRecord(SETTINGS, "random", "process", 7, "abc", "/base", created=1.5)


def new_store(folder: Path) -> Store:
    return Store.create(folder / "job.db", RECORD)


def change(*trials: Trial, points: tuple[Point, ...] = (), job: Job | None = None) -> Change:
    return Change(job or Job(SETTINGS), trials, points)

"""What a job began with, in its database: the parents as they were read once."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict

from hpo.core.prior import NO_PRIOR, ParentReport, PastTrial, Prior, PriorTrial, WarmStart

_TRIAL = "parent, scale, job, number, params, value, mapped"


def write_prior(db: sqlite3.Connection, prior: Prior) -> None:
    """Write down what a new job begins with; once, as it never changes."""
    if prior.type is None:
        return
    db.executemany(
        "insert into parent (position, name, type, report) values (?, ?, ?, ?)",
        [
            (position, report.parent, prior.type.value, json.dumps(asdict(report), ensure_ascii=False))
            for position, report in enumerate(prior.reports)
        ],
    )
    db.executemany(
        f"insert into prior_trial ({_TRIAL}) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                trial.parent,
                trial.scale,
                trial.past.job,
                trial.past.number,
                json.dumps(dict(trial.past.params), ensure_ascii=False),
                trial.past.value,
                None if trial.params is None else json.dumps(dict(trial.params), ensure_ascii=False),
            )
            for trial in prior.trials
        ],
    )


def read_prior(db: sqlite3.Connection) -> Prior:
    """Return what the job began with."""
    parents = db.execute("select type, report from parent order by position").fetchall()
    if not parents:
        return NO_PRIOR
    rows = db.execute(f"select {_TRIAL} from prior_trial order by id")
    return Prior(
        type=WarmStart(parents[0][0]),
        reports=tuple(_report(text) for _, text in parents),
        trials=tuple(
            PriorTrial(
                parent=parent,
                scale=scale,
                past=PastTrial(job, number, json.loads(params), value),
                params=None if mapped is None else json.loads(mapped),
            )
            for parent, scale, job, number, params, value, mapped in rows
        ),
    )


def _report(text: str) -> ParentReport:
    fields = json.loads(text)
    names = {key: tuple(fields.get(key, ())) for key in ("ignored", "fixed")}
    return ParentReport(**{**fields, **names})

"""What a job began with, in its database: the parents as they were read once."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from dataclasses import asdict

from hpo.core.prior import ParentReport, PastTrial, Prior, Priors, PriorTrial, WarmStart

_TRIAL = "parent, scale, job, number, params, value, mapped, beyond, others"


def write_priors(db: sqlite3.Connection, priors: Priors) -> None:
    """Write down what a new job begins with; once, as it never changes."""
    first = 0
    for algorithm, prior in priors.items():
        if prior.type is not None:
            _write(db, algorithm, prior, prior.type, first=first)
            first += len(prior.reports)


def _write(
    db: sqlite3.Connection, algorithm: str | None, prior: Prior, kind: WarmStart, *, first: int
) -> None:
    """Write down what one algorithm begins with; `first` is the position of its first parent."""
    db.executemany(
        "insert into parent (position, name, type, report, algorithm) values (?, ?, ?, ?, ?)",
        [
            (
                position,
                report.parent,
                kind.value,
                json.dumps(asdict(report), ensure_ascii=False),
                algorithm,
            )
            for position, report in enumerate(prior.reports, first)
        ],
    )
    db.executemany(
        f"insert into prior_trial ({_TRIAL}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                first + trial.parent,
                trial.scale,
                trial.past.job,
                trial.past.number,
                json.dumps(dict(trial.past.params), ensure_ascii=False),
                trial.past.value,
                None if trial.params is None else json.dumps(dict(trial.params), ensure_ascii=False),
                trial.beyond,
                json.dumps(trial.past.others),
            )
            for trial in prior.trials
        ],
    )


def read_priors(db: sqlite3.Connection) -> dict[str | None, Prior]:
    """Return what the job began with."""
    reports: defaultdict[str | None, list[ParentReport]] = defaultdict(list)
    kinds: dict[str | None, WarmStart] = {}
    places: dict[int, tuple[str | None, int]] = {}
    for position, kind, report, algorithm in db.execute(
        "select position, type, report, algorithm from parent order by position"
    ):
        kinds[algorithm] = WarmStart(kind)
        places[position] = algorithm, len(reports[algorithm])
        reports[algorithm].append(_report(report))
    trials: defaultdict[str | None, list[PriorTrial]] = defaultdict(list)
    for position, scale, job, number, params, value, mapped, beyond, others in db.execute(
        f"select {_TRIAL} from prior_trial order by id"
    ):
        algorithm, parent = places[position]
        past = PastTrial(job, number, json.loads(params), value, tuple(json.loads(others)))
        known = None if mapped is None else json.loads(mapped)
        trials[algorithm].append(PriorTrial(parent, scale, past, known, bool(beyond)))
    return {
        algorithm: Prior(kind, tuple(reports[algorithm]), tuple(trials[algorithm]))
        for algorithm, kind in kinds.items()
    }


def _report(text: str) -> ParentReport:
    fields = json.loads(text)
    names = {key: tuple(fields.get(key, ())) for key in ("ignored", "fixed")}
    return ParentReport(**{**fields, **names})

"""Core values to rows of the database and back, and the statements that write them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any

from hpo.core.repeats import ONE_RUN, Repeats, Score
from hpo.core.settings import Goal, Objective, Required, Running, Settings, Take
from hpo.core.trial import JobHandle, Point, Progress, Reason, Run, RunState, Trial, TrialStatus
from hpo.core.usage import Usage
from hpo.core.verdict import Verdict

Row = tuple[Any, ...]

JOB_COLUMNS = (
    "name, settings, strategy, launcher, seed, digest, base, status, end_reason, end_detail, created, ended"
)
TRIAL_COLUMNS = (
    "number, params, proposed_by, memo, status, reason, detail, value, created, ended, place, verdict, "
    "others, violation, algorithm"
)
RUN_COLUMNS = (
    "trial, number, state, launcher, handle, cursor, progress, waiting, not_before, "
    "started, ended, stop_sent, stopped_at_once, reason, detail, usage, repeat, value"
)
POINT_COLUMNS = "trial, run, metric, step, value, at"

_DECODER = json.JSONDecoder()


def marks(columns: str) -> str:
    """Return the placeholders for a list of columns."""
    return ", ".join("?" * len(columns.split(",")))


def trial_row(trial: Trial) -> Row:
    """Return a trial without its runs as a row of TRIAL_COLUMNS."""
    return (
        trial.number,
        json.dumps(dict(trial.params), ensure_ascii=False),
        trial.proposed_by,
        trial.memo,
        trial.status.value,
        trial.reason.value if trial.reason else None,
        trial.detail,
        trial.value,
        trial.created,
        trial.ended,
        trial.place,
        json.dumps(asdict(trial.verdict)) if trial.verdict is not None else None,
        json.dumps(trial.others) if trial.others else None,
        trial.violation,
        trial.algorithm,
    )


def run_row(trial: int, run: Run) -> Row:
    """Return a run as a row of RUN_COLUMNS."""
    return (
        trial,
        run.number,
        run.state.value,
        run.handle.launcher if run.handle else None,
        run.handle.id if run.handle else None,
        run.cursor,
        _progress_text(run.progress),
        run.waiting,
        run.not_before,
        run.started,
        run.ended,
        run.stop_sent,
        int(run.stopped_at_once),
        run.reason.value if run.reason else None,
        run.detail,
        json.dumps(asdict(run.usage)) if run.usage is not None else None,
        run.repeat,
        run.value,
    )


def point_row(point: Point) -> Row:
    """Return a point as a row of POINT_COLUMNS; NaN becomes null, as SQLite has none."""
    return (point.trial, point.run, point.metric, point.step, point.value, point.at)


def trial_of(row: Row, runs: tuple[Run, ...]) -> Trial:
    """Return the trial of a row of TRIAL_COLUMNS, with its runs."""
    number, params, proposed_by, memo, status, reason, detail, value = row[:8]
    created, ended, place, verdict, others, violation, algorithm = row[8:]
    return Trial(
        number=number,
        params=_read(params),
        proposed_by=proposed_by,
        status=TrialStatus(status),
        reason=Reason(reason) if reason else None,
        detail=detail,
        value=value,
        runs=runs if algorithm is None else tuple(_with_algorithm(run, algorithm) for run in runs),
        memo=memo,
        created=created,
        ended=ended,
        place=place,
        verdict=Verdict(**_read(verdict)) if verdict is not None else None,
        others=tuple(_read(others)) if others is not None else (),
        violation=violation,
        algorithm=algorithm,
    )


def _with_algorithm(run: Run, algorithm: str) -> Run:
    handle = replace(run.handle, algorithm=algorithm) if run.handle is not None else None
    return replace(run, handle=handle)


def run_of(row: Row) -> Run:
    """Return the run of a row of RUN_COLUMNS."""
    (_, number, state, launcher, handle, cursor, progress, waiting, not_before) = row[:9]
    (started, ended, stop_sent, stopped_at_once, reason, detail, usage, repeat, value) = row[9:]
    return Run(
        number=number,
        repeat=repeat,
        state=RunState(state),
        handle=JobHandle(launcher, handle) if launcher is not None else None,
        cursor=cursor,
        progress=_progress_of(progress),
        waiting=waiting,
        not_before=not_before,
        started=started,
        ended=ended,
        stop_sent=stop_sent,
        stopped_at_once=bool(stopped_at_once),
        reason=Reason(reason) if reason else None,
        detail=detail,
        usage=Usage(**_read(usage)) if usage is not None else None,
        value=value,
    )


def point_of(row: Row) -> Point:
    """Return the point of a row of POINT_COLUMNS."""
    trial, run, metric, step, value, at = row
    return Point(trial, run, metric, step, math.nan if value is None else value, at)


def settings_text(settings: Settings) -> str:
    """Return a job's settings as JSON."""
    return json.dumps(asdict(settings))


def settings_of(text: str) -> Settings:
    """Return the settings that `settings_text` wrote."""
    fields = json.loads(text)
    objective, running = fields.pop("objective"), fields.pop("running", Running.STOP)
    repeats = fields.pop("repeats", None)
    others, require = fields.pop("others", ()), fields.pop("require", ())
    algorithms = fields.pop("algorithms", ())
    return Settings(
        objective=_objective_of(objective),
        running=Running(running),
        repeats=_repeats_of(repeats) if repeats is not None else ONE_RUN,
        others=tuple(map(_objective_of, others)),
        require=tuple(Required(each["text"], tuple(each["metrics"])) for each in require),
        algorithms=tuple(algorithms),
        **fields,
    )


def _repeats_of(fields: dict[str, Any]) -> Repeats:
    return Repeats(fields["seed_name"], tuple(fields["seeds"]), Score(fields["score"]))


def _objective_of(fields: Any) -> Objective:
    return Objective(
        metric=fields["metric"],
        goal=Goal(fields["goal"]),
        take=Take(fields["take"]),
        step=fields["step"],
    )


def _read(text: str) -> Any:
    """Return what was written as JSON, in half of json.loads's time, as no white space is looked for."""
    return _DECODER.raw_decode(text)[0]


_NOTHING_YET = Progress()


def _progress_text(progress: Progress) -> str:
    if progress == _NOTHING_YET:
        return ""
    others = [dict(progress.others)] if progress.others else []
    return json.dumps([dict(progress.counts), dict(progress.latest), progress.best, *others])


def _progress_of(text: str) -> Progress:
    if not text:
        return _NOTHING_YET
    counts, latest, best, *others = _read(text)
    return Progress(counts, latest, best, *others)


def _upsert(table: str, columns: str, key: int) -> str:
    names = columns.split(", ")
    updates = ", ".join(f"{name} = excluded.{name}" for name in names[key:])
    keys = ", ".join(names[:key])
    return (
        f"insert into {table} ({columns}) values ({marks(columns)}) "
        f"on conflict ({keys}) do update set {updates}"
    )


UPSERT_TRIAL = _upsert("trial", TRIAL_COLUMNS, 1)
UPSERT_RUN = _upsert("run", RUN_COLUMNS, 2)
INSERT_POINT = f"insert into point ({POINT_COLUMNS}) values ({marks(POINT_COLUMNS)})"

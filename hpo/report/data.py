"""What a job has found, in the shapes that the command line prints as JSON."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from hpo.core.job import JobStatus
from hpo.core.prior import Priors
from hpo.core.settings import Settings
from hpo.core.trial import Trial
from hpo.errors import TrialNotFound
from hpo.report.algorithms import AlgorithmData, algorithms_data
from hpo.report.best import BestData, best_of
from hpo.report.counts import Counts, chosen_by, counts_of
from hpo.report.feasibility import (
    RequireData,
    ViolationData,
    feasible,
    require_data,
    unread_metrics,
    values_data,
    violations_data,
)
from hpo.report.front import FrontData, front_data
from hpo.report.money import (
    CostData,
    WarmPoolData,
    billable_seconds_of,
    cost_data,
    cost_of,
    interruptions,
    machine_of,
    warm_pool_data,
)
from hpo.report.remaining import remaining_seconds
from hpo.report.repeats import (
    RepeatData,
    RepeatsData,
    idle_repeats,
    metrics_of,
    repeats_data,
    repeats_of,
    seconds,
)
from hpo.report.saved import SavedData, idle_early_stopping, saved_by_early_stopping
from hpo.report.warm_start import ParentData, warm_start_data
from hpo.spec.space import Scalar
from hpo.store.home import DATABASE
from hpo.store.lease import is_held
from hpo.store.sqlite import JobRecord, Store


class WaitingData(TypedDict):
    """What a trial waits for: to be launched, or to be followed again."""

    trial: int
    reason: str


class EditData(TypedDict):
    """A change to the spec of a job that had begun."""

    at: str
    what: str


class StatusData(TypedDict):
    """A job at a glance; durations in seconds. `interruptions` are of spot machines.

    `repeats` is null where each trial is a single run.
    """

    job: str
    status: str
    reason: str | None
    strategy: str
    seed: int
    counts: Counts
    chosen_by: dict[str, int]
    max_jobs: int
    best: BestData | None
    algorithms: list[AlgorithmData]
    elapsed_seconds: float
    remaining_seconds: float | None
    waiting: list[WaitingData]
    edits: list[EditData]
    cost: CostData | None
    saved_by_early_stopping: SavedData | None
    warnings: list[str]
    warm_pools: WarmPoolData | None
    interruptions: int
    warm_start: list[ParentData]
    require: RequireData | None
    front: FrontData | None
    repeats: RepeatsData | None


class TrialData(TypedDict):
    """One trial; times are ISO 8601 in UTC, `seconds` is the span of its last run.

    `detail` says in words what `reason` is a word for; `attempts` counts the runs that were
    launched; `waiting` is why one is not, or cannot be followed. `cost`, `billable_seconds` and
    `interruptions` are of all its runs. `algorithm` is null where the job has not several, `values` and
    `on_front` for one objective, `feasible` where nothing is required or the trial has not completed. With
    repeats `value`, `values` and `metrics` are their score, `seconds` is of all of them, and `attempts`
    counts no repeat twice; `spread` is the standard deviation of `value`.
    """

    trial: int
    algorithm: str | None
    status: str
    reason: str | None
    detail: str | None
    value: float | None
    parameters: dict[str, Scalar]
    metrics: dict[str, float | None]
    started: str | None
    ended: str | None
    seconds: float | None
    attempts: int
    waiting: str | None
    launcher_id: str | None
    proposed_by: str
    cost: float | None
    machine: str | None
    billable_seconds: float | None
    interruptions: int
    values: dict[str, float | None] | None
    on_front: bool | None
    feasible: bool | None
    violations: list[ViolationData]
    spread: float | None
    standard_error: float | None
    repeats: list[RepeatData]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it is in its store at one moment."""

    folder: Path
    record: JobRecord
    status: str
    trials: tuple[Trial, ...]
    elapsed: float
    edits: tuple[tuple[float, str], ...] = ()  # when, and what
    priors: Priors = field(default_factory=dict)  # what it began with
    sessions: tuple[float, ...] = ()  # when each began

    @property
    def name(self) -> str:
        """The job's name: that of its folder, so that a copied folder is a job of its own."""
        return self.folder.name


def view(folder: Path, *, now: float) -> JobView:
    """Read a job's store; a job that says it runs while nobody runs it is `interrupted`."""
    running = is_held(folder)
    with closing(Store.look(folder / DATABASE)) as store:
        record = store.record()
        return JobView(
            folder=folder,
            record=record,
            status=_status(record, running=running),
            trials=tuple(store.trials()),
            elapsed=store.elapsed(now if running else None),
            edits=tuple(store.edits()),
            priors=store.priors(),
            sessions=tuple(began for began, _ in store.sessions()),
        )


def job_status(folder: Path) -> str:
    """Return a job's status as `view` gives it, without reading its trials."""
    running = is_held(folder)
    with closing(Store.look(folder / DATABASE)) as store:
        return _status(store.record(), running=running)


def _status(record: JobRecord, *, running: bool) -> str:
    alone = record.status is JobStatus.RUNNING and not running
    return "interrupted" if alone else record.status.value


def status_data(job: JobView, *, now: float) -> StatusData:
    """Return a job at a glance."""
    settings = job.record.settings
    best = best_of(job)
    return StatusData(
        job=job.name,
        status=job.status,
        reason=job.record.end_detail or None,
        strategy=job.record.strategy,
        seed=job.record.seed,
        counts=counts_of(job.trials),
        chosen_by=chosen_by(job.trials),
        max_jobs=settings.max_jobs,
        best=best[0] if best else None,
        algorithms=algorithms_data(job),
        elapsed_seconds=round(job.elapsed, 3),
        remaining_seconds=remaining_seconds(settings, job.trials, now) if job.status == "running" else None,
        waiting=[
            WaitingData(trial=trial.number, reason=trial.run.waiting)
            for trial in job.trials
            if trial.run.waiting and job.status == "running"
        ],
        edits=[EditData(at=timestamp(at) or "", what=what) for at, what in job.edits],
        cost=cost_data(job.trials),
        saved_by_early_stopping=saved_by_early_stopping(settings, job.trials),
        warnings=[
            *(warning for of in (idle_early_stopping, idle_repeats) if (warning := of(settings, job.trials))),
            *unread_metrics(settings, job.trials),
        ],
        warm_pools=warm_pool_data(job.trials),
        interruptions=interruptions(job.trials),
        warm_start=warm_start_data(job.priors),
        require=require_data(settings, job.trials),
        front=front_data(job),
        repeats=repeats_data(settings, job.trials),
    )


def trial_data(trial: Trial, settings: Settings, front: Collection[int] | None = None) -> TrialData:
    """Return one trial as data; `front` are the trials on the front, None where they are not at hand."""
    return TrialData(
        trial=trial.number,
        algorithm=trial.algorithm,
        status=trial.status.value,
        reason=trial.reason.value if trial.reason else None,
        detail=trial.detail or None,
        value=trial.value,
        parameters=dict(trial.params),
        metrics=metrics_of(settings, trial),
        started=timestamp(trial.started),
        ended=timestamp(trial.ended),
        seconds=seconds(trial),
        attempts=trial.attempts,
        waiting=trial.run.waiting or None,
        launcher_id=trial.run.handle.id if trial.run.handle else None,
        proposed_by=trial.proposed_by,
        cost=cost_of(trial),
        machine=machine_of(trial),
        billable_seconds=billable_seconds_of(trial),
        interruptions=interruptions([trial]),
        values=values_data(settings, trial) if settings.others else None,
        on_front=trial.number in front if settings.others and front is not None else None,
        feasible=feasible(settings, trial),
        violations=violations_data(settings, trial),
        spread=trial.spread,
        standard_error=trial.standard_error,
        repeats=repeats_of(settings, trial),
    )


def trial_of(folder: Path, number: int) -> Trial:
    """Read one trial from a job's store, without the others. Raises TrialNotFound."""
    with closing(Store.look(folder / DATABASE)) as store:
        for trial in store.trials(number):
            return trial
        count = len(store.trials())
    known = f"its trials are 1 to {count}" if count else "it has none yet"
    raise TrialNotFound(f"job {folder.name} has no trial {number}; {known}")


def timestamp(moment: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

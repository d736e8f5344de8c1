"""Jobs made of specs, and taken up to be run."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from enum import Enum
from pathlib import Path

from hpo.core.criteria import fulfilled
from hpo.core.history import History
from hpo.core.job import Ending, Job, assemble, reopened
from hpo.core.settings import Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.errors import UsageError
from hpo.launchers.launcher import Launcher
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.clock import WallClock
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer
from hpo.search.strategy import Strategy
from hpo.store.home import DATABASE, SPEC, job_folder, new_job
from hpo.store.lease import Lease
from hpo.store.sqlite import JobRecord, Store
from hpo.wiring.prepared import CHANGEABLE, Prepared, prepare


def create(prepared: Prepared) -> Path:
    """Make a new job of a spec, and return its folder. Raises JobExists."""
    spec = prepared.spec
    with new_job(spec.name) as draft:
        (draft / SPEC).write_text(prepared.text, encoding="utf-8")
        record = JobRecord(
            settings=prepared.settings(spec.name),
            strategy=spec.strategy.name,
            launcher=spec.launcher.kind,
            seed=secrets.randbits(31) if spec.seed is None else spec.seed,
            digest=prepared.digest,
            base=str(prepared.base),
            created=time.time(),
        )
        Store.create(draft / DATABASE, record).close()
    return job_folder(spec.name)


def refuse_another(folder: Path, prepared: Prepared) -> None:
    """Raise UsageError, with the ways on, where a job's spec is another than this one, limits included."""
    name = folder.name
    store = Store.look(folder / DATABASE)
    try:
        record = store.record()
    finally:
        store.close()
    if record.digest != prepared.digest:
        raise UsageError(
            f"job {name} began with another spec than this one; start another job with --name OTHER, or "
            f"remove that one: `hpo delete {name}`"
        )
    if changes := _changes(record.settings, prepared.settings(record.settings.job)):
        options = " ".join(f"--set {key}={value}" for key, value in changes.items())
        raise UsageError(
            f"job {name} has other limits than this spec; go on with its own: `hpo resume {name}`, or with "
            f"these: `hpo resume {name} {options}`; or start another job with --name OTHER"
        )


def _changes(settings: Settings, wanted: Settings) -> dict[str, str]:
    """Return what of the changeable sections differs: each wanted value, as `--set` takes it, by its key."""
    sections = {"target": "stop_when", "not_improving_for": "stop_when", "attempts": "retry"}
    return {
        f"{sections.get(field.name, 'limits')}.{field.name}": "null" if value is None else repr(value)
        for field in fields(Settings)
        if field.name != "worst_cost"
        and (value := getattr(wanted, field.name)) != getattr(settings, field.name)
    }


class Reopen(Enum):
    """Which ended trials get another run when a job goes on."""

    NONE = frozenset[TrialStatus]()
    CANCELLED = frozenset({TrialStatus.CANCELLED})
    FAILED = frozenset({TrialStatus.CANCELLED, TrialStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Session:
    """A job under this process's lease, ready to be run."""

    folder: Path
    prepared: Prepared
    record: JobRecord
    scheduler: Scheduler
    strategy: Strategy
    launcher: Launcher
    elapsed: float  # seconds in earlier sessions
    over: Ending | None  # why nothing will be run, where the job has reached its goal or a limit already

    async def run(self) -> Job:
        """Run the job until it is done, or left."""
        threading.Thread(target=self.strategy.prepare, daemon=True).start()  # while the first trials run
        try:
            return await self.scheduler.run()
        finally:
            await self.launcher.close()


@contextmanager
def session(
    folder: Path,
    *,
    prepared: Prepared | None = None,
    reopen: Reopen = Reopen.NONE,
    overrides: Sequence[str] = (),
) -> Iterator[Session]:
    """Take up a job, new or begun, for as long as the block lasts.

    `prepared` is the job's own spec where it is at hand; else it is read again, and `overrides` may change
    its limits. A job that has reached its goal, or a limit, reopens nothing. Raises JobBusy where another
    process runs it.
    """
    with Lease(folder, folder.name):
        store = Store.open(folder / DATABASE)
        try:
            record = store.record()
            if prepared is None:
                prepared = _prepare_again(folder, record, overrides)
            prepared = replace(prepared, base=Path(record.base))
            record = _edited(store, folder, record, prepared, overrides)
            now, elapsed = time.time(), store.elapsed()
            limit = record.settings.max_runtime
            deadline = now + max(0.0, limit - elapsed) if limit is not None else None
            taken_up = _taken_up(store, record, reopen, now=now, deadline=deadline)
            store.begin_session(pid=os.getpid(), at=now)
            yield _assembled(folder, prepared, record, store, taken_up, elapsed)
            store.end_session(at=time.time())
        finally:
            store.close()


@dataclass(frozen=True, slots=True)
class _TakenUp:
    """A job as a session begins with it."""

    job: Job
    trials: list[Trial]
    over: Ending | None


def _taken_up(
    store: Store, record: JobRecord, reopen: Reopen, *, now: float, deadline: float | None
) -> _TakenUp:
    """Put a job together, with another run for the ended trials that are to have one."""
    trials = store.trials()
    again = {trial.number: reopened(trial) for trial in trials if trial.status in reopen.value}
    with_again = [again.get(trial.number, trial) for trial in trials]
    job = assemble(record.settings, with_again, deadline=deadline)
    over = fulfilled(job, now)
    if over is not None:
        return _TakenUp(assemble(record.settings, trials, deadline=deadline), trials, over)
    store.reopen(again.values())
    return _TakenUp(job, with_again, None)


def _assembled(
    folder: Path, prepared: Prepared, record: JobRecord, store: Store, taken_up: _TakenUp, elapsed: float
) -> Session:
    settings, trials = record.settings, taken_up.trials
    strategy = prepared.strategy(record.seed)
    launcher = prepared.launcher(settings.job, folder)
    points = store.points(metric=settings.objective.metric) if trials else []
    clock = WallClock()
    parts = Parts(
        store=store,
        history=History.of(settings.objective, trials, points),
        strategy=strategy,
        launcher=launcher,
        performer=Performer(
            launcher,
            scanner=compile_metrics(prepared.spec.metrics),
            objective=settings.objective.metric,
            advise=prepared.advise,
            clock=clock,
        ),
        clock=clock,
    )
    scheduler = Scheduler(taken_up.job, parts)
    return Session(folder, prepared, record, scheduler, strategy, launcher, elapsed, taken_up.over)


def remove_runs(folder: Path) -> None:
    """Remove what a job's runs have left outside of its folder. Raises HpoError."""
    store = Store.look(folder / DATABASE)
    try:
        base = Path(store.record().base)
    finally:
        store.close()
    prepare([folder / SPEC], base=base, check_launch=False).remove_runs(folder.name, folder)


def _prepare_again(folder: Path, record: JobRecord, overrides: Sequence[str]) -> Prepared:
    """Read a job's own spec, with overrides of what may still change."""
    for override in overrides:
        if override.partition("=")[0].partition(".")[0].strip() not in CHANGEABLE:
            raise UsageError(
                f"--set {override}: of a job that has begun only {', '.join(CHANGEABLE)} may change; "
                "start another one with `hpo run`"
            )
    prepared = prepare([folder / SPEC], overrides=overrides, base=Path(record.base), check_launch=False)
    if prepared.digest != record.digest:
        raise UsageError(
            f"{folder / SPEC} is not the spec that the job began with: only {', '.join(CHANGEABLE)} "
            "may change; undo the edit, or start another job with `hpo run`"
        )
    return prepared


def _worst_cost(prepared: Prepared) -> float | None:
    try:
        return prepared.with_cost().worst_cost
    except UsageError as error:
        raise UsageError(f"`limits.max_cost`: {error}") from None


def _edited(
    store: Store, folder: Path, record: JobRecord, prepared: Prepared, overrides: Sequence[str]
) -> JobRecord:
    """Take over changed limits, and write them down; they may also change what a run can cost.

    Raises UsageError where `limits.max_cost` cannot be kept to.
    """
    settings = replace(prepared.settings(folder.name), worst_cost=record.settings.worst_cost)
    if settings != record.settings:
        settings = replace(settings, worst_cost=_worst_cost(prepared))
    if overrides:
        draft = folder / f".{SPEC}"
        draft.write_text(prepared.text, encoding="utf-8")
        draft.replace(folder / SPEC)
    if settings != record.settings:
        record = replace(record, settings=settings)
        store.edit(record, " ".join(overrides) or "edited by hand", at=time.time())
    return record

"""Jobs made of specs, and taken up to be run."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from hpo.core.history import History
from hpo.core.job import Job, assemble, reopened
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


def is_same(folder: Path, prepared: Prepared) -> bool:
    """Tell whether a job's spec is this one, limits included."""
    store = Store.look(folder / DATABASE)
    try:
        record = store.record()
    finally:
        store.close()
    return record.digest == prepared.digest and record.settings == prepared.settings(record.settings.job)


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
    its limits. Raises JobBusy where another process runs it.
    """
    with Lease(folder, folder.name):
        store = Store.open(folder / DATABASE)
        try:
            record = store.record()
            if prepared is None:
                prepared = _prepare_again(folder, record, overrides)
            prepared = replace(prepared, base=Path(record.base))
            record = _edited(store, folder, record, prepared, overrides)
            trials = _reopened(store, reopen)
            now = time.time()
            elapsed = store.elapsed()
            store.begin_session(pid=os.getpid(), at=now)
            yield _assembled(folder, prepared, record, store, trials, elapsed)
            store.end_session(at=time.time())
        finally:
            store.close()


def _assembled(
    folder: Path, prepared: Prepared, record: JobRecord, store: Store, trials: list[Trial], elapsed: float
) -> Session:
    settings = record.settings
    limit = settings.max_runtime
    deadline = time.time() + max(0.0, limit - elapsed) if limit is not None else None
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
    job = assemble(settings, trials, deadline=deadline)
    return Session(folder, prepared, record, Scheduler(job, parts), strategy, launcher, elapsed)


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


def _edited(
    store: Store, folder: Path, record: JobRecord, prepared: Prepared, overrides: Sequence[str]
) -> JobRecord:
    """Take over changed limits, and write them down."""
    settings = prepared.settings(folder.name)
    if overrides:
        draft = folder / f".{SPEC}"
        draft.write_text(prepared.text, encoding="utf-8")
        draft.replace(folder / SPEC)
    if settings != record.settings:
        record = replace(record, settings=settings)
        store.edit(record, " ".join(overrides) or "edited by hand", at=time.time())
    return record


def _reopened(store: Store, reopen: Reopen) -> list[Trial]:
    """Return all trials of a job, those to be run again with a new run."""
    trials = store.trials()
    again = {trial.number: reopened(trial) for trial in trials if trial.status in reopen.value}
    store.reopen(again.values())
    return [again.get(trial.number, trial) for trial in trials]

"""Jobs made of specs, and taken up to be run."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from hpo.core.criteria import fulfilled
from hpo.core.history import History
from hpo.core.job import Ending, Job, assemble, reopened
from hpo.core.trial import Trial, TrialStatus
from hpo.errors import DiskFull, UsageError
from hpo.launchers.launcher import Launcher
from hpo.metrics.scan import compile_metrics
from hpo.scheduler.clock import WallClock
from hpo.scheduler.loop import Parts, Scheduler
from hpo.scheduler.perform import Performer, Reader
from hpo.search.strategy import Strategy
from hpo.spec.models import Spec
from hpo.store.edits import EditLog
from hpo.store.home import DATABASE, SPEC, job_folder, new_job
from hpo.store.lease import Lease
from hpo.store.sqlite import JobRecord, Store
from hpo.wiring.edits import JobEditor, changed, changes
from hpo.wiring.prepared import Prepared, prepare


def create(prepared: Prepared) -> Path:
    """Make a new job of a spec, and return its folder. Raises JobExists, DiskFull."""
    spec = prepared.spec
    try:
        _make(prepared)
    except DiskFull as error:
        place = job_folder(spec.name).parent
        raise DiskFull(
            f"no space is left on the disk that holds {place}, and nothing was started; free some space first"
        ) from error
    return job_folder(spec.name)


def _make(prepared: Prepared) -> None:
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
        Store.create(draft / DATABASE, record, prepared.priors).close()


def has_begun(spec: Spec) -> bool:
    """Tell whether there is a job of the spec's name."""
    return (job_folder(spec.name) / DATABASE).exists()


def refuse_another(folder: Path, prepared: Prepared) -> None:
    """Raise UsageError, with the ways on, where a job's spec is another than this one, limits included."""
    name = folder.name
    with closing(Store.look(folder / DATABASE)) as store:
        record, is_edited = store.record(), bool(store.edits())
    if record.digest != prepared.digest:
        since = f", or was edited since: `hpo copy {name}` is its spec" if is_edited else ""
        raise UsageError(
            f"job {name} began with another spec than this one{since}; start another job with --name "
            f"OTHER, or remove that one: `hpo delete {name}`"
        )
    if differing := changes(record.settings, prepared.settings(record.settings.job)):
        options = " ".join(f"--set {key}={value}" for key, value in differing.items())
        raise UsageError(
            f"job {name} has other limits than this spec; go on with its own: `hpo resume {name}`, or with "
            f"these: `hpo resume {name} {options}`; or start another job with --name OTHER"
        )


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
    its limits and narrow its ranges. A job that has reached its goal, or a limit, reopens nothing. Raises
    JobBusy where another process runs it.
    """
    with Lease(folder, folder.name):
        store = Store.open(folder / DATABASE)
        try:
            record = store.record()
            if prepared is None:
                prepared, record = _taken_over(folder, record, overrides)
            prepared = prepared.taken_over(Path(record.base), store.priors())
            now, elapsed = time.time(), store.elapsed()
            deadline = record.settings.deadline(began=now, elapsed=elapsed)
            taken_up = _taken_up(store, record, reopen, now=now, deadline=deadline)
            store.begin_session(pid=os.getpid(), at=now)
            with closing(JobEditor(folder, prepared, record, began=now, elapsed=elapsed)) as editor:
                yield _assembled(folder, prepared, record, store, taken_up, editor)
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
    folder: Path,
    prepared: Prepared,
    record: JobRecord,
    store: Store,
    taken_up: _TakenUp,
    editor: JobEditor,
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
            readers={
                name: Reader(compile_metrics(part.spec.metrics), part.advise)
                for name, part in prepared.parts.items()
            },
            objectives=settings.metrics,
            clock=clock,
        ),
        clock=clock,
        editor=editor,
    )
    scheduler = Scheduler(taken_up.job, parts)
    return Session(folder, prepared, record, scheduler, strategy, launcher, editor.elapsed, taken_up.over)


def _taken_over(folder: Path, record: JobRecord, overrides: Sequence[str]) -> tuple[Prepared, JobRecord]:
    """Read a job's own spec again, and write down what of it has changed."""
    with EditLog(folder) as log:
        log.settle()
        change = changed(folder, record, overrides)
        if change.what:
            log.make(change.record, change.what, change.prepared.text, at=time.time())
    return change.prepared, change.record


def remove_runs(folder: Path) -> None:
    """Remove what a job's runs have left outside of its folder. Raises HpoError."""
    with closing(Store.look(folder / DATABASE)) as store:
        base = Path(store.record().base)
    prepare([folder / SPEC], base=base, check_launch=False).remove_runs(folder.name, folder)

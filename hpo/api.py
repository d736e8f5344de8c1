"""The Python interface: `hpo.load_spec`, `hpo.tune`, `hpo.best`."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hpo.errors import HpoError
from hpo.report.data import BestData, JobView, best_data, ranked, view
from hpo.scheduler.interrupts import Interrupts
from hpo.spec.space import Scalar
from hpo.store.home import DATABASE, existing_job, job_folder
from hpo.wiring.prepared import Prepared, prepare
from hpo.wiring.sessions import Reopen, create, session


@dataclass(frozen=True, slots=True)
class Best:
    """One of a job's best trials."""

    job: str
    metric: str
    goal: str
    trial: int
    value: float
    parameters: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended: `status` is completed, failed, stopped or interrupted."""

    job: str
    folder: Path
    status: str
    reason: str
    best: Best | None


def load_spec(
    spec: str | Path | Mapping[str, object], *overlays: str | Path, overrides: Sequence[str] = ()
) -> Prepared:
    """Read a spec and check all of it: a YAML file, or a mapping of the same keys.

    `overlays` are files laid over it in their order, `overrides` single values as of `--set`:
    "limits.max_jobs=5". Relative paths count from the file's folder, a mapping's from the working
    directory. Raises SpecError with every mistake.
    """
    files = [Path(path) for path in overlays]
    if not isinstance(spec, Mapping):
        return prepare([Path(spec), *files], overrides=overrides)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "spec.yaml"
        written.write_text(json.dumps(spec), encoding="utf-8")  # which is YAML, too
        return prepare([written, *files], overrides=overrides, base=Path.cwd())


def tune(spec: str | Path | Mapping[str, object] | Prepared, *, resume: bool = False) -> Result:
    """Run a tuning job to its end and return how it ended.

    `resume` goes on with the job of that name where there is one. An interrupt (Ctrl-C) stops the
    running trials and returns a result whose status is `interrupted`. Raises SpecError for mistakes
    in the spec, JobExists, JobBusy, and StoreError where the state cannot be written.
    """
    prepared = spec if isinstance(spec, Prepared) else load_spec(spec)
    folder = job_folder(prepared.spec.name)
    if not (resume and (folder / DATABASE).exists()):
        folder = create(prepared)
    _run(folder)
    job = view(folder, now=time.time())
    found = ranked(job.trials, job.record.settings.objective.goal)
    return Result(
        job=job.name,
        folder=folder,
        status=job.status,
        reason=job.record.end_detail,
        best=_best(job, 0) if found else None,
    )


def best(name: str) -> Best:
    """Return the best trial of a job, which may still be running.

    Raises JobNotFound, and HpoError where no trial has completed yet.
    """
    job = view(existing_job(name), now=time.time())
    if not ranked(job.trials, job.record.settings.objective.goal):
        raise HpoError(f"job {name} has no completed trial yet")
    return _best(job, 0)


def _best(job: JobView, place: int) -> Best:
    data: BestData = best_data(job, ranked(job.trials, job.record.settings.objective.goal)[place])
    return Best(
        job=data["job"],
        metric=data["metric"],
        goal=data["goal"],
        trial=data["trial"],
        value=data["value"],
        parameters=data["parameters"],
    )


def _run(folder: Path) -> None:
    """Run a job here, or in a thread where this one has an event loop already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _run_here(folder)
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_run_here, folder).result()


def _run_here(folder: Path) -> None:
    with session(folder, reopen=Reopen.CANCELLED) as running:
        interrupts = Interrupts(running.scheduler, leave_running=False)

        async def run() -> None:
            interrupts.install(asyncio.get_running_loop())
            await running.run()

        asyncio.run(run())

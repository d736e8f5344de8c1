"""The Python interface: `hpo.load_spec`, `hpo.tune`, `hpo.best`, `hpo.expected`, `hpo.front`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from hpo.errors import HpoError, UsageError
from hpo.report.best import BestData, best_of, refuse_several
from hpo.report.data import JobView, view
from hpo.report.feasibility import require_data
from hpo.report.front import front_of
from hpo.scheduler.interrupts import Interrupts, handled, handlers_kept
from hpo.spec.models import Spec
from hpo.spec.space import Scalar
from hpo.store.home import DATABASE, existing_job, job_folder
from hpo.wiring.expected import expected_of
from hpo.wiring.prepared import Prepared, prepare
from hpo.wiring.sessions import Reopen, create, has_begun, refuse_another, session


@dataclass(frozen=True, slots=True)
class Best:
    """One of a job's best trials."""

    job: str
    metric: str
    goal: str
    trial: int
    value: float
    parameters: Mapping[str, Scalar]
    origin: str = ""  # the job that ran it: a parent's, where an identical warm start has its best there
    spread: float | None = None  # the standard deviation of its repeats
    algorithm: str | None = None  # whose parameters they are, of several


@dataclass(frozen=True, slots=True)
class Expected:
    """A trial of which the model expects more than of the best observed, whose value is partly luck.

    `value` is what it expects of the trial, with a standard deviation, and `expected_of_best` what of the
    best observed; `observed` is what the trial gave, and `probability` that of its being better.
    """

    job: str
    trial: int
    value: float
    standard_deviation: float
    observed: float
    expected_of_best: float
    probability: float
    parameters: Mapping[str, Scalar]
    origin: str = ""  # as of a `Best`
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Compromise:
    """A trial of a Pareto front: no other one is better in one objective and as good in all others."""

    job: str
    trial: int
    values: Mapping[str, float]  # by metric
    goals: Mapping[str, str]
    parameters: Mapping[str, Scalar]
    algorithm: str | None = None  # whose parameters they are, of several
    origin: str = ""  # the job that ran it: this one, or a parent of an identical start


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended: `status` is completed, failed, stopped or interrupted.

    A job with several objectives has a `front`, the best by the first objective first, and no `best`.
    """

    job: str
    folder: Path
    status: str
    reason: str
    best: Best | None
    front: tuple[Compromise, ...] = ()

    @property
    def expected(self) -> Expected | None:
        """The trial that is expected to be better than the best observed, as `hpo.expected` has it."""
        return _expected(view(self.folder, now=time.time()))


def load_spec(
    spec: str | Path | Mapping[str, object], *overlays: str | Path, overrides: Sequence[str] = ()
) -> Prepared:
    """Read a spec and check all of it: a YAML file, or a mapping of the same keys.

    `overlays` are files laid over it in their order, `overrides` single values as of `--set`:
    "limits.max_jobs=5". Relative paths count from the file's folder, a mapping's from the working
    directory. Raises SpecError with every mistake.
    """
    return _load(spec, *overlays, overrides=overrides)


def _load(
    spec: str | Path | Mapping[str, object],
    *overlays: str | Path,
    overrides: Sequence[str] = (),
    is_begun: Callable[[Spec], bool] | None = None,
) -> Prepared:
    given = spec if isinstance(spec, Mapping) else Path(spec)
    return prepare([given, *map(Path, overlays)], overrides=overrides, is_begun=is_begun)


def tune(spec: str | Path | Mapping[str, object] | Prepared, *, resume: bool = False) -> Result:
    """Run a tuning job to its end and return how it ended.

    `resume` goes on with the job of that name where there is one, which must be this spec's. An
    interrupt (Ctrl-C) stops the running trials and returns a result whose status is `interrupted`.
    Raises SpecError for mistakes in the spec, JobExists, UsageError where a resumed job is another
    spec's, JobBusy, and StoreError where the state cannot be written.
    """
    prepared = spec if isinstance(spec, Prepared) else _load(spec, is_begun=has_begun if resume else None)
    folder = job_folder(prepared.spec.name)
    if resume and (folder / DATABASE).exists():
        refuse_another(folder, prepared)
    else:
        folder = create(prepared)
    _run(folder)
    job = view(folder, now=time.time())
    found = best_of(job)
    return Result(
        job=job.name,
        folder=folder,
        status=job.status,
        reason=job.record.end_detail,
        best=_best(found[0]) if found else None,
        front=tuple(_front(job)),
    )


def best(name: str) -> Best:
    """Return the best trial of a job, which may still be running.

    Raises JobNotFound, HpoError where no trial has completed yet, or none meets what is required, and
    UsageError for a job with several objectives.
    """
    job = view(existing_job(name), now=time.time())
    refuse_several(name, job.record.settings)
    found = best_of(job)
    if not found:
        raise HpoError(_nothing(job))
    return _best(found[0])


def expected(name: str) -> Expected | None:
    """Return the trial that the model expects to be better than the best observed; None where none is.

    That needs 8 results, noise, and a trial that is better with a probability of 0.8. Raises JobNotFound,
    HpoError where the job's spec cannot be read, and UsageError for a job with several objectives.
    """
    job = view(existing_job(name), now=time.time())
    refuse_several(name, job.record.settings)
    return _expected(job)


def front(name: str) -> list[Compromise]:
    """Return the Pareto front of a job with several objectives, the best by the first one first.

    Raises JobNotFound, HpoError where there is no result yet, and UsageError for a job with one objective.
    """
    job = view(existing_job(name), now=time.time())
    if not job.record.settings.others:
        raise UsageError(f"job {name} has one objective: its best trial is hpo.best({name!r})")
    found = list(_front(job))
    if not found:
        raise HpoError(_nothing(job))
    return found


def _nothing(job: JobView) -> str:
    required = require_data(job.record.settings, job.trials)
    if required is None or not required["completed"]:
        return f"job {job.name} has no completed trial yet"
    return f"no completed trial of job {job.name} meets its `require`"


def _front(job: JobView) -> Iterator[Compromise]:
    for data in front_of(job):
        yield Compromise(
            job=data["job"],
            trial=data["trial"],
            values=data["values"],
            goals=data["goals"],
            parameters=data["parameters"],
            algorithm=data["algorithm"],
            origin=data["origin"],
        )


def _best(data: BestData) -> Best:
    return Best(
        job=data["job"],
        metric=data["metric"],
        goal=data["goal"],
        trial=data["trial"],
        value=data["value"],
        parameters=data["parameters"],
        origin=data["origin"],
        spread=data["spread"],
        algorithm=data["algorithm"],
    )


def _expected(job: JobView) -> Expected | None:
    data = expected_of(job)
    if data is None:
        return None
    return Expected(
        job=job.name,
        trial=data["trial"],
        value=data["value"],
        standard_deviation=data["standard_deviation"],
        observed=data["observed"],
        expected_of_best=data["expected_of_best"],
        probability=data["probability"],
        parameters=data["parameters"],
        origin=data["origin"],
        algorithm=data["algorithm"],
    )


def _run(folder: Path) -> None:
    """Run a job here, or in a thread where this one has an event loop already, as in a notebook."""
    begun: Future[_Interrupt] = Future()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        with handlers_kept():
            _run_here(folder, begun)
        return

    def interrupt(number: Signals) -> None:
        begun.add_done_callback(lambda begun: begun.result()(number))  # at once, or as soon as it runs

    with ThreadPoolExecutor(1) as thread, handled(interrupt):
        thread.submit(_run_here, folder, begun).result()


_Interrupt = Callable[[Signals], None]
"""Tells a running job of a signal, from any thread."""


def _run_here(folder: Path, begun: Future[_Interrupt]) -> None:
    """Run a job, and let `begun` know how it is interrupted from another thread."""
    with session(folder, reopen=Reopen.CANCELLED) as running:
        interrupts = Interrupts(running.scheduler, leave_running=False)

        async def run() -> None:
            loop = asyncio.get_running_loop()
            interrupts.install(loop)

            def interrupt(number: Signals) -> None:
                with suppress(RuntimeError):  # the job ended just now
                    loop.call_soon_threadsafe(interrupts.interrupt, number)

            begun.set_result(interrupt)
            await running.run()

        asyncio.run(run())

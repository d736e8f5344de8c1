"""Running a job from the command line: its view, its signals, its end."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpo.cli import render
from hpo.cli.options import Gate
from hpo.cli.tables import front_table
from hpo.core.job import Ending, EndReason, Job, JobStatus
from hpo.core.trial import TrialStatus, run_place
from hpo.errors import JobBusy, UsageError
from hpo.launchers.last_words import without_lines
from hpo.report.best import BestData, best_inherited, best_of, ranked
from hpo.report.counts import counts_of, counts_text
from hpo.report.data import JobView, StatusData, job_status, status_data, view
from hpo.report.front import best_values, front_of
from hpo.store.lease import is_held

if TYPE_CHECKING:
    from hpo.core.settings import Settings
    from hpo.scheduler.interrupts import Interrupts
    from hpo.wiring.prepared import Prepared
    from hpo.wiring.sessions import Reopen

LOG_LINES = 10
"""Last lines of a failed trial's log that are shown when the job failed."""

_LIMITS = {
    EndReason.TARGET: "stop_when.target",
    EndReason.NOT_IMPROVING: "stop_when.not_improving_for",
    EndReason.CONVERGED: "stop_when.converged",
    EndReason.MAX_RUNTIME: "limits.max_runtime",
    EndReason.MAX_COST: "limits.max_cost",
    EndReason.MAX_FAILURES: "limits.max_failures",
}
"""What to change of a spec so that a job goes on which has ended for this reason."""


@dataclass(frozen=True, slots=True)
class How:
    """How a command wants its job run."""

    as_json: bool = False
    leave_running: bool = False
    gate: Gate | None = None

    def refuse_detached(self) -> None:
        """Raise UsageError where this is nothing that a job in the background can be told."""
        given = {"--json": self.as_json, "--leave-running": self.leave_running, "--fail-if": self.gate}
        for option, value in given.items():
            if value:
                raise UsageError(
                    f"{option} does not go with --detach, which returns at once; "
                    "`hpo wait NAME` takes --fail-if, `hpo status NAME` takes --json"
                )

    def refuse_unknown(self, settings: Settings) -> None:
        """Raise UsageError where the gate is about nothing that a job of these settings has."""
        if self.gate is not None:
            self.gate.refuse_unknown(settings.metrics)


def run_job(
    folder: Path,
    *,
    reopen: Reopen,
    prepared: Prepared | None = None,
    overrides: Sequence[str] = (),
    how: How = How(),
) -> int:
    """Run a job to its end, show it and how it ended, and return the exit status."""
    job, interrupts = run_shown(folder, reopen=reopen, prepared=prepared, overrides=overrides, how=how)
    return _concluded(folder, job, interrupts, how)


def run_shown(
    folder: Path,
    *,
    reopen: Reopen,
    prepared: Prepared | None = None,
    overrides: Sequence[str] = (),
    how: How = How(),
) -> tuple[Job, Interrupts]:
    """Run a job to its end and show it; return how it is then, and the signals that came."""
    from hpo.cli.streams import outlive_readers
    from hpo.cli.views import chosen_view
    from hpo.scheduler.interrupts import Interrupts
    from hpo.wiring.sessions import session

    outlive_readers()
    with session(folder, prepared=prepared, reopen=reopen, overrides=overrides) as running:
        scheduler = running.scheduler
        how.refuse_unknown(running.record.settings)
        if running.over is not None:
            _tell_over(folder.name, running.over)
        interrupts = Interrupts(scheduler, leave_running=how.leave_running)
        shown = chosen_view(
            scheduler.job,
            as_json=how.as_json,
            strategy=running.record.strategy,
            elapsed=running.elapsed,
            inherited=best_inherited(running.prepared.priors, running.record.settings),
        )
        with shown as picture:
            scheduler.listen(picture.show)

            async def run() -> Job:
                interrupts.install(asyncio.get_running_loop())
                return await running.run()

            return asyncio.run(run()), interrupts


def _tell_over(name: str, over: Ending) -> None:
    """Say that a job has reached its goal or a limit already, and how it goes on nonetheless."""
    key = _LIMITS.get(over.reason)
    way = f"; to go on, change that limit: hpo resume {name} --set {key}=VALUE" if key else ""
    click.echo(f"nothing is run again: {over.detail}{way}", err=True)


def _concluded(folder: Path, job: Job, interrupts: Interrupts, how: How) -> int:
    """Say how the job ended and what to do next; return the exit status."""
    now = time.time()
    seen = view(folder, now=now)
    data = status_data(seen, now=now)
    if how.as_json:
        from hpo.cli.views import event_line

        click.echo(event_line("end", **data))
    else:
        _tell(seen, data, job)
    if interrupts.status is not None and (job.status in {JobStatus.INTERRUPTED, JobStatus.RUNNING}):
        return interrupts.status
    return exit_status(seen, how.gate)


def exit_status(job: JobView, gate: Gate | None = None) -> int:
    """Return the exit status for a job as it stands: 0 for completed with a best trial, else 1.

    Raises GateNotMet where the best value meets the gate's condition.
    """
    best = ranked(job.trials, job.record.settings.objective.goal)
    if job.status != JobStatus.COMPLETED.value or not best:
        return 1
    if gate is not None:
        several = best_values(job)
        found = best_of(job)
        gate.check({found[0]["metric"]: found[0]["value"]} if found else several)
    return 0


def _tell(job: JobView, data: StatusData, ended: Job) -> None:
    name, record = job.name, job.record
    counts = counts_text(counts_of(job.trials))
    reason = f": {record.end_detail}" if record.end_detail else ""
    click.echo(f"\n{name} {job.status}{reason} (trials: {counts}; {render.duration(job.elapsed)})", err=True)
    for line in [*render.money_lines(data), *render.saved_lines(data)]:
        click.echo(line, err=True)
    _tell_best(job, data)
    if ended.status is JobStatus.FAILED:
        _tell_failure(job)
    for line in render.require_lines(data):
        click.echo(line, err=True)
    match ended.status:
        case JobStatus.COMPLETED:
            wanted = "--json" if data["front"] is not None else "--format args"
            click.echo(f"\nnext: hpo trials {name} --sort value   hpo best {name} {wanted}", err=True)
            kept = job.folder / "trials"
            has_models = any(kept.glob("*/run-*/ml/model"))  # a launcher may leave them elsewhere
            click.echo(f"{'logs and models' if has_models else 'logs'}: {kept}", err=True)
        case JobStatus.FAILED if not data["counts"]["failed"]:
            click.echo(f"\nnext: hpo trials {name}   hpo best {name}", err=True)
        case JobStatus.FAILED:
            click.echo(f"\nonce that is mended: hpo retry {name}", err=True)
        case JobStatus.STOPPED | JobStatus.INTERRUPTED | JobStatus.RUNNING:
            click.echo(f"\ngo on with: hpo resume {name}", err=True)


def _tell_best(job: JobView, data: StatusData) -> None:
    best = data["best"]
    if data["front"] is not None:
        own, parents = len(data["front"]["trials"]), data["front"]["parents"]
        more = f", and {parents} of parents" if parents else ""
        click.echo(f"the Pareto front, {own} of {len(job.trials)} trials{more}:")
        click.echo(front_table(front_of(job)))
    if best is not None:
        click.echo(f"best: {best['metric']} = {best['value']!r} ({render.origin_text(best)})")
        click.echo(render.parameter_lines(best["parameters"], indent="  "))
        _tell_expected(job, best)
    for algorithm in data["algorithms"]:
        click.echo(render.algorithm_line(algorithm), err=True)


def _tell_expected(job: JobView, best: BestData) -> None:
    """Say whether another trial is expected to be better, where the model for that has been used already."""
    if job.status != JobStatus.COMPLETED.value or job.record.strategy != "bayesian":
        return
    from hpo.cli.expected import expected_text, told_expected

    if (expected := told_expected(job)) is not None:
        click.echo(expected_text(best, expected), err=True)


def _tell_failure(job: JobView) -> None:
    """Show the reason and the last log lines of a trial that failed."""
    failed = [trial for trial in job.trials if trial.status is TrialStatus.FAILED]
    if not failed:
        return
    trial = failed[-1]
    lines = last_lines(job.folder / run_place(trial.number, trial.run.number) / "log")
    said = without_lines(trial.detail) if lines else trial.detail
    click.echo(f"trial {trial.number} failed, {render.reasoned(trial, said)}", err=True)
    if lines:
        click.echo(f"the last lines of its log (all of it: hpo logs {job.name} {trial.number}):", err=True)
        click.echo("\n".join(f"  | {line}" for line in lines), err=True)


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a log, made printable; none where there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [render.printable(line)[:400] for line in text.splitlines()[-LOG_LINES:]]


def start_detached(name: str, folder: Path, command: Sequence[str]) -> int:
    """Run a command of hpo's in a process of its own, which outlives this one and its terminal.

    Returns once it runs the job, so that what asks for the job next finds it running, or has ended; the
    exit status is then its own. Raises UsageError where it was refused.
    """
    if is_held(folder):
        raise JobBusy(f"job {name} is being run already; follow it with `hpo status {name} --watch`")
    log = folder / "hpo.log"
    told = log.stat().st_size if log.exists() else 0
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "hpo", *command],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    ended = status = 0
    while not ended and job_status(folder) != "running":
        time.sleep(0.02)
        ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        said = log.read_bytes()[told:].decode(errors="replace").rstrip()
        exit_status = os.waitstatus_to_exitcode(status)
        if exit_status == UsageError.exit_status:
            raise UsageError(said.removeprefix("hpo: "))
        click.echo(f"{said}\n{name} has ended already; this is in {log}, too", err=True)
        return exit_status if exit_status >= 0 else 128 - exit_status
    click.echo(f"{name} runs in the background (pid {pid}); its output goes to {log}", err=True)
    click.echo(f"next: hpo status {name} --watch   hpo wait {name}   hpo stop {name}", err=True)
    return 0

"""Commands that look at jobs: status, trials, list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from hpo.cli import render, tables
from hpo.cli.options import (
    algorithm_option,
    job_argument,
    json_option,
    known_algorithm,
)
from hpo.cli.status import status_text
from hpo.core.settings import Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.errors import HpoError, JobNotFound
from hpo.report.best import ranked
from hpo.report.counts import ended_of
from hpo.report.data import StatusData, status_data, trial_data, view
from hpo.report.feasibility import missed_text
from hpo.report.front import front_members, own_trials
from hpo.report.repeats import seconds
from hpo.store.home import existing_job, job_names

REFRESH = 1.0
"""Seconds between two pictures of `hpo status --watch`."""

SORTS = ("trial", "value", "seconds", "status")


@click.command("status")
@job_argument
@json_option
@click.option("-w", "--watch", is_flag=True, help="Show it again every second until the job has ended.")
def status_command(name: str, *, as_json: bool, watch: bool) -> None:
    """Show how a job stands: counts, the best so far, elapsed and remaining time.

    \b
    Example:
      hpo status digits-forest --watch
    """
    folder = existing_job(name)
    while True:
        now = time.time()
        status = status_data(view(folder, now=now), now=now)
        text = render.as_json(status) if as_json else status_text(status)
        if watch and not as_json and render.wants_live():
            click.clear()
        click.echo(text)
        if not watch or status["status"] != "running":
            return
        time.sleep(REFRESH)


@click.command("trials")
@job_argument
@json_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How to print them.",
)
@click.option(
    "--sort",
    type=click.Choice(SORTS),
    default="trial",
    show_default=True,
    help="value: best first, or the front.",
)
@algorithm_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
def trials_command(
    name: str, *, as_json: bool, form: str, sort: str, algorithm: str | None, output: Path | None
) -> None:
    """Show every trial: its values, what came of it and why.

    \b
    Examples:
      hpo trials digits-forest --sort value
      hpo trials digits-forest --format csv --output trials.csv
    """
    job = view(existing_job(name), now=time.time())
    settings = job.record.settings
    if algorithm is not None:
        known_algorithm(algorithm, settings.algorithms)
    trials = own_trials(job.trials, algorithm)
    objective = settings.objective
    on_front = [known for known in front_members(job, algorithm) if isinstance(known, Trial)]
    match sort:
        case "value":
            others = (trial for trial in ranked(trials, objective.goal) if trial not in on_front)
            best_first = [*on_front, *others]
            trials = best_first + [trial for trial in trials if trial not in best_first]
        case "seconds":
            trials.sort(key=lambda trial: -(seconds(trial) or 0.0))
        case "status":
            trials.sort(key=lambda trial: trial.status.value)
        case _:
            pass
    front = {trial.number for trial in on_front}
    data = [trial_data(trial, settings, front) for trial in trials]
    match "json" if as_json else form:
        case "json":
            render.write(render.as_json(data), output)
        case "csv":
            render.write(tables.trials_csv(data), output)
        case _:
            width = None if output else render.width()
            reasons = [_reason(trial, settings) for trial in trials]
            render.write(tables.trials_table(data, reasons, objective.metric, width=width), output)


def _reason(trial: Trial, settings: Settings) -> str:
    if missed := missed_text(settings, trial):
        return render.printable(missed)
    if trial.status in {TrialStatus.FAILED, TrialStatus.PRUNED}:
        return render.why(trial)
    if trial.status is TrialStatus.COMPLETED and trial.detail:
        return render.why(trial)
    return trial.reason.value if trial.reason else ""


@click.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the jobs here, with their status and best value.

    \b
    Example:
      hpo list
    """
    jobs = list(_readable_jobs())
    if as_json:
        click.echo(render.as_json(jobs))
    elif not jobs:
        click.echo("there are no jobs here yet; start one with `hpo run SPEC`")
    else:
        header = ["job", "status", "trials", "best", "elapsed"]
        rows = [
            [
                job["job"],
                job["status"],
                f"{ended_of(job['counts'])}/{job['max_jobs']}",
                _best_cell(job),
                render.duration(job["elapsed_seconds"]),
            ]
            for job in jobs
        ]
        click.echo(render.table(header, rows, right=frozenset({2, 3, 4})))


def _best_cell(job: StatusData) -> str:
    if job["front"] is not None:
        return f"front of {job['front']['size']}"
    return render.short_number(job["best"]["value"] if job["best"] else None)


def _readable_jobs() -> Iterator[StatusData]:
    """Yield how each job stands; one that cannot be read is told of, and hides no other."""
    now = time.time()
    for name in job_names():
        try:
            yield status_data(view(existing_job(name), now=now), now=now)
        except JobNotFound:  # it was deleted just now
            continue
        except HpoError as error:
            click.echo(f"hpo: {error}", err=True)

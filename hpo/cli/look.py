"""Commands that look at jobs: status, best, trials, list."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from hpo.cli import render, tables
from hpo.cli.options import (
    Gate,
    algorithm_option,
    gate_option,
    job_argument,
    json_option,
    known_algorithm,
)
from hpo.cli.status import status_text
from hpo.core.settings import Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.errors import HpoError, JobNotFound, UsageError
from hpo.report.best import BestData, best_of, ranked
from hpo.report.counts import ended_of
from hpo.report.data import JobView, StatusData, status_data, trial_data, view
from hpo.report.feasibility import missed_text, require_data
from hpo.report.fixed import fixed_values
from hpo.report.front import FrontTrialData, best_values, front_of, front_trials
from hpo.report.repeats import seconds
from hpo.spec.space import Scalar
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


@click.command("best")
@job_argument
@json_option
@click.option("--top", type=click.IntRange(min=1), metavar="K", help="Show the best K trials.")
@algorithm_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "yaml", "args", "env"]),
    default="table",
    show_default=True,
    help="args: as command-line arguments; env: as shell assignments; both with the fixed parameters.",
)
@gate_option
def best_command(
    name: str, *, as_json: bool, top: int | None, algorithm: str | None, form: str, gate: Gate | None
) -> None:
    """Show the best trial and its values; of several objectives the trials of the Pareto front.

    \b
    Examples:
      hpo best digits-forest
      python train.py $(hpo best digits-forest --format args)
    """
    now = time.time()
    job = view(existing_job(name), now=now)
    if gate is not None:
        gate.refuse_unknown(job.record.settings.metrics)
    if algorithm is not None:
        known_algorithm(algorithm, job.record.settings.algorithms)
    if job.record.settings.others:
        if top is not None:
            raise UsageError(f"--top: the front of {name} has no order; leave it out to see all of it")
        _show_front(job, "json" if as_json else form, now=now)
        if gate is not None:
            gate.check(best_values(job.record.settings, job.trials))
        return
    chosen = best_of(job, top or 1, algorithm=algorithm)
    if not chosen:
        raise HpoError(no_result(job, algorithm))
    match "json" if as_json else form:
        case "table":
            spent = render.money_lines(status_data(job, now=now))
            click.echo("\n".join([*(_best_text(job, best) for best in chosen), *spent]))
        case written:
            fixed = [fixed_values(job, best["algorithm"]) for best in chosen]
            click.echo(_written(chosen, fixed, written, as_list=top is not None))
    if gate is not None:
        gate.check({chosen[0]["metric"]: chosen[0]["value"]})


def _show_front(job: JobView, form: str, *, now: float) -> None:
    front = front_of(job)
    if not front:
        raise HpoError(no_result(job))
    match form:
        case "table":
            spent = render.money_lines(status_data(job, now=now))
            click.echo("\n".join([tables.front_table(front), *spent]))
        case written:
            click.echo(_written(front, [fixed_values(job)] * len(front), written, as_list=True))


def no_result(job: JobView, algorithm: str | None = None) -> str:
    """Return why a job, or an algorithm, has no best trial, and which is nearest to what is required."""
    trials = [trial for trial in job.trials if algorithm in {None, trial.algorithm}]
    required = require_data(job.record.settings, trials)
    whose, of = (job.name, "") if algorithm is None else (algorithm, f" of {algorithm}")
    if required is None or required["nearest"] is None:
        return f"job {job.name} has no completed trial{of} yet; `hpo status {job.name}` shows how it stands"
    return "\n".join(
        [
            f"none of the {required['completed']} completed trials of {whose} meets `require`",
            *render.nearest_lines(required["nearest"]),
        ]
    )


def _written(
    chosen: Sequence[BestData] | Sequence[FrontTrialData],
    fixed: Sequence[dict[str, Scalar]],
    form: str,
    *,
    as_list: bool,
) -> str:
    """Return the best for a program to read: with all that a trial was given, its fixed parameters, too."""
    data = [{**best, "fixed": shared} for best, shared in zip(chosen, fixed, strict=True)]
    given = [{**shared, **best["parameters"]} for best, shared in zip(chosen, fixed, strict=True)]
    match form:
        case "yaml":
            return render.as_yaml(data if as_list else data[0])
        case "args":
            return "\n".join(map(render.arguments, given))
        case "env":
            return "\n\n".join(map(render.assignments, given))
        case _:
            return render.as_json(data if as_list else data[0])


def _best_text(job: JobView, best: BestData) -> str:
    told = [render.origin_text(best)]
    if best["origin"] == job.name:
        told += [render.duration(seconds(trial)) for trial in job.trials if trial.number == best["trial"]]
    if best["cost"] is not None:
        told.append(render.money(best["cost"]))
    return "\n".join(
        [
            f"{best['metric']} = {best['value']!r}  ({', '.join(told)})",
            render.parameter_lines(best["parameters"], indent="  "),
            *render.repeat_lines(best["repeats"], indent="  "),
        ]
    )


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
    trials = [trial for trial in job.trials if algorithm in {None, trial.algorithm}]
    objective, on_front = settings.objective, front_trials(settings, trials) if settings.others else []
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

"""`hpo best`: the best trial observed, and the one that is expected to be better; or the Pareto front."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import click

from hpo.cli import render, tables
from hpo.cli.expected import expected_text, told_expected
from hpo.cli.options import (
    Gate,
    algorithm_option,
    gate_option,
    job_argument,
    json_option,
    known_algorithm,
)
from hpo.errors import HpoError, UsageError
from hpo.report.best import BestData, best_of
from hpo.report.data import JobView, status_data, view
from hpo.report.expected import ExpectedData
from hpo.report.feasibility import require_data
from hpo.report.fixed import fixed_values
from hpo.report.front import FrontTrialData, best_values, front_of, own_trials
from hpo.report.repeats import seconds
from hpo.spec.space import Scalar
from hpo.store.home import existing_job


class ShownData(BestData):
    """One of the best trials as the command gives it: with the fixed parameters that it was given, too.

    `expected` is the trial that is expected to be better than the best observed; null where none is, or the
    model cannot tell.
    """

    fixed: dict[str, Scalar]
    expected: ExpectedData | None


class ShownFrontData(FrontTrialData):
    """A trial of the front as the command gives it: with the fixed parameters that it was given, too."""

    fixed: dict[str, Scalar]


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
@click.option(
    "--expected",
    "wants_expected",
    is_flag=True,
    help="Where the model expects another trial to be better, show that one instead.",
)
@gate_option
def best_command(
    name: str,
    *,
    as_json: bool,
    top: int | None,
    algorithm: str | None,
    form: str,
    wants_expected: bool,
    gate: Gate | None,
) -> None:
    """Show the best trial and its values; of several objectives the trials of the Pareto front.

    Where results are noisy the best observed is partly the luckiest. A trial that is expected to be better is
    shown beside it, or with --expected instead; --fail-if is about what is expected of it then.

    \b
    Examples:
      hpo best digits-forest
      python train.py $(hpo best digits-forest --format args)
      hpo best digits-forest --expected --json
    """
    now = time.time()
    job = view(existing_job(name), now=now)
    form = "json" if as_json else form
    settings = job.record.settings
    if gate is not None:
        gate.refuse_unknown(settings.metrics)
    if algorithm is not None:
        known_algorithm(algorithm, settings.algorithms)
    if settings.others:
        _refuse_for_several(name, top=top, wants_expected=wants_expected)
        _show_front(job, form, algorithm, now=now)
        values = best_values(job, algorithm)
    elif wants_expected and top is not None:
        raise UsageError("--expected is about one trial: leave --top out")
    else:
        wanted = _Wanted(top, algorithm, is_expected=wants_expected)
        values = {settings.objective.metric: _show_best(job, wanted, form, now=now)}
    if gate is not None:
        gate.check(values)


def _refuse_for_several(name: str, *, top: int | None, wants_expected: bool) -> None:
    if top is not None:
        raise UsageError(f"--top: the front of {name} has no order; leave it out to see all of it")
    if wants_expected:
        raise UsageError(f"--expected: the front of {name} has no single best trial; leave it out")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which of the best trials are to be shown."""

    top: int | None
    algorithm: str | None
    is_expected: bool  # the one that is expected to be better, where there is one


def _show_best(job: JobView, wanted: _Wanted, form: str, *, now: float) -> float:
    """Show the best trials, and return the value of the first one: of an expected one what is expected."""
    chosen = best_of(job, wanted.top or 1, algorithm=wanted.algorithm)
    if not chosen:
        raise HpoError(no_result(job, wanted.algorithm))
    best, value = chosen[0], chosen[0]["value"]
    is_asked = wanted.is_expected or form not in {"args", "env"}
    expected = told_expected(job, wanted.algorithm) if is_asked else None
    if wanted.is_expected and expected is not None:
        chosen = best_of(job, expected["rank"], algorithm=wanted.algorithm)[-1:]
        value = expected["value"]
    if form == "table":
        told = _expected_lines(best, expected, is_shown=wanted.is_expected)
        spent = render.money_lines(status_data(job, now=now))
        click.echo("\n".join([*(_best_text(job, each) for each in chosen), *told, *spent]))
        return value
    shown = [
        ShownData(**each, fixed=fixed_values(job, each["algorithm"]), expected=None if place else expected)
        for place, each in enumerate(chosen)
    ]
    click.echo(_written(shown, form, as_list=wanted.top is not None))
    return value


def _expected_lines(best: BestData, expected: ExpectedData | None, *, is_shown: bool) -> list[str]:
    """Return the trial that is expected to be better, with its parameters where they aren't shown already."""
    if expected is None:
        return ["no other trial is expected to be better"] if is_shown else []
    parameters = [] if is_shown else [render.parameter_lines(expected["parameters"], indent="  ")]
    return [expected_text(best, expected), *parameters]


def _show_front(job: JobView, form: str, algorithm: str | None, *, now: float) -> None:
    front = front_of(job, algorithm=algorithm)
    if not front:
        raise HpoError(no_result(job, algorithm))
    if form == "table":
        spent = render.money_lines(status_data(job, now=now))
        click.echo("\n".join([tables.front_table(front), *spent]))
        return
    fixed = {name: fixed_values(job, name) for name in {each["algorithm"] for each in front}}
    shown = [ShownFrontData(**each, fixed=fixed[each["algorithm"]]) for each in front]
    click.echo(_written(shown, form, as_list=True))


def no_result(job: JobView, algorithm: str | None = None) -> str:
    """Return why a job, or an algorithm, has no best trial, and which is nearest to what is required."""
    trials = own_trials(job.trials, algorithm)
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


def _written(data: Sequence[ShownData] | Sequence[ShownFrontData], form: str, *, as_list: bool) -> str:
    """Return the best for a program to read: with all that a trial was given, its fixed parameters, too."""
    given = [{**each["fixed"], **each["parameters"]} for each in data]
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

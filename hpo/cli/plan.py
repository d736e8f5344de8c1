"""`hpo plan`: what would run, without starting it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpo.cli import render, tables
from hpo.cli.options import json_option, spec_options
from hpo.errors import LauncherError
from hpo.report.autotune import choices_of, chosen_data, chosen_lines
from hpo.report.repeats import repeats_data, repeats_text
from hpo.report.warm_start import warm_start_data, warm_start_lines

if TYPE_CHECKING:
    from hpo.core.trial import Trial
    from hpo.spec.space import Space
    from hpo.wiring.lookahead import Estimate
    from hpo.wiring.prepared import Prepared

PLANNED = 5
"""Configurations that `hpo plan` shows unless told otherwise."""


@click.command("plan")
@spec_options
@json_option
@click.option("--count", type=click.IntRange(min=1), default=PLANNED, show_default=True, metavar="N")
@click.option("--full", is_flag=True, help="Show all variables of the request, SM_* included.")
def plan_command(
    spec: Path,
    *,
    overlays: tuple[Path, ...],
    overrides: tuple[str, ...],
    as_json: bool,
    count: int,
    full: bool,
) -> None:
    """Show what would run, and start nothing: the first N configurations and the exact request.

    Later configurations depend on results, unless the strategy is grid or random. Without a `seed` in
    the spec the job draws one of its own, and those shown are examples.

    \b
    Example:
      hpo plan tune.yaml --set limits.max_jobs=5
    """
    from hpo.wiring.lookahead import first_trials
    from hpo.wiring.prepared import prepare

    prepared = prepare([spec, *overlays], overrides=overrides, say=render.say)
    trials = first_trials(prepared, min(count, prepared.spec.limits.max_jobs))
    cost = _estimated(prepared)
    if as_json:
        click.echo(render.as_json(_data(prepared, trials, cost)))
        return
    click.echo("\n".join(_text(prepared, trials, cost, full=full)))
    for warning in prepared.warnings():
        click.echo(f"warning: {warning}", err=True)


def _data(prepared: Prepared, trials: Sequence[Trial], cost: Estimate | None) -> dict[str, object]:
    from hpo.wiring.lookahead import are_examples, first_of_each, longest_seconds, tuned_for

    limits = prepared.spec.limits
    requests = {trial.algorithm: prepared.request(trial) for trial in first_of_each(trials)}
    return {
        "job": prepared.spec.name,
        "strategy": prepared.spec.strategy.name,
        **tuned_for(prepared),
        "max_jobs": limits.max_jobs,
        "max_parallel_jobs": limits.max_parallel_jobs,
        "repeats": repeats_data(prepared.settings(prepared.spec.name), ()),
        "configurations": prepared.cardinality,
        "algorithms": [
            {
                "name": name,
                "configurations": part.space.cardinality,
                "autotune": chosen_data(part.chosen, part.space),
                "request": requests.get(name),
            }
            for name, part in prepared.algorithms.items()
        ],
        "longest_seconds": longest_seconds(prepared),
        "cost": cost,
        "warm_start": warm_start_data(prepared.priors),
        "autotune": chosen_data(prepared.chosen, prepared.space),
        "warnings": prepared.warnings(),
        "examples": are_examples(prepared),
        "trials": [
            {
                "trial": trial.number,
                "algorithm": trial.algorithm,
                "parameters": dict(trial.params),
                "proposed_by": trial.proposed_by,
            }
            for trial in trials
        ],
        "request": requests[trials[0].algorithm],
    }


def _text(prepared: Prepared, trials: Sequence[Trial], cost: Estimate | None, *, full: bool) -> Iterator[str]:
    from hpo.wiring.lookahead import are_examples, first_of_each

    yield from _heading(prepared, cost)
    yield (
        f"\n{len(trials)} examples of trials (without `seed` the job draws one of its own):"
        if are_examples(prepared)
        else f"\nthe first {len(trials)} trials:"
    )
    yield _table(prepared, trials)
    for trial in first_of_each(trials):
        of_several = f", of {trial.algorithm}," if trial.algorithm is not None else ""
        request = _request_text(prepared.request(trial), full=full)
        yield f"\ntrial {trial.number}{of_several} would be launched as\n{request}"


def _table(prepared: Prepared, trials: Sequence[Trial]) -> str:
    names = list(dict.fromkeys(each.name for part in prepared.parts.values() for each in part.space))
    header = ["trial", *(["algorithm"] if prepared.algorithms else []), *names, "chosen by"]
    rows = [
        [
            str(trial.number),
            *([trial.algorithm] if trial.algorithm is not None else []),
            *tables.cells(trial.params, names),
            trial.proposed_by,
        ]
        for trial in trials
    ]
    return render.table(header, rows, right=frozenset({0}))


def _request_text(request: str, *, full: bool) -> str:
    lines = request.splitlines()
    shown = [line for line in lines if full or not line.startswith(("SM_", "SAGEMAKER_"))]
    hidden = len(lines) - len(shown)
    note = [f"  (and {hidden} SM_* variables of the training-container contract: --full)"] if hidden else []
    return "\n".join([*(f"  {line}" for line in shown), *note])


def _estimated(prepared: Prepared) -> Estimate | None:
    """Estimate what the job can cost; a launcher that cannot tell for now is no obstacle to a plan."""
    from hpo.wiring.lookahead import estimate

    try:
        return estimate(prepared)
    except LauncherError as error:
        click.echo(f"warning: what the job can cost is not known: {error}", err=True)
        return None


def _cost_text(prepared: Prepared, cost: Estimate | None) -> str:
    if cost is None:
        return f"none is known to the {prepared.spec.launcher.kind} launcher"
    longest = cost["max_job_runtime"]
    ran = "the launcher's own limit of a run's time" if longest is None else render.duration(longest)
    is_repeated = cost["runs"] > cost["trials"]
    each = f"{cost['runs']} runs, each" if is_repeated else f"{cost['trials']} trials, each"
    text = (
        f"at most {render.money(cost['worst'])}: {each} at most "
        f"{render.money(cost['per_trial'] * cost['trials'] / cost['runs'])} for {ran}"
    )
    limit = cost["max_cost"]
    return text if limit is None else f"{text}; max_cost {render.money(limit)}"


def _heading(prepared: Prepared, cost: Estimate | None) -> Iterator[str]:
    from hpo.wiring.lookahead import longest_seconds, tuned_for

    spec, limits, longest = prepared.spec, prepared.spec.limits, longest_seconds(prepared)
    time = (
        "depends on the program: no limits are set"
        if longest is None
        else f"at most {render.duration(longest)}"
    )
    tuned, repeats = tuned_for(prepared), repeats_data(prepared.settings(spec.name), ())
    model = [f"model     {tuned['model']}"] if tuned["model"] else []
    goals = (f"{each['goal']} {each['metric']}" for each in tuned["objectives"])
    yield f"{spec.name}: {', '.join(goals)}"
    if prepared.algorithms:
        yield f"strategy  {spec.strategy.name}, for each of {len(prepared.algorithms)} algorithms"
        yield from model
        for name, part in prepared.algorithms.items():
            yield f"algorithm {name}: {', '.join(_space(part.space))}"
    else:
        of, *fitting = _space(prepared.space)
        yield f"strategy  {spec.strategy.name}, in {of}"
        yield from model
        yield from (f"fitting   {text}" for text in fitting)
    if spec.require:
        yield f"require   {'; '.join(spec.require)}"
    yield f"trials    {limits.max_jobs}, {min(limits.max_jobs, limits.max_parallel_jobs)} at a time"
    if repeats is not None:
        yield f"runs      {repeats['runs']}: {repeats_text(repeats)}"
    yield f"time      {time}"
    yield f"cost      {_cost_text(prepared, cost)}"
    yield from warm_start_lines(warm_start_data(prepared.priors))
    yield from chosen_lines(
        choices_of({name: (part.chosen, part.space) for name, part in prepared.parts.items()})
    )


def _space(space: Space) -> Iterator[str]:
    """Yield how large a space is and, where constraints leave some of it out, how much fits them."""
    from hpo.spec.feasible import survey

    count = space.cardinality
    many = "more configurations than can be counted" if space.is_finite else "infinitely many configurations"
    parameters = "1 parameter" if len(space) == 1 else f"{len(space)} parameters"
    yield f"a space of {parameters}, {many if count is None else f'{count} configurations'}"
    if space.constraints:
        yield survey(space).text

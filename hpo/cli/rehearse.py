"""Commands that look ahead: plan, try, metrics."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from hpo.cli import render, tables
from hpo.cli.options import json_option, spec_options
from hpo.errors import LauncherError, UsageError
from hpo.launchers.last_words import in_one_line
from hpo.report.autotune import chosen_data, chosen_lines
from hpo.report.feasibility import violation_data, violation_text
from hpo.report.repeats import repeats_data, repeats_text
from hpo.report.warm_start import warm_start_data, warm_start_lines

if TYPE_CHECKING:
    from hpo.core.trial import RunReport
    from hpo.wiring.lookahead import Estimate, Rehearsed
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
    from hpo.wiring.lookahead import are_examples, first_trials, tuned_for
    from hpo.wiring.prepared import prepare

    prepared = prepare([spec, *overlays], overrides=overrides, say=render.say)
    trials = first_trials(prepared, min(count, prepared.spec.limits.max_jobs))
    cost, settings = _estimated(prepared), prepared.settings(prepared.spec.name)
    if as_json:
        data = {
            "job": prepared.spec.name,
            "strategy": prepared.spec.strategy.name,
            **tuned_for(prepared),
            "max_jobs": prepared.spec.limits.max_jobs,
            "max_parallel_jobs": prepared.spec.limits.max_parallel_jobs,
            "repeats": repeats_data(settings, ()),
            "configurations": prepared.space.cardinality,
            "longest_seconds": prepared.longest_seconds(),
            "cost": cost,
            "warm_start": warm_start_data(prepared.prior),
            "autotune": chosen_data(prepared.chosen, prepared.space),
            "warnings": prepared.warnings(),
            "examples": are_examples(prepared),
            "trials": [
                {"trial": trial.number, "parameters": dict(trial.params), "proposed_by": trial.proposed_by}
                for trial in trials
            ],
            "request": prepared.request(trials[0]),
        }
        click.echo(render.as_json(data))
        return
    click.echo(_plan_heading(prepared, cost))
    names = [parameter.name for parameter in prepared.space]
    rows = [[str(trial.number), *tables.cells(trial.params, names), trial.proposed_by] for trial in trials]
    click.echo(
        f"\n{len(trials)} examples of trials (without `seed` the job draws one of its own):"
        if are_examples(prepared)
        else f"\nthe first {len(trials)} trials:"
    )
    click.echo(render.table(["trial", *names, "chosen by"], rows, right=frozenset({0})))
    click.echo(f"\ntrial 1 would be launched as\n{_request_text(prepared.request(trials[0]), full=full)}")
    for warning in prepared.warnings():
        click.echo(f"warning: {warning}", err=True)


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


def _plan_heading(prepared: Prepared, cost: Estimate | None) -> str:
    from hpo.spec.feasible import survey
    from hpo.wiring.lookahead import tuned_for

    spec, limits = prepared.spec, prepared.spec.limits
    count = prepared.space.cardinality
    many = (
        "more configurations than can be counted"
        if prepared.space.is_finite
        else "infinitely many configurations"
    )
    space = many if count is None else f"{count} configurations"
    longest = prepared.longest_seconds()
    repeats = repeats_data(prepared.settings(spec.name), ())
    time = (
        "depends on the program: no limits are set"
        if longest is None
        else f"at most {render.duration(longest)}"
    )
    objectives = spec.objectives or (spec.objective,)
    model = tuned_for(prepared)["model"]
    return "\n".join(
        [
            f"{spec.name}: {', '.join(f'{each.goal} {each.metric}' for each in objectives)}",
            f"strategy  {spec.strategy.name}, in a space of {len(prepared.space)} parameters, {space}",
            *([f"model     {model}"] if model else []),
            *([f"require   {'; '.join(spec.require)}"] if spec.require else []),
            *([f"fitting   {survey(prepared.space).text}"] if prepared.space.constraints else []),
            f"trials    {limits.max_jobs}, {limits.max_parallel_jobs} at a time",
            *([f"runs      {repeats['runs']}: {repeats_text(repeats)}"] if repeats else []),
            f"time      {time}",
            f"cost      {_cost_text(prepared, cost)}",
            *warm_start_lines(warm_start_data(prepared.prior)),
            *chosen_lines(chosen_data(prepared.chosen, prepared.space)),
        ]
    )


@click.command("try")
@spec_options
@json_option
def try_command(spec: Path, *, overlays: tuple[Path, ...], overrides: tuple[str, ...], as_json: bool) -> None:
    """Run one trial here with default or mid-range values, and show the metrics it gave.

    Its output is shown as it comes; nothing is kept. Exits with 1 where an objective was not read, or a
    metric that `require` names.

    \b
    Example:
      hpo try tune.yaml
    """
    from hpo.wiring.prepared import prepare

    prepared = prepare([spec, *overlays], overrides=overrides, say=render.say)
    values = {**prepared.default(), **prepared.repeats.given(1)}
    click.echo(f"trying {render.arguments({**values, **prepared.spec.fixed})}", err=True)
    with tempfile.TemporaryDirectory(prefix="hpo-try-") as folder:
        tried = _tried(prepared, Path(folder))
    if as_json:
        click.echo(
            render.as_json(
                {
                    "ended": tried.report.state.value,
                    "detail": tried.report.detail,
                    "parameters": values,
                    "value": tried.value,
                    "values": dict(tried.values),
                    "violations": [violation_data(each) for each in tried.violations],
                    "metrics": tried.metrics,
                    "lines": tried.lines,
                }
            )
        )
    else:
        click.echo(_tried_text(prepared, tried))
    if tried.value is None or not tried.is_judged:
        raise SystemExit(1)


def _tried(prepared: Prepared, folder: Path) -> Rehearsed:
    """Run the trial; a signal stops it at once and ends hpo with the signal's status."""
    from hpo.scheduler.interrupts import SIGNALS
    from hpo.wiring.lookahead import rehearse

    caught: list[int] = []

    async def run() -> Rehearsed:
        trial = asyncio.ensure_future(rehearse(prepared, folder, _show_log))

        def interrupt(number: signal.Signals) -> None:
            caught.append(SIGNALS[number])
            trial.cancel()

        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
        return await trial

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        click.echo("hpo: interrupted; the trial was stopped", err=True)
        raise SystemExit(caught[-1]) from None


def _show_log(data: bytes) -> None:
    text = data.decode("utf-8", errors="replace").replace("\r", "\n")
    for line in text.splitlines():
        click.echo(f"  | {render.printable(line)}", err=True)


def _tried_text(prepared: Prepared, tried: Rehearsed) -> str:
    lines = [f"it ended: {_ending(tried.report)}; {tried.lines} lines were read"]
    width = max(len(name) for name in prepared.spec.metrics)
    for name in prepared.spec.metrics:
        count, value = tried.counts.get(name, 0), tried.metrics.get(name)
        shown = "not finite" if value is None else repr(value)
        found = f"{shown}, the last of {count} matches" if count else "no match"
        lines.append(f"  {name.ljust(width)}  {found}")
    if tried.value is None:
        lines.append(f"a trial like this would fail: {tried.advice or 'the objective has no finite value'}")
    else:
        values = ", ".join(f"{metric} = {value!r}" for metric, value in tried.values.items())
        lines.append(f"a trial like this would complete with {values}")
        lines += [
            f"and would be no result, as it {violation_text(violation_data(each))}"
            for each in tried.violations
        ]
    return "\n".join(lines)


def _ending(report: RunReport) -> str:
    return in_one_line(report.detail) or report.state.value  # its log was shown just now


@click.command("metrics")
@spec_options
@click.option("--log", "log", required=True, metavar="FILE", help="The log to read; - is standard input.")
@json_option
def metrics_command(
    spec: Path, *, overlays: tuple[Path, ...], overrides: tuple[str, ...], log: str, as_json: bool
) -> None:
    """Try a spec's metrics on a log: which lines matched, what was read, what came close, what to write.

    Exits with 1 where an objective was not read, or a metric that `require` names.

    \b
    Examples:
      hpo metrics tune.yaml --log train.log
      python train.py | hpo metrics tune.yaml --log -
    """
    from hpo.metrics.doctor import diagnose
    from hpo.wiring.lookahead import needed_metrics
    from hpo.wiring.prepared import prepare

    prepared = prepare([spec, *overlays], overrides=overrides, check_launch=False)
    objective = prepared.spec.objective.metric
    with _opened(log) as file:
        diagnosis = diagnose(file, prepared.spec.metrics, objective)
    click.echo(diagnosis.to_json() if as_json else diagnosis.text())
    needed = needed_metrics(prepared)
    if not all(metric.count for metric in diagnosis.metrics if metric.metric in needed):
        raise SystemExit(1)


def _opened(log: str) -> AbstractContextManager[BinaryIO]:
    if log == "-":
        if sys.stdin is None:
            raise UsageError("--log - reads standard input, which is closed; pipe a log to it, or name one")
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(log).open("rb")
    except OSError as error:
        raise UsageError(f"--log {log} cannot be read: {error.strerror}") from error

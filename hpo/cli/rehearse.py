"""Commands that rehearse a trial, or the reading of its log: try, metrics."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from hpo.cli import render
from hpo.cli.options import algorithm_option, json_option, known_algorithm, spec_options
from hpo.errors import UsageError
from hpo.launchers.last_words import in_one_line
from hpo.report.feasibility import violation_data, violation_text

if TYPE_CHECKING:
    from hpo.core.trial import RunReport
    from hpo.spec.space import Scalar
    from hpo.wiring.lookahead import Rehearsed
    from hpo.wiring.prepared import Prepared


@click.command("try")
@spec_options
@algorithm_option
@json_option
def try_command(
    spec: Path,
    *,
    overlays: tuple[Path, ...],
    overrides: tuple[str, ...],
    algorithm: str | None,
    as_json: bool,
) -> None:
    """Run one trial here with default or mid-range values, and show the metrics it gave.

    Of several algorithms one trial of each. Its output is shown as it comes; nothing is kept. Exits with 1
    where an objective was not read, or a metric that `require` names.

    \b
    Example:
      hpo try tune.yaml
    """
    from hpo.wiring.prepared import prepare

    prepared = prepare([spec, *overlays], overrides=overrides, say=render.say)
    chosen = prepared.parts
    if algorithm is not None:
        chosen = {known_algorithm(algorithm, list(prepared.algorithms)): prepared.algorithms[algorithm]}
    tried = {name: _try(name, part, as_json=as_json) for name, part in chosen.items()}
    if as_json:
        data = [_try_data(name, chosen[name], each) for name, each in tried.items()]
        click.echo(render.as_json(data if prepared.algorithms and algorithm is None else data[0]))
    if any(each.value is None or not each.is_judged for each in tried.values()):
        raise SystemExit(1)


def _try(name: str | None, prepared: Prepared, *, as_json: bool) -> Rehearsed:
    """Try one algorithm, or the only one, and say what it gave."""
    of_several = f" {name}:" if name is not None else ""
    click.echo(
        f"trying{of_several} {render.arguments({**_values(prepared), **prepared.spec.fixed})}", err=True
    )
    with tempfile.TemporaryDirectory(prefix="hpo-try-") as folder:
        tried = _tried(prepared, Path(folder))
    if not as_json:
        click.echo("\n".join(filter(None, [name and f"{name}:", _tried_text(prepared, tried)])))
    return tried


def _values(prepared: Prepared) -> dict[str, Scalar]:
    return {**prepared.default(), **prepared.repeats.given(1)}


def _try_data(name: str | None, prepared: Prepared, tried: Rehearsed) -> dict[str, object]:
    return {
        "algorithm": name,
        "ended": tried.report.state.value,
        "detail": tried.report.detail,
        "parameters": _values(prepared),
        "value": tried.value,
        "values": dict(tried.values),
        "violations": [violation_data(each) for each in tried.violations],
        "metrics": tried.metrics,
        "lines": tried.lines,
    }


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
    read = "1 line was read" if tried.lines == 1 else f"{tried.lines} lines were read"
    lines = [f"it ended: {_ending(tried.report)}; {read}"]
    width = max(len(name) for name in prepared.spec.metrics)
    for name in prepared.spec.metrics:
        count, value = tried.counts.get(name, 0), tried.metrics.get(name)
        shown = "not finite" if value is None else repr(value)
        which = "the only match" if count == 1 else f"the last of {count} matches"
        found = f"{shown}, {which}" if count else "no match"
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
@algorithm_option
@json_option
def metrics_command(
    spec: Path,
    *,
    overlays: tuple[Path, ...],
    overrides: tuple[str, ...],
    log: str,
    algorithm: str | None,
    as_json: bool,
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
    part, objective = prepared, prepared.spec.objective.metric
    if algorithm is not None:
        part = prepared.algorithms[known_algorithm(algorithm, list(prepared.algorithms))]
    elif prepared.algorithms:
        listed = ", ".join(prepared.algorithms)
        raise UsageError(f"each algorithm has metrics of its own: say whose log it is, --algorithm {listed}")
    with _opened(log) as file:
        diagnosis = diagnose(file, part.spec.metrics, objective)
    click.echo(diagnosis.to_json() if as_json else diagnosis.text())
    needed = needed_metrics(part)
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

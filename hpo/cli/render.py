"""Data to text: tables, values, durations."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpo.launchers import contract
from hpo.launchers.last_words import in_one_line
from hpo.report.counts import counts_text
from hpo.report.feasibility import violation_text
from hpo.spec.space import Scalar

if TYPE_CHECKING:
    from hpo.core.trial import Trial
    from hpo.report.algorithms import AlgorithmData
    from hpo.report.best import BestData
    from hpo.report.data import StatusData
    from hpo.report.feasibility import NearestData
    from hpo.report.front import FrontData
    from hpo.report.repeats import RepeatData

LONGEST = 160
"""Characters of why a trial ended, where it is told in a line."""

SHORTEST = 24
"""Characters of it that a table shows however narrow the terminal is."""

FRONT_SHOWN = 20
"""Trials of a front that are named in a line."""


def as_json(data: object) -> str:
    """Return data as indented JSON; it must hold no NaN or infinity, which JSON has not."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)


def as_yaml(data: object) -> str:
    """Return data as YAML, in the order given."""
    import yaml

    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip("\n")


def write(text: str, output: Path | None = None) -> None:
    """Write a result to standard output, or to a file."""
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error


def width() -> int | None:
    """Return the columns of the terminal that standard output is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def wants_live() -> bool:
    """Tell whether standard error is a terminal that can redraw itself."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def value_text(value: Scalar) -> str:
    """Return a parameter's value for people: exact, with strings as they are."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case float():
            return repr(value)
        case _:
            return str(value)


def short_number(value: float | None) -> str:
    """Return a metric's value with at most six digits; a dash for none."""
    return "-" if value is None else f"{value:.6g}"


def duration(seconds: float | None) -> str:
    """Return a duration for people: 4.2s, 3m 05s, 2h 10m."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m"


def printable(text: str) -> str:
    """Return text with control characters escaped, so that what a program printed moves no cursor."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> str:
    """Return an aligned plain-text table; the columns of `right` are flush right."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), *map(line, rows)])


def arguments(parameters: Mapping[str, Scalar]) -> str:
    """Return parameters as the arguments that a trial's program gets, quoted for a shell."""
    return shlex.join(contract.arguments(parameters))


def assignments(parameters: Mapping[str, Scalar]) -> str:
    """Return parameters as shell assignments: LEARNING_RATE=0.1."""
    return "\n".join(
        f"{_variable(name)}={shlex.quote(value_text(value))}" for name, value in parameters.items()
    )


def _variable(name: str) -> str:
    text = "".join(char if char.isascii() and char.isalnum() else "_" for char in name).upper()
    return f"_{text}" if text[0].isdigit() else text


def require_lines(status: StatusData) -> list[str]:
    """Return how many trials meet what is required, and where none does the nearest one."""
    required = status["require"]
    if required is None:
        return []
    missed = [f"{text} in {count}" for text, count in required["missed"].items() if count]
    told = f"; missed: {', '.join(missed)}" if missed else ""
    lines = [f"require   met by {required['met']} of {required['completed']} completed trials{told}"]
    return lines + (nearest_lines(required["nearest"]) if required["nearest"] is not None else [])


def nearest_lines(nearest: NearestData) -> list[str]:
    """Return the trial that is nearest to what is required, what it misses, and its parameters."""
    values = ", ".join(f"{metric} = {short_number(value)}" for metric, value in nearest["values"].items())
    missed = [f"          {violation_text(each)}" for each in nearest["violations"]]
    lines = [f"nearest   trial {nearest['trial']}: {values}", *missed, parameter_lines(nearest["parameters"])]
    return [printable(line) for line in lines]


def origin_text(best: BestData) -> str:
    """Return which trial one of the best is, and of which job where that is a parent's."""
    of_several = f", {best['algorithm']}" if best["algorithm"] is not None else ""
    return f"{_numbered(best)}{of_several}{_spread_text(best)}"


def _numbered(best: BestData) -> str:
    of_parent = f" of {best['origin']}, a parent" if best["origin"] != best["job"] else ""
    return f"trial {best['trial']}{of_parent}"


def _spread_text(best: BestData) -> str:
    if best["spread"] is None:
        return ""
    spread, error = short_number(best["spread"]), short_number(best["standard_error"])
    return f", {len(best['repeats'])} repeats with a spread of {spread}, standard error {error}"


def repeat_lines(repeats: Sequence[RepeatData], *, indent: str) -> list[str]:
    """Return the values of a trial's repeats by their seeds, in a line; nothing where there is one run."""
    values = ", ".join(f"seed {each['seed']}: {each['value']!r}" for each in repeats)
    return [f"{indent}with {values}"] if repeats else []


def algorithm_line(algorithm: AlgorithmData) -> str:
    """Return how one of several algorithms stands."""
    best, front, found = algorithm["best"], algorithm["front"], ""
    if best is not None:
        found = f"; best {best['value']!r} ({_numbered(best)})"
    if front is not None:
        found = f"; front of {front_text(front)}; {algorithm['on_front']} on that of all"
    return f"algorithm {algorithm['name']}: {counts_text(algorithm['counts'])}{found}"


def front_text(front: FrontData) -> str:
    """Return the size of a Pareto front, its trials, and what it covers."""
    count, parents = len(front["trials"]), front["parents"]
    trials = ", ".join(map(str, front["trials"][:FRONT_SHOWN])) + (", …" if count > FRONT_SHOWN else "")
    texts = [f"1 trial: {trials}" if count == 1 else f"{count} trials: {trials}"] if count else []
    texts += [f"{parents} of parents"] if parents else []
    text = " and ".join(texts)
    return text if front["hypervolume"] is None else f"{text}; hypervolume {front['hypervolume']:.6g}"


def money(amount: float) -> str:
    """Return an amount of money for people: $1.23, and small ones to a hundredth of a cent."""
    return f"${amount:,.2f}" if amount >= 1.0 or amount == 0.0 else f"${amount:.4f}"


def money_lines(status: StatusData) -> list[str]:
    """Return what a job's machines cost so far; nothing where its launcher charges nothing."""
    lines, cost, pools, count = [], status["cost"], status["warm_pools"], status["interruptions"]
    if cost is not None:
        by = {"spot machines": cost["saved_by_spot"], "early stopping": cost["saved_by_early_stopping"]}
        saved = " and ".join(f"{money(amount)} by {what}" for what, amount in by.items() if amount)
        lines.append(f"cost      {money(cost['spent'])}{f', saved {saved}' if saved else ''}")
    if pools is not None and (pools["reused"] or count):
        parts = []
        if pools["reused"]:
            spared = duration(pools["saved_seconds"])
            parts.append(f"{pools['reused']} of {pools['runs']} runs on one kept ready, {spared} saved")
        if count:
            parts.append("1 interruption" if count == 1 else f"{count} interruptions")
        lines.append(f"machines  {'; '.join(parts)}")
    return lines


def saved_lines(status: StatusData) -> list[str]:
    """Return what early stopping has saved, and every warning; nothing where there is neither."""
    lines, saved = [], status["saved_by_early_stopping"]
    if saved is not None and saved["trials"]:
        spared = f"{duration(saved['seconds'])} and {saved['steps']:.6g} steps"
        lines.append(f"saved     about {spared}, by stopping early: {saved['trials']} pruned")
    return lines + [f"warning   {warning}" for warning in status["warnings"]]


def parameter_lines(parameters: Mapping[str, Scalar], indent: str = "          ") -> str:
    """Return parameters one a line, aligned."""
    width = max((len(name) for name in parameters), default=0)
    return "\n".join(
        f"{indent}{name.ljust(width)}  {value_text(value)}" for name, value in parameters.items()
    )


def why(trial: Trial) -> str:
    """Return in one line why a trial ended: its reason, and the detail where that says more.

    It stands beside the trial's status: where that says the reason already, as of a pruned trial, the detail
    is enough.
    """
    detail = shortened(in_one_line(trial.detail), LONGEST)
    is_said = trial.reason is not None and trial.reason.value == trial.status.value
    return printable(detail) if is_said else reasoned(trial, detail)


def reasoned(trial: Trial, detail: str) -> str:
    """Return a detail of why a trial ended after its reason, which is not said twice."""
    reason = trial.reason.value if trial.reason else ""
    said = re.match(rf"(repeat \d+ of \d+: )?{re.escape(reason)}", detail)
    return printable(detail if said else f"{reason}: {detail}")


def shortened(text: str, width: int) -> str:
    """Return text that is no longer than this, cut where it was."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def say(text: str) -> None:
    """Tell the user what takes a while, or the like, beside a command's output."""
    click.echo(printable(text), err=True)

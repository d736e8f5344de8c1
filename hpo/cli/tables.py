"""Trials as tables: for people, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hpo.cli.render import SHORTEST, money, short_number, shortened, table, value_text
from hpo.report.columns import parameter_names
from hpo.spec.space import Scalar

if TYPE_CHECKING:
    from hpo.report.data import TrialData


def trials_table(
    trials: Sequence[TrialData], reasons: Sequence[str], metric: str, *, width: int | None = None
) -> str:
    """Return a row for each trial, with its reason last, which is cut so that the row fits into a width."""
    names = parameter_names(trial["parameters"] for trial in trials)
    is_charged = any(trial["cost"] is not None for trial in trials)
    are_several = any(trial["algorithm"] is not None for trial in trials)
    rows = [
        [
            str(trial["trial"]),
            *([trial["algorithm"] or ""] if are_several else []),
            trial["status"],
            short_number(trial["value"]),
            "-" if trial["seconds"] is None else f"{trial['seconds']:.1f}",
            *(["-" if trial["cost"] is None else money(trial["cost"])] if is_charged else []),
            *cells(trial["parameters"], names),
            reason,
        ]
        for trial, reason in zip(trials, reasons, strict=True)
    ]
    given = ["trial", *(["algorithm"] if are_several else []), "status", metric, "seconds"]
    header = [*given, *(["cost"] if is_charged else []), *names, "reason"]
    if width is not None:
        taken = sum(2 + max(map(len, column)) for column in list(zip(header, *rows, strict=True))[:-1])
        rows = [[*row[:-1], shortened(row[-1], max(width - taken, SHORTEST))] for row in rows]
    first = len(given) - 2  # of the columns with numbers
    return table(header, rows, right=frozenset({0, *range(first, len(given) + is_charged)}))


def trials_csv(trials: Sequence[TrialData]) -> str:
    """Return trials as CSV: parameters and metrics each as a column of its own."""
    parameters = parameter_names(trial["parameters"] for trial in trials)
    metrics = list(dict.fromkeys(name for trial in trials for name in trial["metrics"]))
    plain = ["trial", "status", "reason", "value"]
    if any(trial["algorithm"] is not None for trial in trials):
        plain.insert(1, "algorithm")
    rest = ["started", "ended", "seconds", "attempts", "launcher_id", "proposed_by"]
    if any(trial["machine"] is not None for trial in trials):
        rest += ["cost", "machine", "billable_seconds", "interruptions"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*plain, *parameters, *metrics, *rest])
    for trial in trials:
        row: Mapping[str, object] = {**trial}
        writer.writerow(
            [
                *(row[name] for name in plain),
                *(_csv_cell(trial["parameters"].get(name)) for name in parameters),
                *(trial["metrics"].get(name) for name in metrics),
                *(row[name] for name in rest),
            ]
        )
    return text.getvalue().rstrip("\n")


def _csv_cell(value: Scalar) -> Scalar:
    return value_text(value) if isinstance(value, bool) else value


def cell(value: Scalar) -> str:
    """Return a value for a table's cell: numbers with at most six digits."""
    return f"{value:.6g}" if isinstance(value, float) else value_text(value)


def cells(parameters: Mapping[str, Scalar], names: Sequence[str]) -> list[str]:
    """Return a configuration's values for a table's columns: nothing for a parameter that is not active."""
    return [cell(parameters[name]) if name in parameters else "" for name in names]

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
    from hpo.report.front import FrontTrialData


def trials_table(
    trials: Sequence[TrialData], reasons: Sequence[str], metric: str, *, width: int | None = None
) -> str:
    """Return a row for each trial, with its reason last, which is cut so that the row fits into a width.

    Of several objectives each has a column, and `*` marks the front.
    """
    several = list(next((trial["values"] for trial in trials if trial["values"]), {}))
    names = parameter_names(trial["parameters"] for trial in trials)
    is_charged = any(trial["cost"] is not None for trial in trials)
    is_repeated = any(trial["repeats"] for trial in trials)
    are_several = any(trial["algorithm"] is not None for trial in trials)
    rows = [
        [
            str(trial["trial"]),
            *([trial["algorithm"] or ""] if are_several else []),
            trial["status"],
            *(
                map(short_number, trial["values"].values())
                if trial["values"]
                else [short_number(trial["value"])]
            ),
            *([short_number(trial["spread"])] if is_repeated else []),
            *(["*" if trial["on_front"] else ""] if several else []),
            "-" if trial["seconds"] is None else f"{trial['seconds']:.1f}",
            *(["-" if trial["cost"] is None else money(trial["cost"])] if is_charged else []),
            *cells(trial["parameters"], names),
            reason,
        ]
        for trial, reason in zip(trials, reasons, strict=True)
    ]
    given = ["trial", *(["algorithm"] if are_several else []), "status"]
    numbers = [*(several or [metric]), *(["spread"] if is_repeated else [])]
    times = ["seconds", *(["cost"] if is_charged else [])]
    header = [*given, *numbers, *(["front"] if several else []), *times, *names, "reason"]
    if width is not None:
        taken = sum(2 + max(map(len, column)) for column in list(zip(header, *rows, strict=True))[:-1])
        rows = [[*row[:-1], shortened(row[-1], max(width - taken, SHORTEST))] for row in rows]
    after = len(given) + len(numbers)
    shown = after + bool(several)  # columns before the times
    right = {0, *range(len(given), after), *range(shown, shown + len(times))}
    return table(header, rows, right=frozenset(right))


def front_table(front: Sequence[FrontTrialData]) -> str:
    """Return a row for each trial of a Pareto front: its values, then its parameters."""
    names = parameter_names(trial["parameters"] for trial in front)
    goals = front[0]["goals"] if front else {}
    are_several = any(trial["algorithm"] is not None for trial in front)
    has_parents = any(trial["origin"] != trial["job"] for trial in front)
    given = ["trial", *(["of"] if has_parents else []), *(["algorithm"] if are_several else [])]
    header = [*given, *(f"{metric} ({goal})" for metric, goal in goals.items()), *names]
    rows = [
        [
            str(trial["trial"]),
            *([trial["origin"]] if has_parents else []),
            *([trial["algorithm"] or ""] if are_several else []),
            *(short_number(trial["values"][metric]) for metric in goals),
            *cells(trial["parameters"], names),
        ]
        for trial in front
    ]
    right = {0, *range(len(given), len(given) + len(goals))}
    return table(header, rows, right=frozenset(right))


def trials_csv(trials: Sequence[TrialData]) -> str:
    """Return trials as CSV: objectives of several, parameters and metrics each as a column of its own."""
    parameters = parameter_names(trial["parameters"] for trial in trials)
    metrics = list(dict.fromkeys(name for trial in trials for name in trial["metrics"]))
    several = list(next((trial["values"] for trial in trials if trial["values"]), {}))
    plain = ["trial", "status", "reason", "value"]
    plain += ["spread"] if any(trial["repeats"] for trial in trials) else []
    if any(trial["algorithm"] is not None for trial in trials):
        plain.insert(1, "algorithm")
    rest = ["started", "ended", "seconds", "attempts", "launcher_id", "proposed_by"]
    if any(trial["machine"] is not None for trial in trials):
        rest += ["cost", "machine", "billable_seconds", "interruptions"]
    if any(trial["feasible"] is not None for trial in trials):
        rest.append("feasible")
    if several:
        rest.append("on_front")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*plain, *(f"objective:{name}" for name in several), *parameters, *metrics, *rest])
    for trial in trials:
        row: Mapping[str, object] = {**trial}
        writer.writerow(
            [
                *(row[name] for name in plain),
                *((trial["values"] or {}).get(name) for name in several),
                *(_csv_cell(trial["parameters"], name) for name in parameters),
                *(trial["metrics"].get(name) for name in metrics),
                *(_flag(row[name]) for name in rest),
            ]
        )
    return text.getvalue().rstrip("\n")


def _flag(value: object) -> object:
    return value_text(value) if isinstance(value, bool) else value


def _csv_cell(parameters: Mapping[str, Scalar], name: str) -> Scalar:
    """Return a value for a cell, which is empty for a parameter that is not active alone: null is `null`."""
    value = parameters.get(name, "")
    return value_text(value) if value is None or isinstance(value, bool) else value


def cell(value: Scalar) -> str:
    """Return a value for a table's cell: numbers with at most six digits."""
    return f"{value:.6g}" if isinstance(value, float) else value_text(value)


def cells(parameters: Mapping[str, Scalar], names: Sequence[str]) -> list[str]:
    """Return a configuration's values for a table's columns: nothing for a parameter that is not active."""
    return [cell(parameters[name]) if name in parameters else "" for name in names]

"""Trials as tables: for people, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo.cli.render import SHORTEST, money, short_number, shortened, table, value_text
from hpo.report.columns import parameter_names
from hpo.spec.space import Scalar

if TYPE_CHECKING:
    from hpo.report.data import TrialData
    from hpo.report.front import FrontTrialData


@dataclass(frozen=True, slots=True)
class _Column:
    """A table's column: numbers are flush right."""

    name: str
    cells: Sequence[str]
    is_number: bool = False

    @property
    def width(self) -> int:
        """Characters of its longest cell."""
        return max(map(len, [self.name, *self.cells]))


def _joined(columns: Sequence[_Column]) -> str:
    rows = list(zip(*(column.cells for column in columns), strict=True))
    right = frozenset(index for index, column in enumerate(columns) if column.is_number)
    return table([column.name for column in columns], rows, right=right)


def trials_table(
    trials: Sequence[TrialData], reasons: Sequence[str], metric: str, *, width: int | None = None
) -> str:
    """Return a row for each trial, with its reason last, which is cut so that the row fits into a width.

    Of several objectives each has a column, and `*` marks the front.
    """
    columns = [
        *_trial_columns(trials),
        _Column("status", [trial["status"] for trial in trials]),
        *_found_columns(trials, metric),
        *_spent_columns(trials),
        *_parameter_columns(trials),
    ]
    if width is not None:
        room = max(width - sum(column.width + 2 for column in columns), SHORTEST)
        reasons = [shortened(reason, room) for reason in reasons]
    return _joined([*columns, _Column("reason", reasons)])


def front_table(front: Sequence[FrontTrialData]) -> str:
    """Return a row for each trial of a Pareto front: its values, then its parameters."""
    goals = front[0]["goals"] if front else {}
    values = [
        _Column(
            f"{metric} ({goal})", [short_number(trial["values"][metric]) for trial in front], is_number=True
        )
        for metric, goal in goals.items()
    ]
    trials, *algorithms = _trial_columns(front)
    has_parents = any(trial["origin"] != trial["job"] for trial in front)
    of = [_Column("of", [trial["origin"] for trial in front])] if has_parents else []
    return _joined([trials, *of, *algorithms, *values, *_parameter_columns(front)])


def _trial_columns(trials: Sequence[TrialData] | Sequence[FrontTrialData]) -> list[_Column]:
    """Return what tells trials apart: their numbers, and of several algorithms each one's."""
    columns = [_Column("trial", [str(trial["trial"]) for trial in trials], is_number=True)]
    if any(trial["algorithm"] is not None for trial in trials):
        columns.append(_Column("algorithm", [trial["algorithm"] or "" for trial in trials]))
    return columns


def _found_columns(trials: Sequence[TrialData], metric: str) -> list[_Column]:
    """Return what trials have found: their values, how much these vary, and which are on the front."""
    several = list(next((trial["values"] for trial in trials if trial["values"]), {}))
    columns = [
        _Column(name, [short_number((trial["values"] or {}).get(name)) for trial in trials], is_number=True)
        for name in several
    ] or [_Column(metric, [short_number(trial["value"]) for trial in trials], is_number=True)]
    if any(trial["repeats"] for trial in trials):
        columns.append(_Column("spread", [short_number(trial["spread"]) for trial in trials], is_number=True))
    if several:
        columns.append(_Column("front", ["*" if trial["on_front"] else "" for trial in trials]))
    return columns


def _spent_columns(trials: Sequence[TrialData]) -> list[_Column]:
    seconds, costs = ([trial[what] for trial in trials] for what in ("seconds", "cost"))
    columns = [
        _Column("seconds", ["-" if each is None else f"{each:.1f}" for each in seconds], is_number=True)
    ]
    if any(cost is not None for cost in costs):
        columns.append(
            _Column("cost", ["-" if cost is None else money(cost) for cost in costs], is_number=True)
        )
    return columns


def _parameter_columns(trials: Sequence[TrialData] | Sequence[FrontTrialData]) -> list[_Column]:
    """Return a column for each parameter: empty where it is not active."""
    configurations = [trial["parameters"] for trial in trials]
    names = parameter_names(configurations)
    rows = [cells(parameters, names) for parameters in configurations]
    return [_Column(name, [row[place] for row in rows]) for place, name in enumerate(names)]


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

"""Trials in a CSV or JSON file as a parent: columns are parameters, beside one with the objective's value."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import assert_never

from hpo.amt.values import algorithm_name
from hpo.core.prior import Parent, PastTrial
from hpo.errors import UsageError
from hpo.spec.nodes import Plain
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space, Values

_VALUES = ("value", "FinalObjectiveValue")
"""Columns with the objective's value, beside one that is named after its metric: hpo's, and SageMaker's."""

OBJECTIVE = "objective:"
"""What the names of columns begin with that have an objective's values, of several: hpo's."""

_STATUSES = ("status", "TrainingJobStatus")
_ALGORITHMS = ("algorithm", "TrainingJobDefinitionName")
"""Columns with the name of a trial's algorithm, of several: hpo's, and SageMaker's."""

_SEPARATORS = (",", ";", "\t")
"""What stands between the cells of a CSV file, as its header shows."""

_MOST = 3
"""How many mistakes of one file are told."""

_Row = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Columns:
    """What is looked for in a table."""

    metric: str
    space: Space
    fixed: Values
    algorithm: str | None = None  # whose trials are wanted, of several
    others: tuple[str, ...] = ()  # metrics of the objectives beside the first one

    @property
    def names(self) -> set[str]:
        """Those of tuned and fixed parameters."""
        return {*self.fixed, *(parameter.name for parameter in self.space)}


def read_table(path: Path, name: str, columns: Columns) -> dict[str | None, Parent]:
    """Read a table of trials, by algorithm; texts become what the space makes of them. Raises UsageError.

    Other columns are passed over, so that a table of `hpo trials` or of SageMaker's SDK is one, too. A row
    whose status says that it failed, or without a value, is no evidence. Of several algorithms only the
    wanted one's rows are read, and those of others counted, as their parameters are others.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {why}") from None
    try:
        rows = list(_json_rows(path, text) if path.suffix == ".json" else _csv_rows(path, text, columns))
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV: {error}") from None
    if not rows:
        raise UsageError(f"{path} has no rows")
    value_columns = _value_columns(path, rows, columns)
    by_algorithm: dict[str | None, dict[int, tuple[int, _Row]]] = {}
    for number, (place, row) in enumerate(rows, 1):
        by_algorithm.setdefault(_algorithm(row, columns), {})[number] = place, row
    wanted = columns.algorithm if columns.algorithm in by_algorithm else None
    if wanted is None and columns.algorithm is None and len(by_algorithm) == 1:
        (wanted,) = by_algorithm
    return {
        algorithm: _typed(path, name, value_columns, own, columns)
        if algorithm == wanted
        else Parent(name, unfinished=len(own))
        for algorithm, own in by_algorithm.items()
    }


def _algorithm(row: _Row, columns: Columns) -> str | None:
    """Return a row's algorithm; None where the table does not say, or has a parameter of that name."""
    named = (row[name] for name in _ALGORITHMS if name not in columns.names and row.get(name) is not None)
    return next((algorithm_name(str(name)) for name in named), None)


def _typed(
    path: Path,
    name: str,
    value_columns: Sequence[str],
    rows: Mapping[int, tuple[int, _Row]],
    columns: Columns,
) -> Parent:
    """Return rows, by their numbers, as what the space makes of them. Raises UsageError."""
    typed, failed, unfinished, mistakes = [], 0, 0, []
    for number, (place, row) in rows.items():
        status = next((str(row[key]).lower() for key in _STATUSES if row.get(key)), "completed")
        try:
            found = [_number(row.get(column), column) for column in value_columns]
            params = dict(_params(row, columns, is_text=path.suffix != ".json"))
        except ValueError as error:
            mistakes.append(f"{path}:{place}: {error}")
            continue
        if status == "failed":
            failed += 1
        elif status != "completed" or None in found:
            unfinished += 1
        else:
            value, *others = (each for each in found if each is not None)
            typed.append(PastTrial(path.stem, number, params, value, tuple(others)))
    if mistakes:
        more = f"; and {len(mistakes) - _MOST} more" if len(mistakes) > _MOST else ""
        raise UsageError("; ".join(mistakes[:_MOST]) + more)
    return Parent(name, tuple(typed), failed, unfinished)


def _csv_rows(path: Path, text: str, columns: Columns) -> Iterator[tuple[int, _Row]]:
    """Yield each row with its line; an empty cell is a missing one. Raises UsageError.

    What separates the cells is what the header has: commas, or else semicolons or TABs.
    """
    header = text.partition("\n")[0]
    separator = next((each for each in _SEPARATORS if each in header), ",")
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    names = list(reader.fieldnames or [])
    for name in sorted(columns.names):
        if names.count(name) > 1:
            raise UsageError(f"{path} has {names.count(name)} columns `{name}`; leave one, or rename others")
    for row in reader:
        if any(row.get(None) or ()):  # spreadsheets pad rows with empty ones
            raise UsageError(
                f"{path}:{reader.line_num}: it has more cells than there are columns, {len(names)}; "
                "text with a separator in it stands in quotes"
            )
        yield reader.line_num, {key: cell for key, cell in row.items() if key and cell not in (None, "")}


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, _Row]]:
    """Yield each row with its number: a mapping, or one that has the parameters in another one."""
    try:
        table: Plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
        raise UsageError(f"{path} must be a list of mappings, one for each trial")
    for number, row in enumerate(table, 1):
        if isinstance(row, dict):
            inner, values = row.get("parameters"), row.get("values")
            flat = {**row, **inner} if isinstance(inner, dict) else row
            if isinstance(values, dict):
                flat = {**flat, **{f"{OBJECTIVE}{metric}": value for metric, value in values.items()}}
            yield number, {key: cell for key, cell in flat.items() if not isinstance(cell, list | dict)}


def _value_columns(path: Path, rows: Sequence[tuple[int, _Row]], columns: Columns) -> list[str]:
    """Return the columns with the values of the objectives, in their order. Raises UsageError."""
    if not columns.others:
        return [_value_column(path, rows, columns)]
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    parameters = {parameter.name for parameter in columns.space} | columns.fixed.keys()
    found, missing = [], []
    for metric in (columns.metric, *columns.others):
        wanted = [name for name in (f"{OBJECTIVE}{metric}", metric) if name not in parameters]
        column = next((name for name in wanted if name in names), None)
        if column is None:
            missing.append(metric)
        else:
            found.append(column)
    if missing:
        lacks = f"{path} has no column with values of {' and '.join(missing)}"
        raise UsageError(f"{lacks}; its columns are: {', '.join(names)}")
    return found


def _value_column(path: Path, rows: Sequence[tuple[int, _Row]], columns: Columns) -> str:
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    for name in (*_VALUES, columns.metric):
        if name in names and name not in columns.names:
            return name
    raise UsageError(
        f"{path} has no column with the objective's value, `{columns.metric}` or `value`; "
        f"its columns are: {', '.join(names)}"
    )


def _number(cell: Scalar, column: str) -> float | None:
    """Return the objective's value; None where it is missing, or not finite."""
    if cell is None:
        return None
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"`{column}` is {cell!r}, which is no number") from None
    return value if math.isfinite(value) else None


def _params(row: _Row, columns: Columns, *, is_text: bool) -> Iterator[tuple[str, Scalar]]:
    for parameter in columns.space:
        if parameter.name in row:
            cell = row[parameter.name]
            yield parameter.name, _of_text(parameter, str(cell)) if is_text else cell
    for name, value in columns.fixed.items():
        if name in row:
            yield name, _like(str(row[name]), [value]) if is_text else row[name]


def _of_text(parameter: Parameter, text: str) -> Scalar:
    """Return what a text means to a parameter. Raises ValueError for a number that is none."""
    match parameter:
        case Categorical():
            return _like(text, parameter.values)
        case Continuous() | Integer():
            try:
                number = float(text)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise ValueError(f"`{parameter.name}` is {text!r}, which is no number")
            return int(number) if isinstance(parameter, Integer) and number.is_integer() else number
        case _:
            assert_never(parameter)


def _like(text: str, values: Sequence[Scalar]) -> Scalar:
    """Return the value that is written like this; the text itself where none is."""
    for value in values:
        if text == _written(value):
            return value
    for value in values:
        if _written(value).lower() == text.lower() or _is_number(value, text):
            return value
    return text


def _written(value: Scalar) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_number(value: Scalar, text: str) -> bool:
    """Tell whether a text is another way to write a number: 1e-4 and 0.0001, 64 and 64.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return float(text) == value
    except ValueError:
        return False

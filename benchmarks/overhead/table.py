"""What the rows of the benchmark find, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One goal and what was measured of it; `met` is None where there is no goal."""

    what: str
    goal: str
    measured: str
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its findings, and the figures behind them as a table, by contender."""

    title: str
    findings: Sequence[Finding]
    heads: Sequence[str] = ()
    figures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    trials: int  # tiny ones
    sleeps: int  # of one second, in each slot
    lines: int  # of each of four trials
    finished: int  # trials, on resuming
    megabytes: int  # of log
    many: int  # finished trials, for the cost of an event
    calls: int  # of each quick command


FULL = Size(rounds=5, trials=200, sleeps=5, lines=250, finished=5000, megabytes=50, many=10_000, calls=7)
QUICK = Size(rounds=2, trials=60, sleeps=2, lines=50, finished=1000, megabytes=10, many=1000, calls=3)


def at_most(what: str, value: float, limit: float, unit: str, *, digits: int = 0) -> Finding:
    """Return the finding on a figure that is to be no more than its limit."""
    return Finding(what, f"≤ {limit:g} {unit}".strip(), f"{value:,.{digits}f} {unit}".strip(), value <= limit)


def at_least(what: str, value: float, limit: float, unit: str, *, digits: int = 2) -> Finding:
    """Return the finding on a figure that is to be no less than its limit."""
    return Finding(what, f"≥ {limit:g} {unit}".strip(), f"{value:,.{digits}f} {unit}".strip(), value >= limit)


def markdown(title: str, rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """Return all of it: goals, then the figures of each row, then the machine."""
    summary = [
        [finding.what, finding.goal, finding.measured, _MET[finding.met]]
        for row in rows
        for finding in row.findings
    ]
    parts = [f"# {title}", _table(["", "goal", "measured", ""], summary)]
    for row in rows:
        parts.append(f"## {row.title}")
        if row.figures:
            parts.append(_table(["", *row.heads], [[name, *values] for name, values in row.figures.items()]))
        if row.note:
            parts.append(row.note)
    parts.append("## The machine")
    parts.append("\n".join(f"- {name}: {fact}" for name, fact in facts.items()))
    return "\n\n".join(parts) + "\n"


_MET = {True: "met", False: "**not met**", None: ""}


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, ["---"] * len(heads), *lines])

"""What the metric doctor found, for people and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from hpo.metrics.closest import Suggestion

_NOTHING_PRINTED = (
    "the log is empty: nothing was printed on stdout or stderr. Metrics are read from what the program"
    " prints, so it must print them, not only write them to a file or a tracking server. A Python program's"
    " output is not held back in a buffer (PYTHONUNBUFFERED is set); other programs must flush theirs."
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log, fit to be shown: control characters escaped, a long line cut."""

    number: int | None  # from 1; None behind a part of the log that was skipped
    text: str

    def __str__(self) -> str:
        return self.text if self.number is None else f"line {self.number:,}: {self.text}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a pattern captured on a line; the value is None where that is no number."""

    line: LogLine
    captured: str
    value: float | None


@dataclass(frozen=True, slots=True)
class MetricDiagnosis:
    """What one metric's pattern found in a log."""

    metric: str
    regex: str
    count: int  # of numbers read, NaN and infinity included
    last: float | None
    matched: tuple[Reading, ...]  # the first three and the last three
    unreadable_count: int  # of captured texts that are no number
    unreadable: tuple[Reading, ...]  # the first three
    closest: tuple[LogLine, ...]  # up to five, closest first; only where no number was read
    suggestion: Suggestion | None
    warnings: tuple[str, ...]

    def headline(self, lines: str) -> str:
        """Say in one line what was found in so many lines."""
        pattern = f"`{self.regex}` ({self.metric})"
        if self.count:
            matches = _counted(self.count, "match", "matches")
            return f"{matches} in {lines} for {pattern}; the last is {self.last!r}"
        if self.unreadable:
            times = _counted(self.unreadable_count, "time", "times")
            captured = self.unreadable[0].captured
            return f"no number in {lines} for {pattern}: it matches {times}, but captures `{captured}`"
        return f"0 matches in {lines} for {pattern}"

    def advice(self) -> Iterator[str]:
        """Say what to write instead, in one line, where something would read the metric."""
        if self.suggestion is not None:
            quoted = self.suggestion.regex.replace("'", "''")
            read = _counted(self.suggestion.count, "number", "numbers")
            yield f"try: '{quoted}' (it reads {read} here, the last is {self.suggestion.last!r})"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the patterns of a spec found in a log."""

    objective: str
    lines: int  # looked at
    skipped_bytes: int  # of a long log's middle
    ending: LogLine | None  # the last line that is not blank
    metrics: tuple[MetricDiagnosis, ...]

    def summary(self) -> str:
        """Say in one to three lines why the objective was not read, and what would help."""
        if self.lines == 0:
            return _NOTHING_PRINTED
        objective = next(metric for metric in self.metrics if metric.metric == self.objective)
        parts = [objective.headline(self._lines())]
        if objective.closest:
            parts.append(f"the closest is {objective.closest[0]}")
        elif self.ending and not objective.count:
            parts.append(f"no line comes close; the last is {self.ending}")
        return "\n".join([*parts, *objective.advice()])

    def text(self) -> str:
        """Say for each metric which lines matched, what was read, what came close, and what would help."""
        if self.lines == 0:
            return _NOTHING_PRINTED
        told: dict[str, str] = {}
        return "\n\n".join("\n  ".join(self._about(metric, told)) for metric in self.metrics)

    def to_json(self) -> str:
        """Return the diagnosis as a JSON object of its fields; NaN and infinity are null."""
        return json.dumps(_jsonable(asdict(self)), ensure_ascii=False)

    def _lines(self) -> str:
        lines = _counted(self.lines, "line", "lines")
        return (
            f"{lines} ({self.skipped_bytes:,} bytes in the middle skipped)" if self.skipped_bytes else lines
        )

    def _about(self, metric: MetricDiagnosis, told: dict[str, str]) -> Iterator[str]:
        """Yield what is to be said of a metric; `told` has by its text of which one it was said before."""
        yield metric.headline(self._lines())
        for reading in metric.matched:
            yield f"{reading.line} → {reading.captured}"
        for reading in metric.unreadable:
            yield f"{reading.line} → {reading.captured} (no number)"
        closest = "\n  ".join(["the closest lines:", *(f"  {line}" for line in metric.closest)])
        if metric.closest:
            first = told.setdefault(closest, metric.metric)
            yield closest if first == metric.metric else f"the closest lines are those of {first}"
        if not metric.count and not metric.closest and self.ending:
            yield f"no line comes close; the last is {self.ending}"
        for warning in metric.warnings:
            yield f"warning: {warning}"
        for advice in metric.advice():
            first = told.setdefault(advice, metric.metric)
            yield advice if first == metric.metric else f"try: what is said of {first}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _jsonable(value: object) -> object:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [_jsonable(item) for item in value]
        case _:
            return value

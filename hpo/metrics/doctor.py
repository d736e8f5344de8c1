"""The metric doctor: what a spec's patterns find in a log, and what would help where they find nothing."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from hpo.metrics.closest import closest_lines, lines_with_numbers, suggest
from hpo.metrics.diagnosis import Diagnosis, LogLine, MetricDiagnosis, Reading
from hpo.metrics.regex import pattern_warnings
from hpo.metrics.scan import MetricPattern, clean, compile_metrics, count_lines, line_bounds, number

_PART = 8 << 20  # bytes looked at of a log's beginning, and of its end
_SAMPLES = 3
_CLOSEST = 5
_MAX_SHOWN = 160  # characters of a line

Span = tuple[int, int]
"""Where a captured text begins and ends, in bytes."""


def diagnose(log: BinaryIO, metrics: Mapping[str, str], objective: str) -> Diagnosis:
    """Return what some metrics, given as name → regex, find in a log, and help where they find nothing.

    Of a log longer than 16 MiB the first and the last 8 MiB are looked at. Raises SpecError where
    a pattern cannot be used.
    """
    patterns = compile_metrics(metrics).patterns
    head, tail, skipped = _both_ends(log)
    text = clean(head + tail)
    lines = count_lines(text)
    numbered = count_lines(clean(head)) if skipped else lines
    candidates = lines_with_numbers(text)
    return Diagnosis(
        objective=objective,
        lines=lines,
        skipped_bytes=skipped,
        ending=_ending(text, numbered),
        metrics=tuple(_examined(text, numbered, candidates, pattern) for pattern in patterns),
    )


def advice(log: bytes, metrics: Mapping[str, str]) -> str:
    """Return what to say of a log without these metrics, or without some of them."""
    found = [diagnose(io.BytesIO(log), {name: regex}, name) for name, regex in metrics.items()]
    unread = [each for each in found if not each.metrics[0].count]
    return "\n".join(dict.fromkeys(each.summary() for each in unread or found))


def _both_ends(log: BinaryIO) -> tuple[bytes, bytes, int]:
    """Return a log's first and last whole lines, and how many bytes between them were skipped."""
    head, tail, skipped = log.read(_PART), b"", 0
    if log.seekable():
        end = log.tell()
        skipped = max(0, log.seek(0, io.SEEK_END) - _PART - end)
        log.seek(end + skipped)
    while piece := log.read(_PART):
        tail += piece
        skipped += max(0, len(tail) - _PART)
        tail = tail[-_PART:]
    if skipped:
        kept = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1
        dropped = min((tail.find(end) for end in (b"\n", b"\r") if end in tail), default=-1) + 1
        skipped += len(head) - kept + dropped
        head, tail = head[:kept], tail[dropped:]
    return head, tail, skipped


def _examined(
    text: bytes, numbered: int, candidates: Mapping[int, str], pattern: MetricPattern
) -> MetricDiagnosis:
    """Say what a pattern does in a clean text, of which only the first `numbered` lines are numbered."""
    found = _Found.by(pattern, text)
    near = [] if found.count else closest_lines(candidates, pattern.metric, pattern.regex, most=_CLOSEST)
    return MetricDiagnosis(
        metric=pattern.metric,
        regex=pattern.regex,
        count=found.count,
        last=found.last,
        matched=tuple(_reading(text, numbered, span) for span in [*found.first_read, *found.last_read]),
        unreadable_count=found.unreadable_count,
        unreadable=tuple(_reading(text, numbered, span) for span in found.unreadable),
        closest=tuple(
            LogLine(_line_number(text, numbered, line.start), _excerpt(line.text, line.at)) for line in near
        ),
        suggestion=None if found.count else suggest(text, pattern.regex, near),
        warnings=tuple(pattern_warnings(pattern.regex)),
    )


@dataclass(slots=True)
class _Found:
    """What a pattern captured in a text, of which some places are kept."""

    count: int = 0
    last: float | None = None
    unreadable_count: int = 0
    first_read: list[Span] = field(default_factory=list)
    last_read: deque[Span] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    unreadable: list[Span] = field(default_factory=list)

    @classmethod
    def by(cls, pattern: MetricPattern, text: bytes) -> _Found:
        found = cls()
        for span in pattern.captures(text):
            found._add(span, number(text[slice(*span)]))
        return found

    def _add(self, span: Span, value: float | None) -> None:
        if value is None:
            self.unreadable_count += 1
            if len(self.unreadable) < _SAMPLES:
                self.unreadable.append(span)
            return
        self.count += 1
        self.last = value
        (self.first_read if len(self.first_read) < _SAMPLES else self.last_read).append(span)


def _ending(text: bytes, numbered: int) -> LogLine | None:
    end = len(text.rstrip())
    if end == 0:
        return None
    start, _ = line_bounds(text, end - 1)
    return LogLine(_line_number(text, numbered, start), _excerpt(_decoded(text[start:end]), 0))


def _reading(text: bytes, numbered: int, span: Span) -> Reading:
    """Return what was captured at a place of a clean text, with as much of its line as is shown."""
    start, end = span
    line_start, line_end = line_bounds(text, start)
    before = _decoded(text[max(line_start, start - 4 * _MAX_SHOWN) : start])
    return Reading(
        LogLine(
            _line_number(text, numbered, line_start),
            _excerpt(before + _decoded(text[start:line_end]), len(before)),
        ),
        _excerpt(_decoded(text[start:end]), 0),
        number(text[start:end]),
    )


def _line_number(text: bytes, numbered: int, position: int) -> int | None:
    line = text.count(b"\n", 0, position) + 1
    return line if line <= numbered else None


def _excerpt(line: str, at: int) -> str:
    """Cut a line around a place of it, and escape what would disturb a terminal."""
    start = max(0, min(at - _MAX_SHOWN // 2, len(line) - _MAX_SHOWN))
    shown = line[start : start + _MAX_SHOWN]
    escaped = "".join(char if char.isprintable() else repr(char)[1:-1] for char in shown)
    return f"{'…' if start else ''}{escaped}{'…' if start + _MAX_SHOWN < len(line) else ''}"


def _decoded(text: bytes) -> str:
    return text[: 4 * _MAX_SHOWN].decode(errors="ignore")

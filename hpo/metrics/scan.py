"""From the bytes of a log to the values of its metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from hpo.core.trial import Match
from hpo.errors import Problem, SpecError
from hpo.metrics.regex import Hit, Program, compiled, pattern_problem
from hpo.metrics.syntax import on_every_line

_ESCAPE_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*+[ -/]*+[@-~]"  # colours, cursor
    rb"|\][^\x07\x1b\r\n]*+(?:\x07|\x1b\\)"  # titles, links
    rb"|[ -/]++[0-~]|[0-Z\\^-~])"  # character sets and the rest
)
_CROWD = 100  # matches on one line from which on a search looks no further than it needs to
_AHEAD = 1024  # bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """What a piece of a log gave, in the order of the log: by line, then place in it, then spec."""

    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class MetricPattern:
    """A metric's regex, ready to be searched in clean text."""

    metric: str
    regex: str
    program: Program

    @classmethod
    def of(cls, metric: str, regex: str) -> MetricPattern:
        """Compile a regex that has no `pattern_problem`."""
        return cls(metric, regex, compiled(on_every_line(regex), within_lines=True))

    def captures(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield where the group's text begins and ends, for every match on every line.

        Matches on one line do not overlap; empty ones, and those in which the group took no part,
        are left out. All lines are searched at once: as nothing in the program matches a newline,
        and ^, $ and the word boundaries see a newline as the end of the text, it finds on each
        line what the regex finds in that line alone. After a hundred matches on one line the next
        ones are searched for piece by piece, and a pattern's optional tail may then be missed.
        """
        position = 0
        while position < len(text):
            line_end, on_line = -1, 0
            for hit in self.program.finditer(text, position):
                start, end = hit.span(1)
                if start > line_end:
                    line_end, on_line = _line_end(text, start), 0
                on_line += 1
                if on_line > _CROWD:
                    position = hit.span()[0]
                    break
                if start < end or _is_hit(hit):
                    yield start, end
            else:
                return
            line_end = _line_end(text, position)
            yield from self._crowded(text, position, line_end)
            position = line_end + 1

    def _crowded(self, text: bytes, position: int, line_end: int) -> Iterator[tuple[int, int]]:
        r"""Go on within a line of many matches, in time linear in its length.

        Each search of `x=(\S+)(?: .*end)?` looks for the tail up to the line's end: a line with as
        many matches as bytes would take quadratic time. So a search sees a small piece, and a
        larger one only where nothing is found in it or where the match may go on behind it.
        """
        ahead = _AHEAD
        while position <= line_end:
            piece_end = min(position + ahead, line_end)
            hit = self.program.search(text, position, piece_end)
            start, end = hit.span() if hit else (-1, piece_end)
            if end == piece_end < line_end:
                ahead *= 2
                continue
            if hit is None:
                return
            if _is_hit(hit):
                yield hit.span(1)
            position, ahead = end + (end == start), _AHEAD


@dataclass(frozen=True, slots=True)
class Scanner:
    """The metrics of a spec, looked for together."""

    patterns: tuple[MetricPattern, ...]

    def scan(self, data: bytes) -> Scan:
        """Return every value in a piece of a log that consists of whole lines.

        A line ends with a newline, a carriage return or both; the last one may be unended. Escape
        sequences of terminals are left out, and invalid UTF-8 is replaced. Each regex is tried on
        every line, and each of its matches there counts. A captured text is a number if Python's
        float reads it as it stands: NaN and infinity are values, `0.93,` and `93%` are none.
        """
        text = clean(data)
        matches: list[tuple[int, int, Match]] = []
        for order, pattern in enumerate(self.patterns):
            for start, end in pattern.captures(text):
                value = number(text[start:end])
                if value is not None:
                    matches.append((start, order, Match(pattern.metric, value)))
        matches.sort(key=itemgetter(0, 1))
        return Scan(tuple([match for _, _, match in matches]))


def compile_metrics(metrics: Mapping[str, str]) -> Scanner:
    """Return the scanner for some metrics, given as name → regex.

    Raises SpecError with every pattern that cannot be used.
    """
    problems = [
        Problem(f"{name}: {problem}", path=f"metrics.{name}", hint=f"the pattern is {regex!r}")
        for name, regex in metrics.items()
        if (problem := pattern_problem(regex))
    ]
    if problems:
        raise SpecError(problems)
    return Scanner(tuple(MetricPattern.of(name, regex) for name, regex in metrics.items()))


def clean(data: bytes) -> bytes:
    """Return a log's text as patterns see it: newlines end lines, no escape sequences, valid UTF-8."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\x1b" in data:
        data = _ESCAPE_SEQUENCE.sub(b"", data)
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode(errors="replace").encode()
    return data


def number(text: bytes) -> float | None:
    """Return the number that a captured text is; None where it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def count_lines(text: bytes) -> int:
    """Return how many lines a clean text has, an unended last one included."""
    return text.count(b"\n") + (not text.endswith(b"\n") and text != b"")


def line_bounds(text: bytes, position: int) -> tuple[int, int]:
    """Return where the line around a position of a clean text begins and ends."""
    return text.rfind(b"\n", 0, position) + 1, _line_end(text, position)


def _is_hit(hit: Hit) -> bool:
    start, end = hit.span()
    return start < end and hit.span(1)[0] >= 0


def _line_end(text: bytes, position: int) -> int:
    end = text.find(b"\n", position)
    return len(text) if end < 0 else end

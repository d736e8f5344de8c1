"""The lines of a log that come closest to a metric, and the pattern that would read it there."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from hpo.metrics.regex import NUMBER, pattern_problem
from hpo.metrics.scan import MetricPattern, number
from hpo.metrics.syntax import literal_text, lost_backslashes, with_backslashes, with_group

_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[^\W\d_A-Z]+\d*")  # val_f1, valF1 and VAL-F1: two words each
_NUMBER = re.compile(
    r"(?<![\w.@/-])[-+]?(?:(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?\d++)?+|nan|NaN|[iI]nf(?:inity)?)(?!\w)"
)
_MAYBE_NUMBER = re.compile(rb"[0-9]|nan|NaN|inf|Inf")
_DIGITS = re.compile(r"\d+")
_STANDS_FOR_ANY = re.compile(r"(\s+|(?<![^\W_])\d+)")
_META = re.compile(r"[\\()\[\]{}*+?|.^$]")
_GROUPS = (r"\S+", r"[^\s,;]+", r"[^\s,;)\]}%]+", NUMBER)  # the simplest that reads the number is suggested
_MAX_KINDS = 1_000  # of lines, those that differ in more than their digits
_MAX_LINE = 2_000  # bytes of a line that are looked at, half of them at its end
_MAX_VOCABULARY = 20_000  # words, up to which misspelt ones are looked for
_MAX_LABEL = 80  # characters
_NEAR_ENOUGH = 0.6  # of the best line's nearness


@dataclass(frozen=True, slots=True)
class NearLine:
    """A line that comes close to a metric, and the number in it that seems to be the metric's."""

    start: int  # where the line begins in the log's text, in bytes
    text: str
    at: int  # where the number stands in `text`
    number: str
    label: str  # what stands before the number, from the first telling word on; "" if nothing tells


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pattern that reads finite numbers in the log: how many, and the last one."""

    regex: str
    count: int
    last: float


def lines_with_numbers(text: bytes) -> dict[int, str]:
    """Return up to a thousand lines that hold a number, by where they begin, the last one first.

    Of lines that differ in their digits only, the last one stands for all; of a line beyond 2,000
    bytes the beginning and the end are returned.
    """
    lines: dict[int, str] = {}
    kinds: set[str] = set()
    end = len(text)
    while end > 0 and len(lines) < _MAX_KINDS:
        start = text.rfind(b"\n", 0, end) + 1
        if _MAYBE_NUMBER.search(text, start, end):
            line = _both_ends(text[start:end])
            kind = _DIGITS.sub("0", line)
            if kind not in kinds and _NUMBER.search(line):
                kinds.add(kind)
                lines[start] = line
        end = start - 1
    return lines


def closest_lines(lines: Mapping[int, str], metric: str, regex: str, *, most: int) -> list[NearLine]:
    """Return those of the `lines_with_numbers` that come closest to a metric, closest first.

    A line is near by the words that it shares with the metric's name and with the literal text of
    its pattern.
    """
    words = {start: set(_words(line)) for start, line in lines.items()}
    nearness = _Nearness.of_metric(metric, regex, set().union(*words.values()))
    near = {start: nearness.of(words[start]) for start in lines}
    closest = sorted(lines, key=lambda start: -near[start])[:most]
    return [
        _near_line(start, lines[start], nearness)
        for start in closest
        if near[start] > 0 and near[start] >= _NEAR_ENOUGH * near[closest[0]]
    ]


def suggest(text: bytes, regex: str, near: Iterable[NearLine]) -> Suggestion | None:
    """Return a pattern that reads numbers where `regex` reads none, tried on the whole text.

    It is `regex` without its traps where that is enough, else one made from a near line.
    """
    for candidate in _candidates(regex, near):
        if candidate != regex and not pattern_problem(candidate):
            values = _read(candidate, text)
            finite = [value for value in values if value is not None and math.isfinite(value)]
            if finite:
                return Suggestion(candidate, len(finite), finite[-1])
    return None


def _both_ends(line: bytes) -> str:
    if len(line) > _MAX_LINE:
        line = line[: _MAX_LINE // 2] + b" ... " + line[-_MAX_LINE // 2 :]
    return line.decode(errors="replace")


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


@dataclass(frozen=True, slots=True)
class _Nearness:
    """How near words of a log come to the words that a metric is known by."""

    weights: Mapping[str, float]  # of the metric's words
    kin: Mapping[str, Mapping[str, float]]  # metric's word → word of the log → likeness, up to 1

    @classmethod
    def of_metric(cls, metric: str, regex: str, vocabulary: set[str]) -> _Nearness:
        named = _words(metric)
        spelled = [word for word in _words(literal_text(with_backslashes(regex))) if len(word) > 1]
        weights = {word: 1.0 + (word in named and word in spelled) for word in [*named, *spelled]}
        return cls(weights, {word: _kin(word, vocabulary) for word in weights})

    def of(self, words: Iterable[str]) -> float:
        found = set(words)
        return sum(
            weight
            * max((likeness for other, likeness in self.kin[word].items() if other in found), default=0)
            for word, weight in self.weights.items()
        )


def _kin(word: str, vocabulary: set[str]) -> dict[str, float]:
    kin: dict[str, float] = {}
    if len(word) > 3 and len(vocabulary) <= _MAX_VOCABULARY:
        kin = dict.fromkeys(get_close_matches(word, sorted(vocabulary), n=5, cutoff=0.8), 0.5)
    for other in vocabulary:
        short, long = sorted((word, other), key=len)
        if len(short) >= 3 and long.startswith(short):  # val for validation, acc for accuracy
            kin[other] = 0.7
    if word in vocabulary:
        kin[word] = 1.0
    return kin


def _near_line(start: int, line: str, nearness: _Nearness) -> NearLine:
    """Choose the number of a line whose label is nearest, the first of those that are equal."""
    hits = list(_NUMBER.finditer(line))
    ends = [0, *(hit.end() for hit in hits)]
    labels = [line[end : hit.start()] for end, hit in zip(ends, hits, strict=False)]
    near = [nearness.of(_words(label)) for label in labels]
    chosen = near.index(max(near))
    hit = hits[chosen]
    return NearLine(start, line, hit.start(), hit.group(), _trimmed(labels[chosen], nearness))


def _trimmed(label: str, nearness: _Nearness) -> str:
    """Cut a label to its first telling word, and what is written together with that."""
    for word in _WORD.finditer(label):
        if nearness.of([word.group().lower()]) > 0:
            start = word.start()
            while start > 0 and (label[start - 1].isalnum() or label[start - 1] in "_-."):
                start -= 1
            return label[start:]
    return ""


def _candidates(regex: str, near: Iterable[NearLine]) -> Iterator[str]:
    for own in [with_backslashes(regex), regex] if lost_backslashes(regex) else [regex]:
        yield own
        yield from (with_group(own, group) for group in _GROUPS)
    for line in near:
        yield from _from_line(line)


def _from_line(line: NearLine) -> Iterator[str]:
    """Yield the simplest pattern that reads the line's number, and nothing else in the line."""
    label = line.label
    if not label or len(label) > _MAX_LABEL or not label.replace("\t", " ").isprintable():
        return
    key = "".join(map(_generalised, _STANDS_FOR_ANY.split(label)))
    text, wanted = line.text.encode(), [float(line.number)]
    for start in ("", r"\b"):
        for group in _GROUPS:
            candidate = f"{start}{key}({group})"
            if not pattern_problem(candidate) and _read(candidate, text) == wanted:
                yield candidate
                return


def _generalised(piece: str) -> str:
    if piece.isspace():
        return " " if piece == " " else r"\s+"
    if piece.isdigit():
        return r"\d+"
    return _META.sub(r"\\\g<0>", piece)


def _read(regex: str, text: bytes) -> list[float | None]:
    return [number(text[start:end]) for start, end in MetricPattern.of("", regex).captures(text)]

r"""Patterns of metrics: RE2's, matched in time linear in the text, whatever the pattern.

Syntax: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import re2

from hpo.metrics.syntax import around_group, from_group, lost_backslashes, tokens

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
"""A pattern for a finite decimal number, with or without an exponent."""

MAX_LENGTH = 500  # characters; SageMaker's limit for a metric definition
_MAX_PROGRAM = 2_000  # RE2's instructions: matching takes up to this many steps for each byte
_MAX_MEMORY = 8 << 20  # bytes, of one pattern and what it caches

_LINEAR = "is refused: matching must take linear time, so that no line can hang the tuner"
_LINE_ENDS = frozenset({"\n", "\r", r"\n", r"\r"})
_LOOK_AROUND = ("(?=", "(?!", "(?<=", "(?<!")
_REASONS = (  # RE2's words, and plain ones for what follows them
    ("missing ): ", "a ( is never closed"),
    ("unexpected ): ", "a ) closes nothing"),
    ("missing ]: ", "a [ is never closed"),
    ("trailing \\", "it ends in a single backslash"),
    ("no argument for repetition operator: ", "{} has nothing to repeat"),
    ("bad repetition operator: ", "{} repeats what is repeated already"),
    ("invalid repetition size: ", "{} repeats too often: 1,000 times is the most, nested ones multiplied"),
    ("invalid character class range: ", "{} is no range or class of characters"),
    ("invalid escape sequence: ", "{} is no escape sequence that is known here"),
    ("invalid perl operator: ", "{} is not available here"),
    ("pattern too large", "it is too large; use smaller repetitions"),
)


class Hit(Protocol):
    """A match, with offsets in bytes; (-1, -1) for a group that took no part."""

    def span(self, group: int = 0, /) -> tuple[int, int]:
        """Return where a group's text begins and ends."""


class Program(Protocol):
    """A compiled pattern."""

    groups: int
    programsize: int

    def match(self, text: bytes, /) -> Hit | None:
        """Match at the beginning of the text."""

    def search(self, text: bytes, pos: int = ..., endpos: int = ..., /) -> Hit | None:
        """Find the first match that lies between two offsets."""

    def finditer(self, text: bytes, pos: int = ..., /) -> Iterator[Hit]:
        """Find the matches that do not overlap, from an offset on."""


def compiled(regex: str, *, within_lines: bool = False) -> Program:
    """Compile a pattern; with `within_lines` nothing in it ever matches a newline.

    Raises re2.error, with RE2's reason as bytes, and UnicodeEncodeError for a lone surrogate.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.never_nl = within_lines
    program: Program = re2.compile(regex, options)
    return program


def pattern_problem(regex: str) -> str:
    """Return why a pattern cannot be used for a metric, and what to write instead; "" if it can."""
    if len(regex) > MAX_LENGTH:
        return f"the pattern has {len(regex)} characters; {MAX_LENGTH} are the most"
    try:
        program = compiled(regex)
    except re2.error as error:
        return _why_not_compiled(regex, error.args[0].decode(errors="replace"))
    except UnicodeEncodeError:
        return "the pattern holds half of a surrogate pair, which is no character"
    return _why_unfit(regex, program)


def pattern_warnings(regex: str) -> list[str]:
    """Return the traps in a pattern that can be used: it would read nothing, or not all of a number."""
    if pattern_problem(regex):
        return []
    warnings = [
        f"`{piece}` was probably meant as `{meant}`: in single quotes YAML keeps backslashes as they are"
        for piece, meant in lost_backslashes(regex)
    ]
    if "\b" in regex:
        warnings.append(
            r"the pattern holds a backspace: in double quotes YAML reads \b so; use single quotes"
        )
    alone = from_group(regex, alone=True)
    body = around_group(regex)[1]
    if _captured(alone, b"4.2e-05") == b"4.2":
        dot = ", and captures `0.97.`, which is no number" if _captured(alone, b"0.97.") == b"0.97." else ""
        warnings.append(f"`({body})` reads 4.2e-05 as 4.2{dot}: use `(\\S+)`, or `({NUMBER})`")
    if _captured(from_group(regex), b"") == b"":
        warnings.append(f"`({body})` can capture nothing at all, which is no number: use `(\\S+)`")
    if _captured(from_group(regex), b"12345") == b"1":
        warnings.append(f"`({body})` reads 12345 as 1: use `(\\S+)`")
    return warnings


def _why_not_compiled(regex: str, reason: str) -> str:
    for operator in _LOOK_AROUND:
        if reason == f"invalid perl operator: {operator}":
            kind = "look-behind" if "<" in operator else "look-ahead"
            return f"{kind} {operator}…) {_LINEAR}; spell out the text around the number"
    if reason == "invalid perl operator: (?P" and "(?P=" in regex:
        return f"the back reference (?P=…) {_LINEAR}; write its text again"
    if reason.startswith("invalid escape sequence: \\") and reason[-1].isdigit():
        return f"the back reference {reason[-2:]} {_LINEAR}; write its text again"
    if reason == r"invalid escape sequence: \Z":
        return r"the pattern does not compile: \Z is not known here; write $ for the end of a line"
    for start, words in _REASONS:
        if reason.startswith(start):
            return f"the pattern does not compile: {words.format(reason.removeprefix(start))}"
    return f"the pattern does not compile: {reason}"


def _why_unfit(regex: str, program: Program) -> str:
    if r"\C" in tokens(regex):
        return r"\C matches single bytes, and may match half a character: use . instead"
    if _LINE_ENDS.intersection(tokens(regex)):
        return (
            "the pattern asks for a line's end, and is tried on one line without it: leave it out, or write $"
        )
    if program.programsize > _MAX_PROGRAM:
        return (
            f"the pattern becomes a program of {program.programsize:,} steps; {_MAX_PROGRAM:,} are the most:"
            " use smaller repetitions and fewer Unicode classes"
        )
    if program.groups == 0:
        return r"the pattern has no group: put round brackets around the number, as in f1: (\S+)"
    if program.groups > 1:
        return (
            f"the pattern has {program.groups} groups, and needs exactly one, around the number:"
            " write (?:…) for brackets that only hold together"
        )
    return _why_empty(regex, program)


def _why_empty(regex: str, program: Program) -> str:
    if program.search(b"") is not None:
        return "the pattern matches an empty line, and so everywhere: spell out the text before the number"
    if all(_captured(from_group(regex), number) == b"" for number in (b"0.5", b"-1e-3", b"nan")):
        body = around_group(regex)[1]
        return f"the group ({body}) captures the empty text before a number, not the number: use (\\S+)"
    return ""


def _captured(regex: str, text: bytes) -> bytes | None:
    """Return what a pattern captures at the beginning of a text; None where it does not match there."""
    try:
        hit = compiled(regex).match(text)
    except re2.error:  # a piece of a pattern need not be one
        return None
    if hit is None:
        return None
    start, end = hit.span(1)
    return text[start:end]

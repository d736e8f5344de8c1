"""What PyYAML's syntax errors mean, in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Which error it is, by its text, and what to say about it."""

    pattern: str
    message: str  # with the pattern's groups as in re.sub
    hint: str
    at_beginning: bool = False  # the place is where the unfinished thing begins


_QUOTE_IT = "put the value in single quotes"
_MEANINGS = (
    _Meaning(r"found character '\\t'", "a tab stands where YAML takes spaces only", "indent with spaces"),
    _Meaning(r"found character '(.)'", r"a value cannot begin with `\1`", _QUOTE_IT),
    _Meaning(r"alias .*, but found", "`*` begins an alias, and no name follows", _QUOTE_IT),
    _Meaning(r"anchor .*, but found", "`&` begins an anchor, and no name follows", _QUOTE_IT),
    _Meaning(
        r"found unknown escape character '(.)'",
        r"`\\\1` is no escape sequence of a text in double quotes",
        "put a regex in single quotes, which leave every backslash alone",
    ),
    _Meaning(
        "quoted scalar .*end of stream",
        "this quote is never closed",
        "add the closing quote",
        at_beginning=True,
    ),
    _Meaning(
        "parsing a flow mapping .*",
        "this `{` is not closed, or a comma is missing",
        "quote a text that begins with {",
        at_beginning=True,
    ),
    _Meaning(
        "parsing a flow seq.*",
        "this `[` is not closed, or a comma is missing",
        "quote a text that begins with [",
        at_beginning=True,
    ),
    _Meaning(
        "mapping values are not allowed",
        "`:` makes no key here",
        "quote a value that has `: ` in it; indent the keys of one mapping alike",
    ),
    _Meaning(
        "could not find expected ':'", "this line is no `key: value`", "a key goes with a colon and a space"
    ),
    _Meaning(
        r"found '(<scalar>|\[|\{)'",
        "the value before this is complete already",
        "quote it as a whole, or add the missing comma",
    ),
    _Meaning(
        "sequence entries are not allowed", "a list cannot begin on this line", "begin it on the next line"
    ),
    _Meaning(
        "expected <block end>",
        "this line is indented unlike the ones above",
        "indent what belongs together alike",
    ),
)


def meaning(error: yaml.MarkedYAMLError) -> tuple[str, str, yaml.Mark | None]:
    """Return a message, a hint and the place for a syntax error."""
    text = f"{error.context or ''} {error.problem or ''}"
    for known in _MEANINGS:
        if found := re.search(known.pattern, text):
            mark = error.context_mark if known.at_beginning else error.problem_mark
            return found.expand(known.message), known.hint, mark
    return f"this is no YAML: {text.strip()}", "", error.problem_mark

"""A copied spec as YAML for people: in a fixed order, with what was not carried over where it would stand."""

from __future__ import annotations

from collections.abc import Iterator

from hpo.amt.draft import SECTIONS
from hpo.amt.spec import CopiedSpec
from hpo.spec.environment import escape
from hpo.spec.nodes import Plain
from hpo.spec.scalars import dump

_WIDTH = 100
"""Columns up to which a mapping or a list stays in one line."""

_OPEN = frozenset({"metrics", "parameters", "algorithms", "launcher"})
"""Sections with a line for each entry, however short."""


def page(copied: CopiedSpec, *, heading: str) -> tuple[str, list[str]]:
    """Return the spec's text, and everything that is to be said of it beside."""
    sections, remarks = copied.sections, copied.remarks
    lines = [f"# {heading}"]
    for section in SECTIONS:
        lines += [f"# {_in_one_line(text)}" for about, text in remarks if about == section]
        if section in sections:
            lines += _lines(section, sections[section], "", is_open=section in _OPEN)
    return "\n".join(lines) + "\n", [text for _, text in remarks]


def _lines(key: str, value: Plain, indent: str, *, is_open: bool = False) -> Iterator[str]:
    """Yield an entry of a mapping: in one line where that is short enough."""
    line = f"{indent}{_scalar(key)}: {_flow(value)}"
    match value:
        case dict() if value and (is_open or len(line) > _WIDTH):
            yield f"{indent}{_scalar(key)}:"
            for name, entry in value.items():
                yield from _lines(name, entry, f"{indent}  ")
        case list() if value and len(line) > _WIDTH:
            yield f"{indent}{_scalar(key)}:"
            for item in value:
                yield f"{indent}  - {_flow(item)}"
        case _:
            yield line


def _flow(value: Plain) -> str:
    """Return a value in one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{_scalar(key)}: {_flow(entry)}" for key, entry in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str():
            return _scalar(escape(value))
        case _:
            return _scalar(value)


def _scalar(value: Plain) -> str:
    return dump([value]).strip()[1:-1]  # as it may stand between brackets


def _in_one_line(text: str) -> str:
    return " ".join(text.split())

"""What the format has a place for, and hpo does not do yet: refused by name, never ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hpo.spec.nodes import Plain


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A path (`*` is any key), and the pattern of the values that are not available; None: all are."""

    path: tuple[str, ...]
    value: str | None = None
    instead: str = ""


UNAVAILABLE = (Unavailable(("cross_validation",)),)


def unavailable(spec: Plain) -> Iterator[tuple[tuple[str, ...], Unavailable]]:
    """Yield everything in the spec that is not available yet, with its path."""
    for entry in UNAVAILABLE:
        for path, value in _matching(spec, entry.path):
            if entry.value is None or re.fullmatch(entry.value, str(value)):
                yield path, entry


def _matching(value: Plain, pattern: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Plain]]:
    if not pattern:
        yield (), value
    elif isinstance(value, dict):
        for key in value if pattern[0] == "*" else {pattern[0]} & value.keys():
            for path, found in _matching(value[key], pattern[1:]):
                yield (key, *path), found

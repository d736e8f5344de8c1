"""What AWS answered, taken out piece by piece, so that what nobody took can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LONGEST = 60
"""Characters of a value that is told."""


class Answer:
    """A structure of an answer; whatever is taken is gone from it, and `left` tells what is not."""

    def __init__(self, data: Mapping[str, Any], path: str = "") -> None:
        self._left = {key: value for key, value in data.items() if value not in (None, "", [], {})}
        self._path = path
        self._parts: dict[str, Answer] = {}

    def __bool__(self) -> bool:
        return bool(self._left)

    def text(self, key: str) -> str:
        """Take a text; "" where there is none."""
        return str(self._left.pop(key, ""))

    def texts(self, key: str) -> list[str]:
        """Take a list of texts."""
        return [str(item) for item in self._left.pop(key, ())]

    def mapping(self, key: str) -> dict[str, str]:
        """Take a mapping of texts."""
        return {str(name): str(value) for name, value in self._left.pop(key, {}).items()}

    def integer(self, key: str) -> int | None:
        """Take a whole number."""
        value = self._left.pop(key, None)
        return None if value is None else int(value)

    def number(self, key: str) -> float | None:
        """Take a number; a whole one stays an integer."""
        value = self._left.pop(key, None)
        if value is None:
            return None
        return int(value) if float(value).is_integer() and isinstance(value, int) else float(value)

    def flag(self, key: str) -> bool:
        """Take a truth; false where there is none."""
        return bool(self._left.pop(key, False))

    def part(self, key: str) -> Answer:
        """Take a structure, an empty one where there is none; taken again, it is the same one.

        What is left of it counts as left here.
        """
        if key not in self._parts:
            self._parts[key] = Answer(self._left.pop(key, {}), f"{self._path}{key}.")
        return self._parts[key]

    def parts(self, key: str) -> list[Answer]:
        """Take a list of structures."""
        entries: Sequence[Mapping[str, Any]] = self._left.pop(key, ())
        for number, entry in enumerate(entries):
            place = f"{key}[{number}]"
            self._parts[place] = Answer(entry, f"{self._path}{place}.")
        return [self._parts[f"{key}[{number}]"] for number in range(len(entries))]

    def skip(self, *keys: str) -> None:
        """Take what says nothing about how to run the job."""
        for key in keys:
            self._left.pop(key, None)

    def clear(self) -> None:
        """Take all of it."""
        self._left.clear()
        self._parts.clear()

    def left(self) -> Iterator[str]:
        """Yield the path and the value of everything that nobody took; false ones say nothing."""
        for key, value in self._left.items():
            if value is not False:
                text = str(value)
                yield f"{self._path}{key}: {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}"
        for part in self._parts.values():
            yield from part.left()

"""A program's output as lines, as CloudWatch Logs shows them."""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST = 262_118
"""Bytes of one event; a longer line becomes several."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def escaped(line: str) -> str:
    """Return a line with each control character as `#` and three octal digits: a TAB is #011."""
    return _CONTROL.sub(lambda match: f"#{ord(match[0]):03o}", line)


def events(line: str) -> list[str]:
    """Return a line as the messages that it becomes; an empty one becomes none."""
    text = escaped(line)
    if len(text) * 4 <= LONGEST:
        return [text] if text else []
    data = text.encode()
    pieces: list[str] = []
    while data:
        size = min(LONGEST, len(data))
        while size < len(data) and data[size] & 0xC0 == 0x80:  # in the middle of a character
            size -= 1
        pieces.append(data[:size].decode())
        data = data[size:]
    return pieces


class Lines:
    """What comes in any pieces goes out as whole lines."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        """Take what the program wrote next."""
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            self._rest.append(line)
            self._flush()
        if rest:
            self._rest.append(rest)

    def end(self) -> None:
        """Take what is left as a line."""
        if self._rest:
            self._flush()

    def _flush(self) -> None:
        line = b"".join(self._rest).decode(errors="replace")
        self._rest.clear()
        self._take(line)

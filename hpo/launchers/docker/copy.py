"""The copy of a container's output in its run's log, exact over every break.

A container's standard output and standard error are two sequences of bytes, each told again from its
beginning by the engine's log at any time; how they interleave is told once only, as they are written.
The log holds them as they came, and an index beside it which bytes are whose: so it is known of each
how much was copied, and what follows can be appended, from whichever source it comes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path

from hpo.launchers import indexed_log
from hpo.launchers.indexed_log import IndexedLog

_ENTRY = struct.Struct("<BQ")
"""Of the index: whose the bytes are, and where in the log they end."""

_NEITHER = 0
"""Whose line ends are that stand between an unended line of one stream and one of the other."""

_LONG = 2**16
"""Bytes of a line that are appended before it has ended."""


class Stream(IntEnum):
    """One of a container's two outputs."""

    OUT = 1
    ERR = 2


def copied(log: Path) -> int:
    """Return how much of a log is there for good: what lies behind is written again."""
    return indexed_log.copied(log, _ENTRY)


class Copy:
    """The one writer of a run's log and its index. Raises CopyBusy where there is one, and OSError."""

    def __init__(self, log: Path) -> None:
        self._copied = IndexedLog(log, _ENTRY)
        self._sizes = dict.fromkeys(Stream, 0)
        self._last: int = _NEITHER
        for whose, start, end in self._entries():
            if whose != _NEITHER:
                self._sizes[Stream(whose)] += end - start
            self._last = whose

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        self._copied.close()

    def _add(self, stream: Stream, data: bytes) -> None:
        if stream != self._last and not self._is_at_line_end():
            self._copied.append([((_NEITHER,), b"\n")])
        self._copied.append([((stream,), data)])
        self._sizes[stream] += len(data)
        self._last = stream

    def _is_at_line_end(self) -> bool:
        end = self._copied.end
        return not end or self._copied.read(end - 1, end) in {b"\n", b"\r"}

    def take(self, pieces: Iterable[tuple[Stream, bytes]], *, whole: bool = False) -> Iterator[Stream]:
        """Append what was not copied yet of streams that are told from their beginning; yield whose it is.

        A line is appended when it has ended, or is very long, so that the two streams are mixed line by
        line; the last one in any case where it is the `whole` output that is told. Raises OSError.
        """
        known = dict(self._sizes)
        lines = dict.fromkeys(Stream, b"")
        for stream, piece in pieces:
            line = lines[stream] + piece[known[stream] :]
            known[stream] = max(0, known[stream] - len(piece))
            end = len(line) if len(line) > _LONG else max(line.rfind(b"\n"), line.rfind(b"\r")) + 1
            lines[stream] = line[end:]
            if end:
                self._add(stream, line[:end])
                yield stream
        for stream, line in lines.items():
            if whole and line:
                self._add(stream, line)
                yield stream

    def ends_with(self, stream: Stream, last: bytes) -> bool:
        """Tell whether what was copied of a stream ends with these bytes."""
        left = len(last)
        for whose, start, end in reversed(list(self._entries())):
            if not left:
                break
            if whose == stream:
                size = min(end - start, left)
                if self._copied.read(end - size, end) != last[left - size : left]:
                    return False
                left -= size
        return not left

    def _entries(self) -> Iterator[tuple[int, int, int]]:
        """Yield whose each part of the log is, where it begins, and where it ends."""
        for (whose,), start, end in self._copied.entries():
            yield whose, start, end

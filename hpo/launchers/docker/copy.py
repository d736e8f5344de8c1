"""The copy of a container's output in its run's log, exact over every break.

A container's standard output and standard error are two sequences of bytes, each told again from its
beginning by the engine's log at any time; how they interleave is told once only, as they are written.
The log holds them as they came, and an index beside it which bytes are whose: so it is known of each
how much was copied, and what follows can be appended, from whichever source it comes.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import pairwise
from pathlib import Path

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


class CopyBusy(Exception):
    """Another process, or another launcher of this one, copies this output."""


def index_of(log: Path) -> Path:
    """Return where a log's index lies."""
    return log.with_suffix(".index")


def copied(log: Path) -> int:
    """Return how much of a log is there for good: what lies behind is written again."""
    try:
        with index_of(log).open("rb") as index:
            entries = index.seek(0, os.SEEK_END) // _ENTRY.size
            if not entries:
                return 0
            index.seek((entries - 1) * _ENTRY.size)
            end: int = _ENTRY.unpack(index.read(_ENTRY.size))[1]
            return end
    except (FileNotFoundError, NotADirectoryError):
        return 0


class Copy:
    """The one writer of a run's log and its index. Raises CopyBusy where there is one, and OSError."""

    def __init__(self, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._index = os.open(index_of(log), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._index)
            raise CopyBusy(str(log)) from None
        self._log = os.open(log, os.O_RDWR | os.O_CREAT, 0o666)
        self._sizes = dict.fromkeys(Stream, 0)
        self._end = 0
        self._last: int = _NEITHER
        for whose, start, end in self._entries():
            if whose != _NEITHER:
                self._sizes[Stream(whose)] += end - start
            self._last, self._end = whose, end
        if os.fstat(self._log).st_size < self._end:  # cut by somebody else: begin again
            self._sizes, self._end, self._last = dict.fromkeys(Stream, 0), 0, _NEITHER
            os.ftruncate(self._index, 0)
        os.ftruncate(self._log, self._end)

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._log)
        os.close(self._index)  # and with it the lock

    def _add(self, stream: Stream, data: bytes) -> None:
        if stream != self._last and not self._is_at_line_end():
            self._append(_NEITHER, b"\n")
        self._append(stream, data)
        self._sizes[stream] += len(data)
        self._last = stream

    def _is_at_line_end(self) -> bool:
        return not self._end or os.pread(self._log, 1, self._end - 1) in {b"\n", b"\r"}

    def _append(self, whose: int, data: bytes) -> None:
        _write(self._log, data, self._end)
        self._end += len(data)
        at = os.fstat(self._index).st_size // _ENTRY.size * _ENTRY.size
        _write(self._index, _ENTRY.pack(whose, self._end), at)

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
                if os.pread(self._log, size, end - size) != last[left - size : left]:
                    return False
                left -= size
        return not left

    def _entries(self) -> Iterator[tuple[int, int, int]]:
        """Yield whose each part of the log is, where it begins, and where it ends."""
        size = os.fstat(self._index).st_size // _ENTRY.size * _ENTRY.size
        entries = [(0, 0), *_ENTRY.iter_unpack(os.pread(self._index, size, 0))]
        for (_, start), (stream, end) in pairwise(entries):
            yield stream, start, end


def _write(file: int, data: bytes, at: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, at)
        at += written
        left = left[written:]

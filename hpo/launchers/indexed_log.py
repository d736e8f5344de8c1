"""A run's log that is copied from elsewhere, exact over every break, with an index of its pieces beside it.

A piece is there for good once the index has it: what lies behind the last one is written again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from struct import Struct

_AT_ONCE = 4096
"""Entries of an index that are read at once."""


class CopyBusy(Exception):
    """Another process, or another launcher of this one, copies this log."""


def index_of(log: Path) -> Path:
    """Return where a log's index lies."""
    return log.with_suffix(".index")


def copied(log: Path, entry: Struct) -> int:
    """Return how much of a log is there for good; `entry` as for `IndexedLog`."""
    try:
        with index_of(log).open("rb") as index:
            entries = index.seek(0, os.SEEK_END) // entry.size
            if not entries:
                return 0
            index.seek((entries - 1) * entry.size)
            end: int = entry.unpack(index.read(entry.size))[-1]
            return end
    except (FileNotFoundError, NotADirectoryError):
        return 0


class IndexedLog:
    """The one writer of a log and its index. Raises CopyBusy where there is another one, and OSError.

    `entry` is what the index has of each piece, numbers of which the last one is where it ends; `end` is
    where the last piece does.
    """

    def __init__(self, log: Path, entry: Struct) -> None:
        self._entry = entry
        log.parent.mkdir(parents=True, exist_ok=True)
        self._index = os.open(index_of(log), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._index)
            raise CopyBusy(str(log)) from None
        self._log = os.open(log, os.O_RDWR | os.O_CREAT, 0o666)
        self.end = copied(log, entry)
        if os.fstat(self._log).st_size < self.end:  # cut by somebody else: begin again
            self.end = 0
            os.ftruncate(self._index, 0)
        os.ftruncate(self._log, self.end)
        self._size = os.fstat(self._index).st_size // entry.size * entry.size

    def close(self) -> None:
        """Let another one copy the log."""
        os.close(self._log)
        os.close(self._index)  # and with it the lock

    def read(self, start: int, end: int) -> bytes:
        """Return a part of what was copied."""
        return os.pread(self._log, end - start, start)

    def entries(self) -> Iterator[tuple[Sequence[int], int, int]]:
        """Yield what the index has of each piece beside its end, where it begins, and where it ends."""
        start, at_once = 0, _AT_ONCE * self._entry.size
        for at in range(0, self._size, at_once):
            rows = os.pread(self._index, min(at_once, self._size - at), at)
            for *about, end in self._entry.iter_unpack(rows):
                yield about, start, end
                start = end

    def append(self, pieces: Iterable[tuple[Sequence[int], bytes]]) -> None:
        """Add pieces, each with what the index is to have of it beside its end. Raises OSError."""
        data, rows, end = bytearray(), bytearray(), self.end
        for about, piece in pieces:
            data += piece
            end += len(piece)
            rows += self._entry.pack(*about, end)
        _write(self._log, data, self.end)
        _write(self._index, rows, self._size)
        self.end, self._size = end, self._size + len(rows)


def _write(file: int, data: bytes | bytearray, at: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, at)
        at += written
        left = left[written:]

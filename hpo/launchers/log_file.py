"""Reading whole lines from a growing log, from a cursor on, in bounded pieces."""

from __future__ import annotations

import os
import sys

from hpo.launchers.launcher import Chunk

LIMIT = 2**20
"""The most bytes that one chunk holds."""

_TAIL = 2**12  # bytes, of a full chunk, in which its last line's end is looked for


def read_lines(path: str, cursor: str, *, ended: bool, valid: int = sys.maxsize) -> Chunk:
    """Return the next whole lines of a file; the cursor is the offset of the first byte not read.

    A file that is not there is empty; of one that is, only the first `valid` bytes count.
    """
    start = offset(cursor)
    try:
        file = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return Chunk(b"", cursor)
    try:
        size = _size(file, start)
        there = os.pread(file, max(0, min(size, valid - start)), start)
        return whole_lines(there, start, ended=ended, limit=size)
    finally:
        os.close(file)


def _size(file: int, start: int) -> int:
    """Return how many bytes to read: LIMIT, or where that many are there, up to the last line's end in them.

    To read all of them and cut them there takes twice the time: it copies them, and two buffers of that
    size are more than malloc keeps.
    """
    tail = os.pread(file, _TAIL, start + LIMIT - _TAIL)
    end = max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1
    return LIMIT - _TAIL + end if end and len(tail) == _TAIL else LIMIT


def offset(cursor: str) -> int:
    """Return the offset that a cursor stands for."""
    return int(cursor or 0)


def whole_lines(data: bytes, start: int, *, ended: bool, limit: int = LIMIT) -> Chunk:
    """Return the lines of `data`, which is what a log holds from offset `start` on, `limit` bytes at most.

    A line ends with a newline or a carriage return. What is left at the end without one comes only
    when the log has `ended`; a line longer than the limit comes in pieces, cut behind white space or
    punctuation where there is some.
    """
    full = len(data) == limit
    end = len(data) if ended and not full else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    if full and not end:
        end = max(data.rfind(space, limit // 2) for space in (b" ", b"\t", b",", b";")) + 1 or limit
    return Chunk(data[:end], str(start + end), more=full)

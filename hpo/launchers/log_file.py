"""Reading whole lines from a growing log, from a cursor on, in bounded pieces."""

from __future__ import annotations

import os

from hpo.launchers.launcher import Chunk

LIMIT = 2**20
"""The most bytes that one chunk holds."""


def read_lines(path: str, cursor: str, *, ended: bool) -> Chunk:
    """Return the next whole lines of a file; the cursor is the offset of the first byte not read.

    A file that is not there is empty.
    """
    start = offset(cursor)
    try:
        file = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return Chunk(b"", cursor)
    try:
        return whole_lines(os.pread(file, LIMIT, start), start, ended=ended)
    finally:
        os.close(file)


def offset(cursor: str) -> int:
    """Return the offset that a cursor stands for."""
    return int(cursor or 0)


def whole_lines(data: bytes, start: int, *, ended: bool) -> Chunk:
    """Return the lines of `data`, which is what a log holds from offset `start` on, LIMIT bytes at most.

    A line ends with a newline or a carriage return. What is left at the end without one comes only
    when the log has `ended`; a line longer than LIMIT comes in pieces, cut behind white space or
    punctuation where there is some.
    """
    full = len(data) == LIMIT
    end = len(data) if ended and not full else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    if full and not end:
        end = max(data.rfind(space, LIMIT // 2) for space in (b" ", b"\t", b",", b";")) + 1 or LIMIT
    return Chunk(data[:end], str(start + end), more=full)

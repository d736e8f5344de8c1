"""The last words of a program that failed, as part of what is said of its failure."""

from __future__ import annotations

import os
import re
from pathlib import Path

_LINES_FOLLOW = "; its last lines:\n"


def last_words(log: Path, failure: Path) -> str:
    """Return how "exit status 3" goes on: with what the program wrote of its failure, else its log's end.

    Of the file about the failure the first 1,024 characters are taken. Control characters are escaped.
    """
    try:
        said = failure.read_bytes()[: 4 * 1024].decode(errors="replace")
        if said.strip():
            return f": {_escaped(said[:1024].strip())}"
    except OSError:
        pass
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = re.split(r"[\r\n]+", file.read().decode(errors="replace"))
    except OSError:
        return ""
    last = "\n".join([line.rstrip() for line in lines if line.strip()][-5:])[-400:]
    return f"{_LINES_FOLLOW}{_escaped(last)}" if last else "; it printed nothing"


def without_lines(detail: str) -> str:
    """Return what is said of a failure without the log's last lines, where these are shown anyway."""
    return detail.partition(_LINES_FOLLOW)[0]


def in_one_line(detail: str) -> str:
    """Return what is said of a failure in one line: of the log's last lines the very last one."""
    what, lines_follow, lines = detail.partition(_LINES_FOLLOW)
    if lines_follow:
        last = lines.rpartition("\n")[2].strip()
        return f"{what}: {last}"
    return detail.partition("\n")[0]


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)

"""The copy of a training job's log streams in its run's log, exact over every break.

CloudWatch Logs tells events by their time; they may come late, and behind later ones, and a token may
lead to one that was told already. So an event is known by its stream, its time and its text, counted: the
index beside the log has the stream, the time and the end of every event that was copied, and whatever
is told again is passed over.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from hpo.launchers.sagemaker.answers import LogEvent

_ENTRY = struct.Struct("<IqQ")
"""Of the index: a hash of the stream's name, the event's time, and where in the log it ends."""

LONGEST = 262_118
"""Bytes of the longest event; a longer line goes on in the next one."""

_RECENT = 60_000
"""Milliseconds before the latest event of which all are remembered while a log grows."""

_ESCAPED = re.compile(rb"#(0[0-3][0-7]|177)")
"""How control characters are told: as rsyslog escapes them, TAB is #011."""

_Key = tuple[int, int, int]


class CopyBusy(Exception):
    """Another process, or another launcher of this one, copies this log."""


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
            end: int = _ENTRY.unpack(index.read(_ENTRY.size))[2]
            return end
    except (FileNotFoundError, NotADirectoryError):
        return 0


class LogCopy:
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
        self._end = copied(log)
        if os.fstat(self._log).st_size < self._end:  # cut by somebody else: begin again
            self._end = 0
            os.ftruncate(self._index, 0)
        os.ftruncate(self._log, self._end)
        self._size = os.fstat(self._index).st_size // _ENTRY.size * _ENTRY.size
        self._recent: Counter[_Key] = Counter()
        self._latest: dict[int, int] = {}
        for key, _ in self._entries():
            self._latest[key[0]] = max(self._latest.get(key[0], 0), key[1])
        self._recent.update(key for key, _ in self._entries() if self._is_recent(key))

    def close(self) -> None:
        """Let another one copy the log."""
        os.close(self._log)
        os.close(self._index)  # and with it the lock

    def since(self, stream: str) -> int | None:
        """Return the time from which on a stream must be told, when its token is not known; None: all."""
        latest = self._latest.get(_hash(stream))
        return None if latest is None else max(0, latest - _RECENT + 1)

    def add(self, stream: str, events: Sequence[LogEvent]) -> bytes:
        """Append what of these events was not copied yet, and return it.

        Very late ones are left to `complete`. Raises OSError.
        """
        whose = _hash(stream)
        told: Counter[_Key] = Counter()
        new: list[tuple[_Key, bytes]] = []
        for event in events:
            line = line_of(event.message)
            key = (whose, event.at, _hash(line))
            self._latest[whose] = max(self._latest.get(whose, 0), event.at)
            told[key] += 1
            if self._is_recent(key) and told[key] > self._recent[key]:
                self._recent[key] += 1
                new.append((key, line))
        return self._append(new)

    def complete(self, stream: str, events: Iterator[LogEvent]) -> bytes:
        """Append what is missing of a stream that is told as a whole, and return it. Raises OSError."""
        whose = _hash(stream)
        there: Counter[_Key] = Counter(key for key, _ in self._entries() if key[0] == whose)
        new: list[tuple[_Key, bytes]] = []
        for event in events:
            line = line_of(event.message)
            key = (whose, event.at, _hash(line))
            if there[key]:
                there[key] -= 1
            else:
                new.append((key, line))
        return self._append(new)

    def in_time(self) -> bytes | None:
        """Return all that was copied by the times of the events; None where it came in that order."""
        lines: list[tuple[int, int, int]] = []  # time, beginning, end
        start = 0
        for (_, at, _), end in self._entries():
            lines.append((at, start, end))
            start = end
        if all(one[0] <= other[0] for one, other in itertools.pairwise(lines)):
            return None
        log = os.pread(self._log, self._end, 0)
        return b"".join(log[begin:end] for _, begin, end in sorted(lines))

    def _is_recent(self, key: _Key) -> bool:
        return key[1] > self._latest.get(key[0], 0) - _RECENT

    def _append(self, new: Sequence[tuple[_Key, bytes]]) -> bytes:
        if len(self._recent) > 2 * len(new) + 10_000:
            self._recent = Counter({key: n for key, n in self._recent.items() if self._is_recent(key)})
        data = b"".join(line for _, line in new)
        _write(self._log, data, self._end)
        entries = bytearray()
        for (whose, at, _), line in new:
            self._end += len(line)
            entries += _ENTRY.pack(whose, at, self._end)
        _write(self._index, entries, self._size)
        self._size += len(entries)
        return data

    def _entries(self) -> Iterator[tuple[_Key, int]]:
        """Yield each event that was copied, and where it ends."""
        start = 0
        for at in range(0, self._size, _ENTRY.size * 4096):
            piece = os.pread(self._index, min(_ENTRY.size * 4096, self._size - at), at)
            rows = list(_ENTRY.iter_unpack(piece))
            lines = os.pread(self._log, rows[-1][2] - start, start)
            base = start
            for whose, time, end in rows:
                yield (whose, time, _hash(lines[start - base : end - base])), end
                start = end


def line_of(message: str) -> bytes:
    """Return an event's text as the program printed it: control characters, and the line's end."""
    raw = message.encode(errors="replace")
    data = _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), raw) if b"#" in raw else raw
    return data if len(raw) >= LONGEST else data + b"\n"


def _hash(data: str | bytes) -> int:
    return zlib.crc32(data.encode() if isinstance(data, str) else data)


def _write(file: int, data: bytes | bytearray, at: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, at)
        at += written
        left = left[written:]

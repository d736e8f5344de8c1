"""The copy of a training job's log streams in its run's log, exact over every break.

CloudWatch Logs tells events by their time; they may come late, and behind later ones, and a token may
lead to one that was told already. So an event is known by its stream, its time and its text, counted: the
index beside the log has the stream, the time and the end of every event that was copied, and whatever
is told again is passed over.
"""

from __future__ import annotations

import itertools
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from hpo.launchers import indexed_log
from hpo.launchers.indexed_log import IndexedLog
from hpo.launchers.sagemaker.answers import LogEvent

_ENTRY = struct.Struct("<IqQ")
"""Of the index: a hash of the stream's name, the event's time, and where in the log it ends."""

LONGEST = 262_118
"""Bytes of the longest event; a longer line goes on in the next one."""

_RECENT = 60_000
"""Milliseconds before the latest event of which all are remembered while a log grows."""

_READ_AT_ONCE = 4096
"""Events whose lines are read at once."""

_ESCAPED = re.compile(rb"#(0[0-3][0-7]|177)")
"""How control characters are told: as rsyslog escapes them, TAB is #011."""

_Key = tuple[int, int, int]


def copied(log: Path) -> int:
    """Return how much of a log is there for good: what lies behind is written again."""
    return indexed_log.copied(log, _ENTRY)


class LogCopy:
    """The one writer of a run's log and its index. Raises CopyBusy where there is one, and OSError."""

    def __init__(self, log: Path) -> None:
        self._copied = IndexedLog(log, _ENTRY)
        self._recent: Counter[_Key] = Counter()
        self._latest: dict[int, int] = {}
        for (whose, at), _, _ in self._copied.entries():
            self._latest[whose] = max(self._latest.get(whose, 0), at)
        self._recent.update(key for key in self._keys() if self._is_recent(key))

    def close(self) -> None:
        """Let another one copy the log."""
        self._copied.close()

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
        there: Counter[_Key] = Counter(key for key in self._keys() if key[0] == whose)
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
        lines = [(at, start, end) for (_, at), start, end in self._copied.entries()]
        if all(one[0] <= other[0] for one, other in itertools.pairwise(lines)):
            return None
        log = self._copied.read(0, self._copied.end)
        return b"".join(log[begin:end] for _, begin, end in sorted(lines))

    def _is_recent(self, key: _Key) -> bool:
        return key[1] > self._latest.get(key[0], 0) - _RECENT

    def _append(self, new: Sequence[tuple[_Key, bytes]]) -> bytes:
        if len(self._recent) > 2 * len(new) + 10_000:
            self._recent = Counter({key: n for key, n in self._recent.items() if self._is_recent(key)})
        self._copied.append(((whose, at), line) for (whose, at, _), line in new)
        return b"".join(line for _, line in new)

    def _keys(self) -> Iterator[_Key]:
        """Yield each event that was copied."""
        entries = self._copied.entries()
        while rows := list(itertools.islice(entries, _READ_AT_ONCE)):
            base = rows[0][1]
            lines = self._copied.read(base, rows[-1][2])
            for (whose, at), start, end in rows:
                yield whose, at, _hash(lines[start - base : end - base])


def line_of(message: str) -> bytes:
    """Return an event's text as the program printed it: control characters, and the line's end."""
    raw = message.encode(errors="replace")
    data = _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), raw) if b"#" in raw else raw
    return data if len(raw) >= LONGEST else data + b"\n"


def _hash(data: str | bytes) -> int:
    return zlib.crc32(data.encode() if isinstance(data, str) else data)

"""The events of the training jobs' log streams, each with when it may be seen."""

from __future__ import annotations

import bisect
import itertools
import random
import threading
import time
from dataclasses import dataclass, field

from hpo.testing.aws.settings import AwsSettings

GROUP = "/aws/sagemaker/TrainingJobs"

_AFTER_TIME = 10**12  # events of one millisecond that an id tells apart


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A line; its id is in the order of the times, as CloudWatch's are."""

    id: int
    timestamp: int  # milliseconds since the epoch
    message: str
    visible: float  # when it can be read
    ingested: int


@dataclass
class Stream:
    """The lines of one host."""

    name: str
    created: int
    events: list[Event] = field(default_factory=list)  # in the order of their ids

    def visible(self, now: float) -> list[Event]:
        """Return the events that can be read by now."""
        return [event for event in self.events if event.visible <= now]


class LogStore:
    """All streams of the one group."""

    def __init__(self, settings: AwsSettings, chance: random.Random) -> None:
        self._settings = settings
        self._chance = chance
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._streams: dict[str, Stream] = {}

    def append(self, name: str, message: str) -> None:
        """Have a line at the end of a stream, which begins with it if it is new."""
        with self._lock:
            now = time.time()
            settings = self._settings
            visible = now + settings.log_delay
            if settings.log_shuffle and self._chance.random() < settings.log_shuffle:
                visible += settings.log_shuffle_delay
            stamp = int(now * 1000)
            stream = self._streams.setdefault(name, Stream(name, stamp))
            identity = stamp * _AFTER_TIME + next(self._numbers)
            bisect.insort(stream.events, Event(identity, stamp, message, visible, int(visible * 1000)))

    def streams(self) -> list[Stream]:
        """Return the streams that something can be read of, each with what can."""
        now = time.time()
        with self._lock:
            seen = [Stream(each.name, each.created, each.visible(now)) for each in self._streams.values()]
        return [stream for stream in seen if stream.events]

    def stream(self, name: str) -> Stream | None:
        """Return a stream with what can be read of it; None while that is nothing."""
        with self._lock:
            stream = self._streams.get(name)
            events = stream.visible(time.time()) if stream else []
        return Stream(stream.name, stream.created, events) if stream and events else None

"""How fast AWS is asked: a token bucket for each operation, and one over all of them.

The urgent goes first: a launch or a stop never queues behind a hundred logs. Where AWS says that it is
asked too fast, the operation's rate is halved, and grows again with every answer (additive increase,
multiplicative decrease, as in RFC 5681).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import count

BURST = 1.5
"""Tokens that a pause saves: a call that comes late does not hold up the next one."""

_OF_ALL = 0.7
"""What of the allowed rate is used. The rest is for the burst, and for calls that are held up on their way
and arrive together with later ones: no more are under way than that no second has more than allowed."""

_SLOWEST = 0.1
_RECOVERY = 0.05
"""Of an operation's rate: the least that throttling leaves, and what every answer gives back."""


class Operation(Enum):
    """What AWS is asked for: its name, and its share of all calls at the most; the first is most urgent."""

    STOP = "StopTrainingJob", 0.4
    CREATE = "CreateTrainingJob", 0.4
    UPDATE = "UpdateTrainingJob", 0.2
    LIST = "ListTrainingJobs", 0.3
    DESCRIBE = "DescribeTrainingJob", 0.5
    STREAMS = "DescribeLogStreams", 0.3
    EVENTS = "GetLogEvents", 0.8

    @property
    def title(self) -> str:
        """The operation's name in AWS's words."""
        return self.value[0]


_URGENCY = {operation: place for place, operation in enumerate(Operation)}


@dataclass(slots=True)
class _Bucket:
    """Holds up to BURST tokens, and gets `rate` times `factor` of them a second."""

    rate: float
    filled: float
    tokens: float = BURST
    factor: float = 1.0

    def fill(self, now: float) -> None:
        self.tokens = min(BURST, self.tokens + (now - self.filled) * self.rate * self.factor)
        self.filled = now

    @property
    def delay(self) -> float:
        return max(0.0, 1.0 - self.tokens) / (self.rate * self.factor)


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    urgency: int
    number: int


class Pace:
    """Lets calls go as fast as the buckets allow; `rate` is of all calls together, a second."""

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        now = clock()
        self._clock = clock
        self._all = _Bucket(rate * _OF_ALL, now)
        self._each = {operation: _Bucket(rate * operation.value[1], now) for operation in Operation}
        self._waiting: dict[_Place, tuple[Operation, asyncio.Future[None]]] = {}
        self._most_under_way = max(1, int(rate * (1.0 - _OF_ALL) - BURST + 1.0))
        self._under_way = 0
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, operation: Operation) -> AsyncIterator[None]:
        """Wait until a call of this operation may be made; it is made within."""
        future = asyncio.get_running_loop().create_future()
        place = _Place(_URGENCY[operation], next(self._numbers))
        self._waiting[place] = operation, future
        self._let_go()
        try:
            await future
            yield
        finally:
            self._waiting.pop(place, None)
            if future.done() and not future.cancelled():
                self._under_way -= 1
                self._let_go()

    def throttled(self, operation: Operation) -> None:
        """Take note that AWS was asked for this too fast."""
        bucket = self._each[operation]
        bucket.factor = max(_SLOWEST, bucket.factor / 2)

    def answered(self, operation: Operation) -> None:
        """Take note that AWS answered."""
        bucket = self._each[operation]
        bucket.factor = min(1.0, bucket.factor + _RECOVERY)

    def _let_go(self) -> None:
        """Let everybody go who may, the urgent first, and come back when the next one may."""
        now = self._clock()
        for bucket in (self._all, *self._each.values()):
            bucket.fill(now)
        left: list[float] = []
        for place in sorted(self._waiting):
            if self._under_way >= self._most_under_way:
                break  # whoever is answered lets the next one go
            operation, future = self._waiting[place]
            bucket = self._each[operation]
            if self._all.tokens < 1.0 or bucket.tokens < 1.0:
                left.append(max(self._all.delay, bucket.delay))
                continue
            self._all.tokens -= 1.0
            bucket.tokens -= 1.0
            del self._waiting[place]
            if not future.done():
                self._under_way += 1
                future.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(min(left), self._let_go) if left else None

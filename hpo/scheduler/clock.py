"""Time as the scheduler sees it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits for it; tests bring their own."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""

    async def until(self, moment: float) -> None:
        """Return at `moment` or shortly after."""


class WallClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time()

    async def until(self, moment: float) -> None:
        """Return at `moment` or shortly after; a changed clock is noticed within a minute."""
        while (remaining := moment - time.time()) > 0:  # noqa: ASYNC110 -- time is no event
            await asyncio.sleep(min(remaining, 60.0))

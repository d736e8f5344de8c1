"""Asking again and again, for all runs of a job at once, what has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from hpo.launchers.sagemaker.answers import Summary
from hpo.launchers.sagemaker.api import Api
from hpo.launchers.sagemaker.faults import Fault
from hpo.launchers.sagemaker.pools import Pools

_OVERLAP = 30.0
"""Seconds of AWS's clock by which two lists overlap, so that no change falls between them."""

_SKEW = 600.0
"""Seconds by which this machine's clock may be ahead of AWS's."""

_LONGEST_PAUSE = 30.0
"""Seconds between two rounds at the most, while AWS does not answer."""


class Rounds:
    """One list call tells of all training jobs that changed since the one before; another of the pools."""

    def __init__(
        self,
        api: Api,
        prefix: str,
        *,
        every: float,
        pools: Pools | None,
        note: Callable[[Summary], None],
        is_needed: Callable[[], bool],
    ) -> None:
        self._api = api
        self._prefix = prefix
        self._every = every
        self._note = note
        self._is_needed = is_needed
        self._since = api.now or time.time() - _SKEW
        self._pools = pools
        self.trouble = ""  # why nothing can be heard of the runs at the moment

    async def go(self) -> None:
        """Go round for ever."""
        pause = self._every
        while True:
            try:
                if self._is_needed():
                    await self._look()
                if self._pools is not None:
                    await self._pools.look()
                pause, self.trouble = self._every, ""
            except Fault as error:
                self.trouble = str(error)
                pause = min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        began = self._api.now or self._since
        for summary in await self._api.changed(self._prefix, since=self._since):
            self._note(summary)
        self._since = max(self._since, began - _OVERLAP)

"""Warm pools: the machines that ended runs left ready, for the next runs, and given back after the last."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict

from hpo.launchers.sagemaker.answers import Pool
from hpo.launchers.sagemaker.api import Api
from hpo.launchers.sagemaker.faults import Fault

COMES_WITHIN = 15.0
"""Seconds after a run's end in which its machines become ready; a launch waits for that at the most."""

_CLOSE_WITHIN = 10.0
_REMEMBERED = 1000


class Pools:
    """Follows the pools of a job: which are ready, who got which, and which are not needed any more."""

    def __init__(self, api: Api, prefix: str, *, every: float) -> None:
        self._api = api
        self._prefix = prefix
        self._every = every
        self._ready: list[str] = []  # training jobs whose machines are ready, oldest first
        self._coming: dict[str, float] = {}  # those that have just ended, and until when to wait for them
        self._offered: OrderedDict[str, tuple[str, ...]] = OrderedDict()  # what was ready at each launch
        self._expected: int | None = None

    def expect(self, runs: int) -> None:
        """Take note of how many more runs will be launched at the most."""
        self._expected = runs

    def ended(self, name: str) -> None:
        """Take note that a run has ended, so that its machines will soon be ready."""
        self._coming[name] = asyncio.get_running_loop().time() + COMES_WITHIN

    async def turn(self) -> None:
        """Wait for machines that are about to be ready; returns at once where none are. Raises Fault."""
        while not self._ready and self._is_any_coming():
            await self.look()
            if not self._ready and self._is_any_coming():
                await asyncio.sleep(self._every)

    def launched(self, name: str) -> None:
        """Take note that a run was launched: it gets machines that are ready, if there are any."""
        self._offered[name] = tuple(self._ready)
        while len(self._offered) > _REMEMBERED:
            self._offered.popitem(last=False)
        if self._ready:
            self._coming.pop(self._ready.pop(0), None)

    async def before(self, name: str) -> Pool | None:
        """Return the pool whose machines a run got; None where it got new ones. Raises Fault."""
        for candidate in self._offered.pop(name, ()):
            job = await self._api.describe(candidate)
            if job is not None and job.pool is not None and job.pool.reused_by == name:
                return job.pool
        return None

    async def look(self) -> None:
        """See which pools are ready, and give back those that nobody will need. Raises Fault."""
        found = [summary.name for summary in await self._api.pools(self._prefix)]
        self._ready = [name for name in self._ready if name in found]
        self._ready += [name for name in sorted(found) if name not in self._ready]
        for name in found:
            self._coming.pop(name, None)
        while self._expected is not None and len(self._ready) > self._expected:
            await self._api.release(self._ready.pop())

    async def release(self) -> None:
        """Give back all machines that are ready, or about to be; what cannot be, ends by itself."""
        self._expected = 0
        with contextlib.suppress(Fault, TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self.look()
                while self._is_any_coming():
                    await asyncio.sleep(self._every)
                    await self.look()

    def _is_any_coming(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._coming = {name: until for name, until in self._coming.items() if now < until}
        return bool(self._coming)

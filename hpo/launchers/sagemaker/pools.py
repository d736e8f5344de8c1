"""Warm pools: the machines that ended runs left ready, for the next runs, and given back after the last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from hpo.launchers.sagemaker.answers import Described, Pool
from hpo.launchers.sagemaker.api import Api
from hpo.launchers.sagemaker.faults import Denied, Fault

COMES_WITHIN = 15.0
"""Seconds after a run's end in which its machines become ready; a launch waits for that at the most."""

_CLOSE_WITHIN = COMES_WITHIN + 5.0
"""Seconds in which machines are given back at the end of a job: also those that are not ready yet."""


@dataclass(frozen=True, slots=True)
class _Left:
    """Machines whose fate is not known yet: when their run was created, and until when they can be reused."""

    created: float
    until: float


class Pools:
    """Follows the pools of a job: which are ready, who got which, and which are not needed any more."""

    def __init__(
        self, api: Api, prefix: str, *, keep_alive: float, every: float, say: Callable[[str], None]
    ) -> None:
        self._api = api
        self._prefix = prefix
        self._keep_alive = keep_alive
        self._every = every
        self._say = say
        self._is_told = False
        self._ready: list[str] = []  # training jobs whose machines are ready, oldest first
        self._coming: dict[str, float] = {}  # those that have just ended, and until when to wait for them
        self._left: dict[str, _Left] = {}
        self._got: dict[str, Pool] = {}  # the pools that are known to have been reused, by who got them
        self._knows_earlier = False  # those that were reused before this process followed the job
        self._released: set[str] = set()
        self._expected: int | None = None

    def expect(self, runs: int | None) -> None:
        """Take note of how many more runs will be launched at the most; None: nobody knows."""
        self._expected = runs

    def ended(self, job: Described) -> None:
        """Take note that a run has ended, and that its machines will soon be ready, if they were not."""
        if job.name in self._released:
            return
        now = asyncio.get_running_loop().time()
        self._coming[job.name] = now + COMES_WITHIN
        self._left[job.name] = _Left(job.created, now + COMES_WITHIN + self._keep_alive)

    async def turn(self) -> None:
        """Wait for machines that are about to be ready; returns at once where none are. Raises Fault."""
        while not self._ready and self._is_any_coming():
            await self.look()
            if not self._ready and self._is_any_coming():
                await asyncio.sleep(self._every)

    def launched(self) -> None:
        """Take note that a run was launched: it gets machines that are ready, if there are any."""
        if self._ready:
            self._coming.pop(self._ready.pop(0), None)

    async def before(self, name: str) -> Pool | None:
        """Return the pool whose machines an ended run had got; None where it had new ones. Raises Fault."""
        if name not in self._got and (self._left or not self._knows_earlier):
            since = min(left.created for left in self._left.values()) if self._knows_earlier else None
            for summary in await self._api.reused(self._prefix, since=since):
                is_new = self._left.pop(summary.name, None) is not None or since is None
                if summary.pool is not None and is_new:
                    self._got[summary.pool.reused_by] = summary.pool
            self._knows_earlier = True
            now = asyncio.get_running_loop().time()
            self._left = {name: left for name, left in self._left.items() if now < left.until}
        return self._got.pop(name, None)

    async def look(self) -> None:
        """See which pools are ready, and give back those that nobody will need. Raises Fault."""
        pools = await self._api.pools(self._prefix)
        found = [summary.name for summary in pools]
        self._ready = [name for name in self._ready if name in found]
        self._ready += [name for name in sorted(found) if name not in self._ready]
        now = asyncio.get_running_loop().time()
        for summary in pools:
            self._coming.pop(summary.name, None)
            if summary.name not in self._left and summary.name not in self._released:  # an earlier process's
                self._left[summary.name] = _Left(summary.created, now + self._keep_alive)
        while self._expected is not None and len(self._ready) > self._expected:
            name = self._ready.pop()
            self._released.add(name)
            self._left.pop(name, None)
            try:
                await self._api.release(name)
            except Denied as error:
                if not self._is_told:
                    self._is_told = True
                    self._say(f"machines that are kept ready cannot be given back before their time: {error}")

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

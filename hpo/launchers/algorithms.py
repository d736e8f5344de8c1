"""The launcher of a job with several algorithms: each of them has one of its own, of the same kind."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from hpo.core.trial import JobHandle, Launch, Reason, RunReport, RunState
from hpo.launchers.launcher import Chunk, Launcher, Obstacle


class AlgorithmsLauncher:
    """Leaves each run to its algorithm's launcher: a launch says whose it is, and so does its handle."""

    def __init__(self, launchers: Mapping[str, Launcher]) -> None:
        self._launchers = dict(launchers)
        self.prepares = any(launcher.prepares for launcher in launchers.values())

    def check(self) -> Sequence[Obstacle]:
        """Return what would keep every run of an algorithm from starting."""
        found = (obstacle for launcher in self._launchers.values() for obstacle in launcher.check())
        return list(dict.fromkeys(found))

    def request(self, launch: Launch) -> str:
        """Return, as text, exactly what `launch` would ask for."""
        return self._of(launch).request(launch)

    async def launch(self, launch: Launch) -> JobHandle:
        """Start a run, or find it started. Raises what its algorithm's launcher does."""
        return replace(await self._of(launch).launch(launch), algorithm=launch.algorithm)

    async def prepare(self, launch: Launch) -> None:
        """Let the algorithm's launcher make ready what will probably be launched next."""
        if self._of(launch).prepares:
            await self._of(launch).prepare(launch)

    def expect(self, runs: int) -> None:
        """Tell each launcher how many more runs there will be: any of them may get all of those."""
        for launcher in self._launchers.values():
            launcher.expect(runs)

    def worst_cost(self) -> float | None:
        """Return what one run can cost at the most, whosever it is; None where that is not known of all.

        Raises LauncherError.
        """
        costs = [launcher.worst_cost() for launcher in self._launchers.values()]
        known = [cost for cost in costs if cost is not None]
        return max(known) if len(known) == len(costs) else None

    async def find(self, launch: Launch) -> JobHandle | None:
        """Return the run's handle if it was ever started."""
        handle = await self._of(launch).find(launch)
        return None if handle is None else replace(handle, algorithm=launch.algorithm)

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        """Return the state of each run; LOST for one of an algorithm that there is not."""
        unknown = RunReport(RunState.LOST, Reason.LOST, "its algorithm is none of the job's")
        reports = dict.fromkeys(handles, unknown)
        for name, own in self._by_algorithm(handles).items():
            found = await self._launchers[name].poll(list(own))
            reports |= {handle: found[inner] for inner, handle in own.items()}
        return reports

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        """Return the log from a cursor on."""
        for name, own in self._by_algorithm([handle]).items():
            for inner in own:
                return await self._launchers[name].read(inner, cursor, ended=ended)
        return Chunk(b"", cursor)

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        """Ask a run to end."""
        for name, own in self._by_algorithm([handle]).items():
            for inner in own:
                await self._launchers[name].stop(inner, at_once=at_once)

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        """Wait until some of these runs may have changed, and return those, of whichever launcher."""
        groups = self._by_algorithm(handles)
        lost = set(handles) - {handle for own in groups.values() for handle in own.values()}
        if lost:
            return lost
        waiting = {
            asyncio.ensure_future(self._launchers[name].changed(list(own))): own
            for name, own in groups.items()
        }
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()  # nothing to those that are done
            await asyncio.gather(*waiting, return_exceptions=True)
        return {waiting[task][inner] for task in done for inner in task.result()}

    async def close(self) -> None:
        """Let go of what the launchers hold; running runs go on."""
        await asyncio.gather(*(launcher.close() for launcher in self._launchers.values()))

    def _of(self, launch: Launch) -> Launcher:
        return self._launchers[launch.algorithm or ""]

    def _by_algorithm(self, handles: Iterable[JobHandle]) -> dict[str, dict[JobHandle, JobHandle]]:
        """Return the handles of each algorithm, by those that its launcher knows them by."""
        groups: defaultdict[str, dict[JobHandle, JobHandle]] = defaultdict(dict)
        for handle in handles:
            if handle.algorithm is not None and handle.algorithm in self._launchers:
                groups[handle.algorithm][replace(handle, algorithm=None)] = handle
        return groups

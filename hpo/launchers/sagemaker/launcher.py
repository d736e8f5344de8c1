"""The launcher of SageMaker training jobs: each run is one, followed by its statuses and its log."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import TypeVar

from hpo.core.trial import JobHandle, Launch, RunReport, RunState
from hpo.core.usage import Usage
from hpo.errors import DiskFull
from hpo.launchers.end_record import read_end
from hpo.launchers.launcher import Chunk, JobContext, Obstacle
from hpo.launchers.log_file import read_lines
from hpo.launchers.registry import Kind
from hpo.launchers.sagemaker.answers import Described, Summary
from hpo.launchers.sagemaker.api import Api
from hpo.launchers.sagemaker.faults import Fault, NameTaken, QuotaReached
from hpo.launchers.sagemaker.follow import Follower, Surroundings
from hpo.launchers.sagemaker.log_copy import copied
from hpo.launchers.sagemaker.machines import QUOTA_PAUSE, Machines
from hpo.launchers.sagemaker.naming import Names
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.pools import Pools
from hpo.launchers.sagemaker.preparation import Preparation
from hpo.launchers.sagemaker.rounds import Rounds
from hpo.launchers.sagemaker.states import gone, usage_of

NAME = "sagemaker"

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two tries to reach AWS: doubled while it cannot be."""

_CLOSE_WITHIN = 10.0

_T = TypeVar("_T")


class SageMakerLauncher:
    """Runs trials as training jobs; their logs and ends are copied into the runs' folders.

    What is asked about an ended run is answered from its folder.
    """

    prepares = False

    def __init__(self, context: JobContext, options: SageMakerOptions) -> None:
        self._context = context
        self._options = options
        self._preparation = Preparation(context, options)
        self._machines = Machines(options.instance_types)
        self._api = Api(options)
        self._names: Names | None = None
        self._pools: Pools | None = None
        self._followers: dict[JobHandle, Follower] = {}
        self._following: dict[JobHandle, asyncio.Task[None]] = {}
        self._changed: set[JobHandle] = set()
        self._wake = asyncio.Event()
        self._rounds: Rounds | None = None
        self._going_round: asyncio.Task[None] | None = None
        self._expected: int | None = None

    # -- starting

    def check(self) -> Sequence[Obstacle]:
        """Return what would keep every run from starting; AWS is asked for that."""
        return self._preparation.check()

    def request(self, launch: Launch) -> str:
        """Return the body of CreateTrainingJob, as JSON. Raises LauncherError."""
        names = Names.not_begun(self._context)
        body = self._preparation.planned(launch, name=names.name(launch))
        return f"CreateTrainingJob {json.dumps(body, indent=2, ensure_ascii=False)}"

    def expect(self, runs: int) -> None:
        """Take note of how many more runs will be launched at the most; more warm pools are given back."""
        self._expected = runs
        if self._pools is not None:
            self._pools.expect(runs)

    def worst_cost(self) -> float | None:
        """Return what one run can cost at the most; None where no price is known. Raises LauncherError."""
        return self._preparation.worst_cost()

    async def launch(self, launch: Launch) -> JobHandle:
        """Start a run, or find it started.

        Raises CannotStart, NoCapacity while a quota is used up or the credentials have expired, other
        LauncherErrors where it may do better later, and OSError.
        """
        name = (await self._named()).name(launch)
        handle = JobHandle(NAME, name)
        folder = self._context.run_folder(launch.trial, launch.run).absolute()
        if handle in self._followers or read_end(folder) is not None:
            return handle
        is_new = await self._start(launch, name)
        self._follow(handle, is_new=is_new)
        return handle

    async def _start(self, launch: Launch, name: str) -> bool:
        """Create a training job on the first kind of machine to be had; False: it was there already."""
        request = await self._api.in_thread(lambda: self._preparation.ready(launch, name=name))
        if self._pools is not None:
            await self._pools.turn()
        for kind in self._machines.order():
            try:
                await self._api.create(request(kind))
            except NameTaken:
                return False
            except QuotaReached as error:
                self._machines.refuse(kind, str(error))
            else:
                if self._pools is not None:
                    self._pools.launched()
                return True
        if await self._api.describe(name) is not None:  # it was created, and the answer was lost
            return False
        raise QuotaReached(
            f"{self._machines.why_refused}; asked again when a trial ends, or in {QUOTA_PAUSE:g} seconds"
        )

    async def prepare(self, launch: Launch) -> None:
        """Do nothing: a training job that is created is started."""

    async def find(self, launch: Launch) -> JobHandle | None:
        """Return the run's handle if it was ever started; waits while AWS does not answer."""
        name = (await self._named()).name(launch)
        handle = JobHandle(NAME, name)
        folder = self._context.run_folder(launch.trial, launch.run).absolute()
        if handle in self._followers or read_end(folder) is not None:
            return handle
        found = await self._until_answered(lambda: self._api.describe(name), what=f"{name} cannot be found")
        return None if found is None else handle

    # -- following

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        """Return the state of each run as it was last heard of; LOST for one that is unknown.

        A running one's detail says what it waits for, or why it cannot be followed. Raises DiskFull.
        """
        await self._named()
        return {handle: self._report(handle) for handle in handles}

    def _report(self, handle: JobHandle) -> RunReport:
        self._changed.discard(handle)
        folder = self._names.run_folder(handle.id) if self._names is not None else None
        if folder is None:
            return gone(handle.id)
        if follower := self._followers.get(handle):
            self._raise_error(handle)
            return follower.end or RunReport(RunState.RUNNING, detail=follower.trouble)
        if end := read_end(folder):
            return end.report
        self._follow(handle, is_new=False)
        return RunReport(RunState.RUNNING)

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        """Return the log's next whole lines."""
        folder = (await self._named()).run_folder(handle.id)
        if folder is None:
            return Chunk(b"", cursor)
        log = folder / "log"
        chunk = read_lines(str(log), cursor, ended=ended, valid=copied(log))
        if chunk.more:
            self._mark(handle)
        return chunk

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        """Wait until some of these runs may have changed, and return those."""
        for handle in handles:
            if handle not in self._followers:
                self._changed.add(handle)  # it is followed once it was polled
        await asyncio.sleep(0)  # who asks again and again must not keep the rest from running
        while not (changed := self._changed & set(handles)):
            self._wake.clear()
            await self._wake.wait()
        return changed

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:  # noqa: ARG002 -- there is one way
        """Tell a run to end; waits while AWS does not answer. SageMaker gives each 120 seconds of grace."""
        folder = (await self._named()).run_folder(handle.id)
        if folder is None or read_end(folder) is not None:
            return
        await self._until_answered(lambda: self._api.stop(handle.id), what=f"{handle.id} cannot be stopped")

    async def close(self) -> None:
        """Let go of AWS; the training jobs go on. Warm pools that are ready are given back before."""
        if self._going_round is not None:
            self._going_round.cancel()
        if self._pools is not None:
            await self._pools.release()
        tasks = [task for task in (self._going_round, *self._following.values()) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_WITHIN)
        self._preparation.close()
        self._api.close()

    # -- in the background

    def _follow(self, handle: JobHandle, *, is_new: bool) -> None:
        if handle in self._followers or self._names is None:
            return
        folder = self._names.run_folder(handle.id)
        if folder is None:
            return
        around = Surroundings(
            self._api,
            every=self._options.poll,
            last_values=self._context.last_values,
            usage=self._usage,
            ended=self._job_ended,
            trouble=lambda: self._rounds.trouble if self._rounds is not None else "",
        )
        follower = Follower(around, folder, handle.id, is_new=is_new, changed=lambda: self._mark(handle))
        self._followers[handle] = follower
        if self._going_round is None:
            self._rounds = Rounds(
                self._api,
                self._names.prefix,
                every=self._options.poll,
                pools=self._pools,
                note=self._note,
                is_needed=lambda: bool(self._followers),
            )
            self._going_round = asyncio.create_task(self._rounds.go())
        self._following[handle] = task = asyncio.create_task(follower.follow())
        task.add_done_callback(lambda _: self._followed(handle, follower))

    def _followed(self, handle: JobHandle, follower: Follower) -> None:
        """Tell of a run's end; from here on its folder answers for it."""
        self._mark(handle)
        if follower.end is not None:
            del self._followers[handle], self._following[handle]

    def _note(self, summary: Summary) -> None:
        if follower := self._followers.get(JobHandle(NAME, summary.name)):
            follower.note(summary)

    def _job_ended(self, job: Described) -> None:
        """Take note of the machines that a training job gives back, leaves ready, or never got."""
        self._machines.returned()
        if job.failure.startswith("CapacityError") or job.secondary == "MaxWaitTimeExceeded":
            self._machines.had_none(job.machine)
        if self._pools is not None and job.leaves_machines:
            self._pools.ended(job)

    async def _usage(self, job: Described) -> Usage:
        before = await self._pools.before(job.name) if self._pools is not None else None
        prices = await self._api.in_thread(self._preparation.prices)
        return usage_of(job, prices=prices, before=before)

    async def _until_answered(self, ask: Callable[[], Coroutine[None, None, _T]], *, what: str) -> _T:
        """Ask AWS until it answers; tell why it does not, whenever that is another reason."""
        pause, told = _SHORTEST_PAUSE, ""
        while True:
            try:
                return await ask()
            except Fault as error:
                if told != (told := str(error)):
                    self._context.say(f"{what} yet: {error}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _named(self) -> Names:
        if self._names is None:
            names = await asyncio.to_thread(Names.of, self._context)
            if self._names is None:  # nobody was quicker
                self._names = names
                if (keep := self._options.keep_alive) is not None:
                    every = self._options.poll
                    say = self._context.say
                    self._pools = Pools(self._api, names.prefix, keep_alive=keep, every=every, say=say)
                    self._pools.expect(self._expected)
        return self._names

    def _raise_error(self, handle: JobHandle) -> None:
        """Raise what keeps a run from being followed for good."""
        task = self._following[handle]
        error = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(
                f"no space is left to follow {handle.id} ({error}); what was committed is safe: free some "
                f"space, then go on with `hpo resume {self._context.job}`"
            ) from error
        if error is not None:
            raise error

    def _mark(self, handle: JobHandle) -> None:
        self._changed.add(handle)
        self._wake.set()


KIND = Kind(SageMakerOptions, SageMakerLauncher, ends_runs=True, learner=SageMakerOptions.learner)

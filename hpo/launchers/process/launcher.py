"""The launcher of local processes: each run is a program on this machine, in a folder of its own."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from signal import SIGTERM

from hpo.core.trial import JobHandle, Launch, RunReport, RunState, checkpoints_place
from hpo.errors import CannotStart
from hpo.launchers import contract, gpus
from hpo.launchers.channels import Channels
from hpo.launchers.environment import available_cpus, read_secrets, text_of, thread_limits
from hpo.launchers.launcher import Chunk, JobContext, Obstacle
from hpo.launchers.log_file import read_lines
from hpo.launchers.process.check import obstacles
from hpo.launchers.process.client import GuardClient, Request
from hpo.launchers.process.folder import KILL, LOG, MARKER, STOP, Place, ask, owner
from hpo.launchers.process.identity import is_alive, wake
from hpo.launchers.process.options import ProcessOptions
from hpo.launchers.process.report import Started, lost, report
from hpo.launchers.process.watch import RunWatch
from hpo.launchers.registry import Kind
from hpo.spec.paths import expanded
from hpo.spec.space import Values

NAME = "process"


class ProcessLauncher:
    """Runs trials as programs of this machine, under a guard that outlives the tuner."""

    prepares = False

    def __init__(self, context: JobContext, options: ProcessOptions, *, events: bool = True) -> None:
        self._context = context
        self._options = options
        self._folder = str(context.folder.absolute())
        self._workdir = str((context.base / expanded(options.workdir or "")).absolute())
        self._channels = Channels(context)
        variables = {name: text_of(value) for name, value in options.env.items()}
        self._gpus = gpus.candidates({**os.environ, **variables}) if options.gpus else []
        self._gpu_folder = str(context.state.absolute() / "gpus")
        cpus = max(1, available_cpus() // context.max_parallel_jobs)
        self._threads = cpus if options.threads == "auto" else options.threads
        self._contract = contract.Contract(
            contract.Surroundings(
                module_dir=self._workdir,
                entry_point=contract.script_of(options.command) or options.command[0],
                channels=self._channels.paths,
                cpus=cpus,
                gpus=options.gpus,
                network_interface="lo" if sys.platform == "linux" else "lo0",
            )
        )
        self._started = Started(options.command[0], self._workdir)
        self._guard = GuardClient()
        self._watch = RunWatch(events=events)

    # -- starting

    def check(self) -> Sequence[Obstacle]:
        """Return what would keep every run from starting."""
        return list(obstacles(self._options, self._context, workdir=Path(self._workdir), gpus=self._gpus))

    def request(self, launch: Launch) -> str:
        """Return the working directory, the variables that hpo sets, and the command, as for a shell."""
        params = self._params(launch)
        secrets = list(self._options.env_from)
        own = self._variables(launch, params, self._run_folder(launch))
        lines = [f"{name}={shlex.quote(value)}" for name, value in own.items() if name not in secrets]
        lines += [f"{name}=(from env_from)" for name in secrets]
        if self._options.gpus:
            lines.append(f"{gpus.VISIBLE}=({self._options.gpus} of {', '.join(self._gpus)})")
        argv = contract.command_line(self._options.command, params)
        return "\n".join([f"cd {shlex.quote(self._workdir)}", *sorted(lines), shlex.join(argv)])

    async def launch(self, launch: Launch) -> JobHandle:
        """Start a run, or find it started.

        Raises CannotStart where a secret is missing or the machine has too few GPUs, NoCapacity while
        too few of them are free or its data is downloaded, LauncherError where that fails for now, and
        OSError where the run's folder cannot be made.
        """
        folder = self._run_folder(launch)
        return self._handle(folder, owner(folder) or await self._start(launch, folder))

    async def prepare(self, launch: Launch) -> None:
        """Do nothing: a launch is quick."""

    def expect(self, runs: int) -> None:
        """Do nothing: nothing is kept."""

    def worst_cost(self) -> float | None:
        """Return None: nothing is charged."""
        return None

    async def find(self, launch: Launch) -> JobHandle | None:
        """Return the run's handle if it was ever started."""
        folder = self._run_folder(launch)
        guard = owner(folder)
        return self._handle(folder, guard) if guard else None

    async def _start(self, launch: Launch, folder: str) -> str:
        if self._options.gpus > len(self._gpus):
            raise CannotStart(f"gpus: {gpus.too_few(self._gpus, self._options.gpus)}")
        if not self._channels.are_here:
            await asyncio.to_thread(self._channels.require)
        params = self._params(launch)
        request = Request(
            number=0,
            name=launch.name,
            folder=folder,
            workdir=self._workdir,
            argv=contract.command_line(self._options.command, params),
            env=self._environment(launch, params, folder),
            grace=self._options.stop_grace,
            shared=[checkpoints_place(launch.repeat)],
            folders=["ml", *(f"ml/{name}" for name in contract.FOLDERS)],
            files={f"ml/{path}": text for path, text in self._contract.files(params).items()},
            links={
                "ml/checkpoints": f"../../{checkpoints_place(launch.repeat)}",  # which its runs share
                **{f"ml/input/data/{name}": str(path) for name, path in self._channels.paths.items()},
            },
            gpus=self._gpus,
            gpus_wanted=self._options.gpus,
            gpu_folder=self._gpu_folder,
        )
        return await self._guard.start(request)

    def _params(self, launch: Launch) -> Values:
        return {**self._context.fixed, **launch.params}

    def _environment(self, launch: Launch, params: Values, folder: str) -> dict[str, str]:
        secrets = read_secrets(self._options.env_from, self._context.base)
        return self._variables(launch, params, folder) | secrets

    def _variables(self, launch: Launch, params: Values, folder: str) -> dict[str, str]:
        """Return the variables that hpo sets, secrets excepted."""
        given = {name: text_of(value) for name, value in self._options.env.items()}
        users = {**os.environ, **given}
        return {
            "PYTHONUNBUFFERED": "1",
            **({} if self._threads == "off" else thread_limits(self._threads, users)),
            **(gpus.numbering(users) if self._options.gpus else {}),
            **self._contract.variables(f"{folder}/ml", params, name=launch.name),
            "HPO_JOB": launch.job,
            "HPO_TRIAL": str(launch.trial),
            "HPO_RUN": str(launch.run),
            **given,
            MARKER: folder,
        }

    # -- following

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        """Return the state of each run; LOST for one that is unknown or whose guard was killed."""
        return {handle: self._report(handle) for handle in handles}

    def _report(self, handle: JobHandle) -> RunReport:
        self._watch.seen(handle)
        place = self._place(handle)
        if ended := report(place, self._started):
            return ended
        if is_alive(place.guard):
            return RunReport(RunState.RUNNING)
        return report(place, self._started) or lost(place)  # it may have ended in between

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        """Return the log's next whole lines."""
        chunk = read_lines(f"{self._place(handle).folder}/{LOG}", cursor, ended=ended)
        if chunk.more:
            self._watch.mark(handle)
        return chunk

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        """Leave word for the run's guard to stop the program, and wake it. Raises OSError on a full disk."""
        place = self._place(handle)
        if report(place, self._started) is None and is_alive(place.guard):
            ask(place.folder, KILL if at_once else STOP)
            wake(place.guard, SIGTERM)

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        """Wait until some of these runs may have changed, and return those."""
        return await self._watch.changed({handle: self._place(handle) for handle in handles})

    async def close(self) -> None:
        """Let go of the guard; the programs go on under it."""
        self._watch.close()
        await asyncio.to_thread(self._channels.close)
        await self._guard.close()

    def _run_folder(self, launch: Launch) -> str:
        return str(self._context.run_folder(launch.trial, launch.run).absolute())

    def _handle(self, folder: str, guard: str) -> JobHandle:
        below = folder[len(self._folder) + 1 :]  # so that a job's folder can be moved
        return JobHandle(NAME, json.dumps({"run": below, "guard": guard}))

    def _place(self, handle: JobHandle) -> Place:
        return _place(self._folder, handle.id)


@functools.lru_cache(1024)
def _place(job: str, run: str) -> Place:
    """Return where a handle's run lies; for another launcher's handle, where nothing does."""
    try:
        parts = json.loads(run)
    except ValueError:
        parts = None
    match parts:
        case {"run": str(folder), "guard": str(guard)}:
            return Place(f"{job}/{folder}", guard)
        case _:
            return Place(f"{job}/{run}", "")


KIND = Kind(ProcessOptions, ProcessLauncher)

"""What a job's containers are made of: from its options and a run's parameters to a request."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpo.core.trial import Launch
from hpo.launchers import contract
from hpo.launchers.channels import channel_paths
from hpo.launchers.docker import secret
from hpo.launchers.docker.answers import Image, Machine
from hpo.launchers.docker.clean import AHEAD, COPIED, FOLDER, GPUS, HOST, JOB, JOB_ID, RUN, TRIAL, host
from hpo.launchers.docker.folder import RunFolder
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.docker.request import Bind, ContainerRequest
from hpo.launchers.environment import text_of, thread_limits
from hpo.launchers.gpus import VISIBLE
from hpo.launchers.launcher import JobContext
from hpo.spec.paths import expanded
from hpo.spec.space import Values

ML = "/opt/ml"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run that is to have a container, and what it has here for that."""

    launch: Launch
    job_id: str
    folder: RunFolder
    gpus: Sequence[str] = ()
    is_ahead: bool = False  # of its launch

    @property
    def name(self) -> str:
        """The container's name, which no other run has."""
        return container_name(self.launch, self.job_id)

    @property
    def labels(self) -> dict[str, str]:
        """What the container is found by again."""
        return {
            JOB: self.launch.job,
            TRIAL: str(self.launch.trial),
            RUN: str(self.launch.run),
            JOB_ID: self.job_id,
            FOLDER: str(self.folder.path),
            HOST: host(),
            **({GPUS: ",".join(self.gpus)} if self.gpus else {}),
            **({AHEAD: "true"} if self.is_ahead else {}),
        }


def container_name(launch: Launch, job_id: str) -> str:
    """Return what a run's container is called, which no other run's is."""
    return f"hpo-{launch.name}-{job_id}"


class Recipe:
    """Makes the request for each run of a job on a machine."""

    def __init__(self, context: JobContext, options: DockerOptions, machine: Machine) -> None:
        self._context = context
        self._options = options
        self._rootless = machine.rootless
        share = max(1, machine.cpus // context.max_parallel_jobs)
        cpus = math.ceil(options.cpus) if options.cpus is not None else share
        self._threads = cpus if options.threads == "auto" else options.threads
        self.channels = channel_paths(context)
        program = [*(options.entrypoint or ()), *(options.command or ())]
        self._contract = contract.Contract(
            contract.Surroundings(
                module_dir=options.workdir or f"{ML}/code",
                entry_point=contract.script_of(program) or (program or ["train"])[0],
                channels=self.channels,
                cpus=cpus,
                gpus=options.gpus,
            )
        )

    def files(self, launch: Launch) -> dict[str, str]:
        """Return the text of each file of the contract by its path below /opt/ml."""
        return self._contract.files(self._params(launch))

    def request(
        self,
        wanted: Wanted,
        *,
        image: str,
        known: Image | None,
        secrets: Mapping[str, str],
        secret_file: Path | None = None,
        copied: bool = False,
    ) -> ContainerRequest:
        """Return what is asked for a run.

        `known` is what the image says of itself. The secrets come by `secret_file` where there is one,
        else as variables. Of a `copied` run nothing is mounted: its files are copied in and out.
        """
        options, params = self._options, self._params(wanted.launch)
        entrypoint, command = options.entrypoint, self._command(params)
        if secrets and known is not None and (secret_file is not None or copied):
            entrypoint, command, secrets = _reading_secrets(entrypoint, command, known), [], {}
        binds = [] if copied else self._binds(wanted.folder, secret_file)
        return ContainerRequest(
            name=wanted.name,
            image=image,
            entrypoint=entrypoint,
            command=command,
            env={**self._variables(wanted.launch, params), **secrets},
            labels={**wanted.labels, **({COPIED: "true"} if copied else {})},
            binds=[*binds, *mounts(options, self._context)],
            user=self.user,
            workdir=options.workdir,
            network=options.network,
            cpus=options.cpus,
            memory=options.memory,
            shm_size=options.shm_size,
            gpus=wanted.gpus,
            capabilities=options.capabilities,
            platform=options.platform,
        )

    @property
    def user(self) -> str | None:
        """Who the program runs as; None for the image's own user."""
        match self._options.user:
            case None if self._rootless:  # its root is the user who runs the engine
                return "0:0"
            case None:
                return f"{os.getuid()}:{os.getgid()}"
            case "image":
                return None
            case user:
                return user

    def _params(self, launch: Launch) -> Values:
        return {**self._context.fixed, **launch.params}

    def _command(self, params: Values) -> list[str] | None:
        options = self._options
        if options.command is not None or options.entrypoint is not None:
            return contract.command_line(options.command or (), params)
        return ["train"]

    def _variables(self, launch: Launch, params: Values) -> dict[str, str]:
        given = {name: text_of(value) for name, value in self._options.env.items()}
        if self._options.gpus:  # in the container they are numbered anew
            given.pop(VISIBLE, None)
        nobody = self._options.user is None and self.user != "0:0"  # without a home there
        return {
            "PYTHONUNBUFFERED": "1",
            **({"HOME": "/tmp"} if nobody else {}),  # noqa: S108 -- the container's own
            **({} if self._threads == "off" else thread_limits(self._threads, given)),
            **self._contract.variables(ML, params, name=launch.name),
            "HPO_JOB": launch.job,
            "HPO_TRIAL": str(launch.trial),
            "HPO_RUN": str(launch.run),
            **given,
        }

    def _binds(self, folder: RunFolder, secret_file: Path | None) -> list[Bind]:
        binds = [Bind(str(folder.ml / name), f"{ML}/{name}") for name in ("input", "model", "output")]
        binds.append(Bind(str(folder.checkpoints), f"{ML}/checkpoints"))
        for channel, source in self.channels.items():
            inside = f"{ML}/input/data/{channel}"
            target = f"{inside}/{source.name}" if source.is_file() else inside
            binds.append(Bind(str(source.resolve()), target, read_only=True))
        if secret_file is not None:
            binds.append(Bind(str(secret_file), secret.INSIDE, read_only=True))
        return binds


def _reading_secrets(
    entrypoint: Sequence[str] | None, command: Sequence[str] | None, image: Image
) -> list[str]:
    """Return the entry point that reads the secrets, then runs what else the container would have run."""
    given = image.command if command is None and entrypoint is None else command or ()
    return secret.reading([*(entrypoint or image.entrypoint), *given])


def mounts(options: DockerOptions, context: JobContext) -> list[Bind]:
    """Return what the user mounts; relative paths count from the spec's folder."""
    return [
        Bind(
            str((context.base / expanded(mount.source)).absolute())
            if "/" in mount.source or mount.source in {".", "..", "~"}
            else mount.source,
            mount.target,
            mount.read_only,
        )
        for mount in options.mounts
    ]

"""What would keep every container from starting, found before the first one is."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hpo.errors import CannotStart, LauncherError
from hpo.launchers.channels import channel_obstacles
from hpo.launchers.docker import secret
from hpo.launchers.docker.answers import Image, Machine
from hpo.launchers.docker.clean import PID, probe_labels
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.faults import EngineDown
from hpo.launchers.docker.image import ImageSource
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.docker.recipe import mounts
from hpo.launchers.docker.request import Bind, ContainerRequest
from hpo.launchers.docker.states import MISSING_SOURCE, why_not_started
from hpo.launchers.environment import missing_secrets
from hpo.launchers.gpus import too_few
from hpo.launchers.launcher import JobContext, Obstacle

_EVERYWHERE = ("bridge", "host", "none", "default")
_NOTHING = "/hpo-finds-out-whether-a-container-starts"


def problems(
    engine: Engine, options: DockerOptions, context: JobContext, *, gpus: Sequence[str]
) -> Iterator[Obstacle]:
    """Yield what is missing for any run to start; `gpus` are those to choose from.

    The image is pulled or built for that.
    """
    yield from _local_problems(options, context)
    machine = engine.machine()
    yield from _size_problems(options, context.max_parallel_jobs, machine)
    if options.network not in _EVERYWHERE and not engine.has_network(options.network):
        yield _obstacle(
            "network", f"the engine has no network {options.network}; `docker network ls` shows them"
        )
    if options.gpus > len(gpus):
        yield _obstacle("gpus", too_few(gpus, options.gpus))
    try:
        name, image = ImageSource(engine, options, context).image()
    except CannotStart as error:
        yield _obstacle("build" if options.build else "image", str(error))
        return
    probe = probe_of(name, options, context)
    try:
        engine.remove(engine.create(probe))
    except EngineDown:
        raise
    except LauncherError as error:
        yield _obstacle("platform" if options.platform else "image", f"the engine refuses {name}: {error}")
        return
    given = mounts(options, context)
    if refused := list(_mount_problems(engine, probe, given)):
        yield from refused
        return
    paths = [mount for mount in given if not mount.is_volume]  # a volume would be made, and stay
    yield from _program_problems(engine, replace(probe, binds=paths), image, options)
    if options.gpus and gpus:
        yield from _gpu_problems(engine, replace(probe, gpus=gpus[: options.gpus]))


def probe_of(image: str, options: DockerOptions, context: JobContext) -> ContainerRequest:
    """Return what is asked for a container to look into, which starts nothing; `clean` finds it."""
    labels = {**probe_labels(context), PID: str(os.getpid())}
    return ContainerRequest("", image, [_NOTHING], labels=labels, platform=options.platform)


def has_shell(engine: Engine, probe: ContainerRequest) -> bool:
    """Tell whether an image has the shell that hides secrets. Raises LauncherError."""
    container = engine.create(probe)
    try:
        return engine.has_path(container, secret.SHELL)
    finally:
        engine.remove(container)


def _local_problems(options: DockerOptions, context: JobContext) -> Iterator[Obstacle]:
    yield from channel_obstacles(context)
    for key, problem in missing_secrets(options.env_from, context.base):
        yield Obstacle(("launcher", "env_from", key), problem)


def _mount_problems(engine: Engine, probe: ContainerRequest, given: Sequence[Bind]) -> Iterator[Obstacle]:
    """See whether the engine can mount each path: it may see other files than there are here."""
    socket = Path(engine.address.removeprefix("unix://"))
    for index, mount in enumerate(given):
        if mount.is_volume:
            continue
        key = ("launcher", "mounts", index)
        if engine.address.startswith("unix://") and socket.resolve().is_relative_to(
            Path(mount.source).resolve()
        ):
            yield Obstacle(
                key,
                f"{mount.source} holds the Docker engine's socket, and with it the machine; mount only "
                "those of its folders that a trial needs",
            )
            continue
        try:
            engine.remove(engine.create(replace(probe, binds=[mount])))
        except EngineDown:
            raise
        except LauncherError as error:
            missing = MISSING_SOURCE in str(error)
            yield Obstacle(key, f"the engine's machine has no {mount.source}" if missing else str(error))


def _size_problems(options: DockerOptions, parallel: int, machine: Machine) -> Iterator[Obstacle]:
    if options.memory is not None and options.memory * parallel > machine.memory:
        yield _obstacle(
            "memory",
            f"{parallel} trials at once need {_gib(options.memory * parallel)}, and the engine's "
            f"machine has {_gib(machine.memory)}; lower limits.max_parallel_jobs or launcher.memory",
        )
    if options.cpus is not None and options.cpus * parallel > machine.cpus:
        yield _obstacle(
            "cpus",
            f"{parallel} trials at once need {options.cpus * parallel:g}, and the engine's machine "
            f"has {machine.cpus}; lower limits.max_parallel_jobs or launcher.cpus",
        )


def _program_problems(
    engine: Engine, probe: ContainerRequest, image: Image, options: DockerOptions
) -> Iterator[Obstacle]:
    """See whether the program is in the image, in a container that is never started."""
    key, program = _starts_with(image, options)
    if program is None or "{" in program:
        return
    if "/" in program:
        places = [posixpath.join(options.workdir or image.workdir, program)]
    else:
        given = options.env.get("PATH")
        path = str(given) if given is not None else image.path
        places = [posixpath.join(folder, program) for folder in path.split(":")]
    volumes = tuple(f"{mount.target.rstrip('/')}/" for mount in options.mounts if "/" not in mount.source)
    if any(posixpath.normpath(place).startswith(volumes) for place in places):
        return
    container = engine.create(probe)
    try:
        if not any(engine.has_path(container, place) for place in places):
            hint = "" if key != "image" else "; give `command`, or an image whose entry point takes `train`"
            yield _obstacle(
                key, f"the image {probe.image} has no program {program} ({', '.join(places)}){hint}"
            )
    finally:
        engine.remove(container)


def _starts_with(image: Image, options: DockerOptions) -> tuple[str, str | None]:
    """Return what a container starts with, and the key that says so."""
    if options.entrypoint is not None:
        return "entrypoint", options.entrypoint[0]
    if image.entrypoint:
        return "image", image.entrypoint[0]
    if options.command is not None:
        return "command", options.command[0]
    return "image", "train"


def _gpu_problems(engine: Engine, probe: ContainerRequest) -> Iterator[Obstacle]:
    """See whether the engine can give GPUs, with a program that there is not: it never runs."""
    container = engine.create(probe)
    try:
        engine.start(container)
    except LauncherError as error:
        if "device" in str(error) or "nvidia" in str(error).lower():
            yield _obstacle("gpus", why_not_started(str(error)))
    finally:
        engine.remove(container)


def _obstacle(key: str, message: str) -> Obstacle:
    return Obstacle(("launcher", key), message)


def _gib(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"

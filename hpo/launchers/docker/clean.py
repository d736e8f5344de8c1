"""Removing containers that nobody needs any more."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from hpo.errors import HpoError
from hpo.launchers.docker import secret
from hpo.launchers.docker.answers import Container
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.folder import ID, RunFolder
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.launcher import JobContext

JOB, TRIAL, RUN = "io.hpo.job", "io.hpo.trial", "io.hpo.run"
JOB_ID, FOLDER, HOST = "io.hpo.job-id", "io.hpo.folder", "io.hpo.host"
GPUS = "io.hpo.gpus"
COPIED, AHEAD, PID = "io.hpo.copied", "io.hpo.ahead", "io.hpo.pid"
"""The labels of a run's container; FOLDER is the run's, and below HOST's file system."""

PROBE = "none"
"""The JOB_ID of a container that a check looks into; PID is then the process that does."""


def host() -> str:
    """Return the name of this machine, as containers are labelled with it."""
    return platform.node()


def probe_labels(context: JobContext) -> dict[str, str]:
    """Return the labels of a container that a check looks into, and that is never started."""
    return {JOB_ID: PROBE, HOST: host(), FOLDER: str(context.run_folder(0, 0).absolute())}


def remove_ended(engine: Engine, job_id: str, context: JobContext) -> None:
    """Remove those containers of a job that nobody needs any more: a tuner died before it could."""
    for container in engine.containers([f"{JOB_ID}={job_id}"]):
        is_ahead = AHEAD in container.labels and not container.was_started
        if is_ahead or RunFolder(Path(container.labels[FOLDER])).end() is not None:
            _remove(engine, container)
    for container in engine.containers([f"{name}={text}" for name, text in probe_labels(context).items()]):
        if not _is_looked_into(container):
            engine.remove(container.id)


def clean() -> Iterator[str]:
    """Remove the containers of this machine's jobs that are deleted, or whose end is written down.

    Yields what was removed. Raises LauncherError where the engine does not answer.
    """
    engine = Engine(None, connections=2)
    try:
        for container in engine.containers([JOB_ID, f"{HOST}={host()}"]):
            if why := _useless(container):
                _remove(engine, container)
                yield f"container {container.name}: {why}"
    finally:
        engine.close()


def remove_all(context: JobContext, options: DockerOptions) -> None:
    """Remove every container of a job that is about to be deleted. Raises LauncherError."""
    try:
        job_id = (context.folder / ID).read_text(encoding="ascii")
    except FileNotFoundError:  # it never made one
        return
    engine = Engine(options.context, connections=2)
    try:
        for container in engine.containers([f"{JOB_ID}={job_id}"]):
            _remove(engine, container)
    finally:
        engine.close()
    secret.forget_all(job_id, context.folder)


def _remove(engine: Engine, container: Container) -> None:
    """Remove a container and its secrets."""
    run = Path(container.labels[FOLDER])
    secret.forget(secret.file_name(container.labels[JOB_ID], run), run.parents[2])
    engine.remove(container.id)


def _is_looked_into(probe: Container) -> bool:
    """Tell whether the process that made a container to look into still runs."""
    try:
        os.kill(int(probe.labels.get(PID, "")), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _useless(container: Container) -> str:
    """Return why nobody needs a container; "" where somebody may."""
    if container.labels[JOB_ID] == PROBE:
        return "" if _is_looked_into(container) else "a check left it"
    run = Path(container.labels[FOLDER])
    job = run.parents[2]
    try:
        alive = (job / ID).read_text(encoding="ascii") == container.labels[JOB_ID]
    except (FileNotFoundError, NotADirectoryError):
        alive = False
    except OSError:  # somebody else's, who lets nobody look
        return ""
    if not alive:
        return f"its job, {job}, was deleted"
    try:
        return "its end is written down" if RunFolder(run).end() is not None else ""
    except (HpoError, OSError, ValueError, KeyError):
        return ""

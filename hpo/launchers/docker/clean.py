"""Removing containers that nobody needs any more."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

from hpo.errors import HpoError
from hpo.launchers.docker.engine import Container, Engine
from hpo.launchers.docker.folder import ID, RunFolder
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.launcher import JobContext

JOB, TRIAL, RUN = "io.hpo.job", "io.hpo.trial", "io.hpo.run"
JOB_ID, FOLDER, HOST = "io.hpo.job-id", "io.hpo.folder", "io.hpo.host"
GPUS = "io.hpo.gpus"
COPIED = "io.hpo.copied"
"""The labels of a run's container; FOLDER is the run's, and below HOST's file system."""


def host() -> str:
    """Return the name of this machine, as containers are labelled with it."""
    return platform.node()


def remove_ended(engine: Engine, job_id: str) -> None:
    """Remove the containers of a job whose end is written down: a tuner died before it could."""
    for container in engine.containers([f"{JOB_ID}={job_id}"]):
        if RunFolder(Path(container.labels[FOLDER])).end() is not None:
            engine.remove(container.id)


def clean() -> Iterator[str]:
    """Remove the containers of this machine's jobs that are deleted, or whose end is written down.

    Yields what was removed. Raises LauncherError where the engine does not answer.
    """
    engine = Engine(None, connections=2)
    try:
        for container in engine.containers([JOB_ID, f"{HOST}={host()}"]):
            if why := _useless(container):
                engine.remove(container.id)
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
            engine.remove(container.id)
    finally:
        engine.close()


def _useless(container: Container) -> str:
    run = Path(container.labels[FOLDER])
    job = run.parents[2]
    try:
        alive = (job / ID).read_text(encoding="ascii") == container.labels[JOB_ID]
    except OSError:
        alive = False
    if not alive:
        return f"its job, {job}, was deleted"
    try:
        return "its end is written down" if RunFolder(run).end() is not None else ""
    except (HpoError, ValueError, KeyError):
        return ""

"""What is told of a job's containers before any is started; each answer asks the engine anew."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from hpo.core.trial import Launch
from hpo.errors import LauncherError
from hpo.launchers.docker.check import problems
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.faults import EngineDown
from hpo.launchers.docker.folder import RunFolder
from hpo.launchers.docker.image import ImageSource
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.docker.recipe import Recipe, Wanted
from hpo.launchers.launcher import JobContext, Obstacle


def obstacles(context: JobContext, options: DockerOptions, *, gpus: Sequence[str]) -> list[Obstacle]:
    """Return what would keep every run from starting; the image is pulled or built for that.

    `gpus` are those to choose from.
    """
    where = ("launcher", "context" if options.context else "kind")
    try:
        with closing(Engine(options.context, connections=1)) as engine:
            return list(problems(engine, options, context, gpus=gpus))
    except EngineDown as error:
        return [Obstacle(where, f"{error}; is it running? `docker info` tells")]
    except LauncherError as error:
        return [Obstacle(where, str(error))]


def command_line(
    launch: Launch, folder: RunFolder, context: JobContext, options: DockerOptions, *, gpus: Sequence[str]
) -> str:
    """Return the `docker run` that does the same as a launch. Raises LauncherError."""
    with closing(Engine(options.context, connections=1)) as engine:
        name, known = ImageSource(engine, options, context).image()
        recipe = Recipe(context, options, engine.machine())
    request = recipe.request(
        Wanted(launch, "ID", folder, gpus[: options.gpus]),
        image=name,
        known=known,
        secrets=dict.fromkeys(options.env_from, "(from env_from)"),
    )
    return request.command_line()

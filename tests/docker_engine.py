"""The Docker engine that tests marked `docker` run on."""

from __future__ import annotations

import functools
import gc
import os
import warnings

from hpo.errors import LauncherError
from hpo.launchers.docker.engine import Engine

IMAGE = "python:3.11-slim"

REQUIRED = "HPO_REQUIRE_DOCKER"
"""The variable that makes a test fail that has no engine, instead of being skipped."""


@functools.cache
def missing() -> str:
    """Return why no test can run in a container; "" where it can."""
    with warnings.catch_warnings():  # Docker's SDK never closes the socket of a connection that failed
        warnings.simplefilter("ignore", ResourceWarning)
        why = _missing()
        gc.collect()
    return why


def _missing() -> str:
    try:
        engine = Engine(None, connections=1)
        try:
            return (
                "" if engine.image(IMAGE) else f"the Docker engine has no image {IMAGE}; docker pull {IMAGE}"
            )
        finally:
            engine.close()
    except LauncherError as error:
        return str(error)


def is_required() -> bool:
    return os.environ.get(REQUIRED) == "1"

"""GPUs for containers: each is used by one run at a time, whichever job or launcher it belongs to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hpo.core.trial import Launch
from hpo.errors import CannotStart, NoCapacity
from hpo.launchers import gpus
from hpo.launchers.docker.answers import Container
from hpo.launchers.docker.clean import GPUS
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.environment import text_of
from hpo.launchers.launcher import JobContext


class GpuSlots:
    """The GPUs that a job's containers hold, as long as this process knows of them."""

    def __init__(self, context: JobContext, options: DockerOptions) -> None:
        given = {name: text_of(value) for name, value in options.env.items()}
        self.candidates = gpus.candidates({**os.environ, **given}) if options.gpus else []
        self._wanted = options.gpus
        self._folder = str(context.state / "gpus")
        self._locks: dict[Path, list[int]] = {}  # by the run's folder

    def take(self, engine: Engine, launch: Launch, run: Path) -> Sequence[str]:
        """Take as many as a run needs. Raises NoCapacity while too few are free, CannotStart for too few."""
        if not self._wanted:
            return ()
        if self._wanted > len(self.candidates):
            raise CannotStart(f"it needs {self._wanted} GPUs, and {len(self.candidates)} can be found here")
        used = {gpu for each in engine.containers([GPUS]) if not each.has_ended for gpu in _of(each)}
        return self._lock([gpu for gpu in self.candidates if gpu not in used], self._wanted, launch, run)

    def take_again(self, container: Container, launch: Launch, run: Path) -> None:
        """Hold those of a container that an earlier process started."""
        if (held := _of(container)) and run not in self._locks:
            try:
                self._lock(held, len(held), launch, run)
            except NoCapacity:  # others count the container's label
                return

    def free(self, run: Path) -> None:
        """Free those of a run."""
        for lock in self._locks.pop(run, ()):
            os.close(lock)

    def _lock(self, free: Sequence[str], wanted: int, launch: Launch, run: Path) -> Sequence[str]:
        try:
            taken, self._locks[run] = gpus.take(free, wanted, folder=self._folder, name=launch.name)
        except BlockingIOError as error:
            raise NoCapacity(str(error)) from error
        return taken


def _of(container: Container) -> list[str]:
    return [gpu for gpu in container.labels.get(GPUS, "").split(",") if gpu]

"""Starting the containers of a job: each exactly once, whatever is cut off in between."""

from __future__ import annotations

import functools
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hpo.core.trial import Launch
from hpo.errors import LauncherError
from hpo.launchers.channels import Channels
from hpo.launchers.docker import secret
from hpo.launchers.docker.answers import CREATED, Container
from hpo.launchers.docker.check import has_shell, probe_of
from hpo.launchers.docker.clean import FOLDER, JOB_ID, remove_ended
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.faults import ContainerGone, EngineDown, ImageMissing, NameTaken
from hpo.launchers.docker.files import pack
from hpo.launchers.docker.folder import RunFolder, job_id
from hpo.launchers.docker.image import ImageSource
from hpo.launchers.docker.options import DockerOptions
from hpo.launchers.docker.output import Started
from hpo.launchers.docker.recipe import ML, Recipe, Wanted, container_name, mounts
from hpo.launchers.docker.request import Bind, ContainerRequest
from hpo.launchers.docker.slots import GpuSlots
from hpo.launchers.docker.states import MISSING_SOURCE, refusal
from hpo.launchers.environment import read_secrets
from hpo.launchers.launcher import JobContext
from hpo.spec.space import identity

CONNECTIONS = 1000
"""To an engine at most: one for each container that is followed, and those of short calls."""

_PROOF = "input/config/hyperparameters.json"
"""What a container must have below /opt/ml if the engine has mounted what lies here."""


class Starter:
    """Starts containers, and finds those that were started."""

    def __init__(self, context: JobContext, options: DockerOptions) -> None:
        self._context = context
        self._options = options
        self._gpus = GpuSlots(context, options)
        self._copies = False  # the engine cannot mount what lies here
        self._is_proven = False  # it can
        self._ready: dict[str, tuple[Launch, Container]] = {}  # created ahead, by the run's name
        self._tidying = threading.Lock()
        self._is_tidy = False
        self._channels = Channels(context)

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine. Raises EngineDown, and CannotStart where the spec's context cannot be used."""
        return Engine(self._options.context, connections=CONNECTIONS)

    @functools.cached_property
    def job_id(self) -> str:
        """What tells this job's containers from all others."""
        return job_id(self._context.folder)

    @property
    def gpus(self) -> Sequence[str]:
        """Those that runs may take."""
        return self._gpus.candidates

    @functools.cached_property
    def _has_shell(self) -> bool:
        """Whether the image has a shell, which secrets need to be hidden."""
        name, _ = self._image.image()
        return has_shell(self.engine, probe_of(name, self._options, self._context))

    @functools.cached_property
    def _image(self) -> ImageSource:
        return ImageSource(self.engine, self._options, self._context)

    @functools.cached_property
    def _recipe(self) -> Recipe:
        return Recipe(self._context, self._options, self.engine.machine())

    def folder(self, launch: Launch) -> RunFolder:
        """Return where everything of a run lies."""
        return RunFolder(self._context.run_folder(launch.trial, launch.run).absolute())

    def find(self, launch: Launch) -> str | None:
        """Return the container of a run if it was ever started; one that was only created is removed."""
        if end := self.folder(launch).end():
            return end.native
        container = self.engine.find(container_name(launch, self.job_id))
        if container is not None and container.was_started:
            return container.id
        if container is not None:
            self.engine.remove(container.id)
        self.release(self.folder(launch))
        return None

    def start(self, launch: Launch) -> Started:
        """Start a run, or find it started.

        Raises CannotStart, NoCapacity while no GPU is free or its data is downloaded, EngineDown, and
        OSError where there is no room, here or at the engine.
        """
        self.tidy()
        folder = self.folder(launch)
        with folder.turn():  # an engine starts a container again that has ended
            return self._start(launch, folder)

    def _start(self, launch: Launch, folder: RunFolder) -> Started:
        if end := folder.end():
            return Started(end.native)
        container = self._made_ready(launch) or self._using_gpus(launch)
        container = container or self._create(launch, folder)
        if container.was_started:
            self._gpus.take_again(container, launch, folder.path)
            return Started(container.id)
        output, at = self.engine.attach(container.id), time.time()
        try:
            if not self.engine.start(container.id):  # another one was quicker: some output may be missed
                output.close()
                return Started(container.id)
        except (EngineDown, ContainerGone):
            output.close()
            raise
        except LauncherError as error:
            output.close()
            self.engine.remove(container.id)
            self.release(folder)
            raise refusal(error) from error
        return Started(container.id, at, output)

    def _made_ready(self, launch: Launch) -> Container | None:
        """Return a run's container that was created ahead, unless its values are others by now."""
        prepared, container = self._ready.pop(launch.name, (launch, None))
        if container is not None and identity(prepared.params) != identity(launch.params):
            self.engine.remove(container.id)
            return None
        return container

    def prepare(self, launch: Launch) -> None:
        """Create the container of a run, so that `start` need not. Raises what `start` does."""
        self.tidy()
        folder = self.folder(launch)
        if not self._options.gpus and folder.end() is None:
            container = self._create(launch, folder, ahead=True)
            if not container.was_started:
                self._ready[launch.name] = (launch, container)

    def remove_prepared(self) -> None:
        """Remove what was prepared and never started."""
        while self._ready:
            _, (_, container) = self._ready.popitem()
            folder = RunFolder(Path(container.labels[FOLDER]))
            self.discard(folder, container.id)
            shutil.rmtree(folder.path, ignore_errors=True)

    def running(self) -> frozenset[str]:
        """Return those of the job's containers that have not ended."""
        found = self.engine.containers([f"{JOB_ID}={self.job_id}"])
        return frozenset(container.id for container in found if not container.has_ended)

    def discard(self, folder: RunFolder, container: str) -> None:
        """Remove a run's container, and free what the run held here."""
        self.release(folder)
        self.engine.remove(container)

    def tidy(self) -> None:
        """Once, remove what an earlier tuner left of the job that nobody needs any more."""
        with self._tidying:
            if not self._is_tidy:
                remove_ended(self.engine, self.job_id, self._context)
                self._is_tidy = True

    def release(self, folder: RunFolder) -> None:
        """Free what a run that has ended, or never began, holds here: its GPUs and its secrets."""
        self._gpus.free(folder.path)
        if self._options.env_from:
            secret.forget(self._secret_name(folder), self._context.folder.absolute())

    def close(self) -> None:
        """Let go of the engine."""
        self._channels.close()
        if "engine" in self.__dict__:
            self.engine.close()

    # -- creating

    def _create(self, launch: Launch, folder: RunFolder, *, ahead: bool = False) -> Container:
        """Create a run's container with all it needs, or find it created; `ahead` of its launch."""
        self._channels.require()
        for_all = self._options.user is not None
        files, channels = self._recipe.files(launch), self._recipe.channels
        folder.prepare(files, channels, repeat=launch.repeat, for_all=for_all)
        taken = self._gpus.take(self.engine, launch, folder.path)
        wanted = Wanted(launch, self.job_id, folder, taken, is_ahead=ahead)
        try:
            return self._created(wanted)
        except ImageMissing:  # it vanished after it was found
            self._image.image(again=True)
            return self._created(wanted)

    def _created(self, wanted: Wanted) -> Container:
        secrets = read_secrets(self._options.env_from, self._context.base)
        hidden = bool(secrets) and secret.can_be_hidden(secrets) and self._has_shell
        request = self._request(wanted, secrets, hidden=hidden)
        try:
            container = self.engine.create(request)
        except NameTaken:
            found = self._found(request.name)
            if found.was_started or not (secrets or self._copies):
                return found
            self.engine.remove(found.id)  # it may lack its secrets or files: a tuner was killed meanwhile
            container = self.engine.create(request)
        except (EngineDown, ImageMissing):
            raise
        except LauncherError as error:
            if not self._copies and _is_elsewhere(error, mounts(self._options, self._context)):
                return self._copied(wanted)
            self.release(wanted.folder)
            raise refusal(error) from error
        if self._copies:
            with pack(wanted.folder, self._recipe.channels, secrets if hidden else {}) as archive:
                self.engine.put(container, archive)
        elif not self._is_proven and not self.engine.has_path(container, f"{ML}/{_PROOF}"):
            self.engine.remove(container)
            return self._copied(wanted)
        self._is_proven = True
        return Container(container, request.name, CREATED, request.labels)

    def _request(self, wanted: Wanted, secrets: Mapping[str, str], *, hidden: bool) -> ContainerRequest:
        """Return what is asked for a run; secrets that are to be `hidden` from inspection lie ready then."""
        name, known = self._image.image()
        file: Path | None = None
        if hidden and not self._copies:
            job = self._context.folder.absolute()
            file = secret.write(self._secret_name(wanted.folder), secrets, job)
        return self._recipe.request(
            wanted,
            image=name,
            known=known if hidden else None,
            secrets=secrets,
            secret_file=file,
            copied=self._copies,
        )

    def _copied(self, wanted: Wanted) -> Container:
        """Create the container, and from here on all others, with copies: the engine is elsewhere."""
        self._copies = True
        return self._created(wanted)

    def _found(self, name: str) -> Container:
        """Return the container of this name, which another one is just creating."""
        for _ in range(100):
            if container := self.engine.find(name):
                return container
            time.sleep(0.05)
        raise LauncherError(f"the engine has a container {name}, and will not show it; `docker rm -f {name}`")

    def _secret_name(self, folder: RunFolder) -> str:
        return secret.file_name(self.job_id, folder.path)

    def _using_gpus(self, launch: Launch) -> Container | None:
        """Return a run's container that has its GPUs already: it is not to wait for others."""
        container = self.engine.find(container_name(launch, self.job_id)) if self._options.gpus else None
        return container if container is not None and container.was_started else None


def _is_elsewhere(error: LauncherError, given: Sequence[Bind]) -> bool:
    """Tell whether an engine refuses a container because its machine does not have the job's folder."""
    words = str(error).strip()
    return MISSING_SOURCE in words and not any(words.endswith(f": {mount.source}") for mount in given)

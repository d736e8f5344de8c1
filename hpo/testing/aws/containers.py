"""Programs as containers of a Docker engine on this machine."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hpo.testing.aws.errors import JobFailure
from hpo.testing.aws.programs import OPT_ML, Start
from hpo.testing.aws.request import CHECKPOINTS

LABEL = "hpo.testing.aws"

_PATIENCE = 86_400  # seconds that a program may say nothing


class Container:
    """A container that has been created; it is started here, so that no byte of it is missed."""

    def __init__(self, container: Any, output: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self._container = container
        self._output = output
        self._ended = ended
        self._status: int | None = None
        attached = container.attach_socket(params={"stdout": 1, "stderr": 1, "stream": 1})
        try:
            container.start()
        except BaseException:
            _close(attached)
            raise
        self._thread = threading.Thread(target=self._follow, args=(attached,), daemon=True)
        self._thread.start()

    def status(self) -> int | None:
        """Return its exit status; None while it runs."""
        return self._status

    def terminate(self) -> None:
        """Send SIGTERM to its first process."""
        self._signal("SIGTERM")

    def kill(self) -> None:
        """Send SIGKILL to all of it."""
        self._signal("SIGKILL")

    def close(self) -> None:
        """Wait until its output has been read, and remove it."""
        self._thread.join()
        from docker.errors import APIError

        with suppress(APIError):
            self._container.remove(force=True)

    def _signal(self, name: str) -> None:
        from docker.errors import APIError

        with suppress(APIError):  # it has ended meanwhile
            self._container.kill(signal=name)

    def _follow(self, attached: Any) -> None:
        from docker.errors import DockerException
        from docker.utils.socket import frames_iter
        from requests.exceptions import RequestException

        status = 1
        with suppress(DockerException, RequestException, OSError):
            for _, chunk in frames_iter(attached, tty=False):
                self._output(chunk)
            status = self._container.wait()["StatusCode"]
        _close(attached)
        self._status = status
        self._ended()


def _close(attached: Any) -> None:
    """Let go of the connection to a container's output, and of the answer that it came with."""
    response = getattr(attached, "_response", None)  # where the SDK keeps it
    if response is not None:
        response.close()
    attached.close()


class Containers:
    """The runner that has an engine."""

    def __init__(self, environment: Mapping[str, str], *, mounts: Mapping[str, str]) -> None:
        import docker

        self._environment = environment
        self._mounts = mounts
        self._engine: Any = docker.from_env(max_pool_size=64, timeout=_PATIENCE)

    def answers(self) -> bool:
        """Return whether there is an engine."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        try:
            return bool(self._engine.ping())
        except (DockerException, RequestException):
            return False

    def start(self, start: Start, *, output: Callable[[bytes], None], ended: Callable[[], None]) -> Container:
        """Start a program. Raises JobFailure."""
        from docker.errors import APIError, ImageNotFound

        volumes = {here: {"bind": there, "mode": "rw"} for here, there in self._mounts.items()}
        volumes[str(start.root)] = {"bind": OPT_ML, "mode": "rw"}
        if start.checkpoint_path != CHECKPOINTS:
            volumes[str(start.root / "checkpoints")] = {"bind": start.checkpoint_path, "mode": "rw"}
        command = list(start.arguments) if start.entrypoint else ["train", *start.arguments]
        try:
            container = self._engine.containers.create(
                start.image,
                command=command,
                entrypoint=list(start.entrypoint) or None,
                environment={**self._environment, **start.environment},
                volumes=volumes,
                network_mode="none" if start.is_isolated else "bridge",
                working_dir=start.working_folder,
                labels={LABEL: start.name},
            )
        except ImageNotFound:
            raise JobFailure(
                f"ClientError: Cannot find the training image {start.image}. Please check that it exists "
                "and that the role may pull it. (This emulator pulls nothing: docker pull it first.)"
            ) from None
        except APIError as error:
            raise JobFailure(f"ClientError: {error.explanation or error}") from None
        try:
            return Container(container, output, ended)
        except APIError as error:  # as for an entry point that is not in the image
            container.remove(force=True)
            output(f"{error.explanation or error}\n".encode())
            raise JobFailure("AlgorithmError: , exit code: 127") from None

    def remove(self, folder: Path, image: str) -> None:
        """Remove a folder that programs have written to."""
        self.reclaim(folder, image)
        shutil.rmtree(folder, ignore_errors=True)

    def reclaim(self, folder: Path, image: str) -> None:
        """Make files that are root's this user's, in a container, as only root can."""
        if os.getuid() == 0 or not any(each.lstat().st_uid != os.getuid() for each in folder.rglob("*")):
            return
        from docker.errors import APIError, ContainerError

        with suppress(APIError, ContainerError):
            self._engine.containers.run(
                image,
                entrypoint=["chown", "-R", f"{os.getuid()}:{os.getgid()}", "/folder"],
                volumes={str(folder): {"bind": "/folder", "mode": "rw"}},
                user="0",
                network_mode="none",
                remove=True,
            )

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()

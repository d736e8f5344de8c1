"""A Docker engine, as hpo uses one: all that is asked of it is asked here."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

import docker.errors
import requests
from docker.api.client import APIClient
from docker.utils import parse_repository_tag

from hpo.errors import CannotStart, LauncherError
from hpo.launchers.docker.answers import Container, Image, Machine, container_of
from hpo.launchers.docker.context import settings
from hpo.launchers.docker.faults import (
    ContainerGone,
    ImageMissing,
    NameTaken,
    raise_refusal,
    understood,
    words,
)
from hpo.launchers.docker.output import Attached, Told
from hpo.launchers.docker.request import ContainerRequest

ANSWER_WITHIN = 60.0
"""Seconds an engine has for an answer before it counts as one that doesn't answer."""


_POOL = 8
"""Connections to keep to a local socket; the client has a pool of that size for every single address."""


class Engine:
    """One pooled client of a Docker engine; every method waits for the answer, in whichever thread.

    Each raises EngineDown where the engine does not answer, and LauncherError with the engine's words
    where it refuses.
    """

    def __init__(self, context: str | None, *, connections: int) -> None:
        """Connect to the engine of a Docker context; by default that of DOCKER_HOST, else the current one."""
        reached = settings(context)
        self.address = str(reached.get("base_url") or "unix:///var/run/docker.sock")
        pool = min(connections, _POOL) if self.address.startswith("unix:") else connections
        with understood(self.address):
            self._client = APIClient(
                **reached, version="auto", timeout=int(ANSWER_WITHIN), max_pool_size=pool
            )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    # -- the machine

    def machine(self) -> Machine:
        """Return what the engine says of its machine."""
        with understood(self.address):
            info = self._client.info()
        return Machine(
            cpus=int(info["NCPU"]),
            memory=int(info["MemTotal"]),
            rootless=any("rootless" in option for option in info.get("SecurityOptions") or ()),
        )

    # -- containers

    def create(self, request: ContainerRequest) -> str:
        """Create a container, and return its id. Raises NameTaken, and ImageMissing."""
        with understood(self.address):
            try:
                answer = self._client.create_container_from_config(
                    request.body(), request.name or None, request.platform
                )
            except docker.errors.ImageNotFound as error:
                raise ImageMissing(words(error)) from error
            except docker.errors.APIError as error:
                if error.status_code == requests.codes.conflict:
                    raise NameTaken(words(error)) from error
                raise
        return str(answer["Id"])

    def start(self, container: str) -> bool:
        """Start a container, and tell whether it was not started yet."""
        with understood(self.address):
            response = self._client.post(self._url(container, "start"), timeout=ANSWER_WITHIN)
            raise_refusal(response)
            return bool(response.status_code != requests.codes.not_modified)

    def find(self, container: str) -> Container | None:
        """Return the container of this id or name; None where there is none."""
        with understood(self.address):
            try:
                return container_of(self._client.inspect_container(container))
            except docker.errors.NotFound:
                return None

    def containers(self, labels: Sequence[str]) -> list[Container]:
        """Return all containers with these labels, each a name or name=value; without how they ended."""
        with understood(self.address):
            listed = self._client.containers(all=True, filters={"label": list(labels)})
        return [
            Container(
                id=each["Id"],
                name=each["Names"][0].removeprefix("/") if each["Names"] else "",
                status=each["State"],
                labels=each["Labels"] or {},
            )
            for each in listed
        ]

    def attach(self, container: str) -> Attached:
        """Return the container's output as it is written from now on."""
        with understood(self.address):
            given = {"stdout": 1, "stderr": 1, "stream": 1}
            return Attached(self._client.attach_socket(container, given), self.address)

    def output(self, container: str, *, follow: bool = False, lines: int | None = None) -> Told:
        """Return the output from its first byte on, or the last lines of it.

        What is followed comes in whole lines; its end is no proof that all of it has come.
        """
        asked = {"stdout": 1, "stderr": 1, "follow": int(follow), "tail": "all" if lines is None else lines}
        with understood(self.address):
            within = (ANSWER_WITHIN, None if follow else ANSWER_WITHIN)  # to connect, and between two bytes
            response = self._client.get(
                self._url(container, "logs"), params=asked, stream=True, timeout=within
            )
            raise_refusal(response)
        return Told(response, self.address)

    def _url(self, container: str, what: str) -> str:
        """Return the address of a part of the engine's API that the client offers in another way."""
        return f"{self._client.base_url}/v{self._client.api_version}/containers/{container}/{what}"

    def stop(self, container: str, *, grace: float) -> None:
        """Send SIGTERM, and SIGKILL after the grace period; returns once the container has ended."""
        with understood(self.address), contextlib.suppress(docker.errors.NotFound):
            self._client.stop(container, timeout=max(1, round(grace)))

    def kill(self, container: str) -> None:
        """Send SIGKILL to a container's program, if it runs."""
        with understood(self.address), contextlib.suppress(docker.errors.NotFound):
            try:
                self._client.kill(container)
            except docker.errors.APIError as error:
                if error.status_code != requests.codes.conflict:  # it does not run
                    raise

    def remove(self, container: str) -> None:
        """Remove a container with all it holds, whether it runs or not; one that is gone is no mistake."""
        with understood(self.address), contextlib.suppress(docker.errors.NotFound):
            try:
                self._client.remove_container(container, v=True, force=True)
            except docker.errors.APIError as error:
                if error.status_code != requests.codes.conflict:  # it is being removed already
                    raise

    def has_network(self, name: str) -> bool:
        """Tell whether the engine has a network of this name or id."""
        with understood(self.address):
            try:
                self._client.inspect_network(name)
            except docker.errors.NotFound:
                return False
            return True

    # -- files in containers

    def has_path(self, container: str, path: str) -> bool:
        """Tell whether a container, started or not, has something at this path."""
        with understood(self.address):
            response = self._client.head(
                self._url(container, "archive"), params={"path": path}, timeout=ANSWER_WITHIN
            )
            if response.status_code == requests.codes.not_found:
                return False
            raise_refusal(response)
            return True

    def put(self, container: str, archive: IO[bytes]) -> None:
        """Unpack a tar archive at the root of a container."""
        with understood(self.address):
            self._client.put_archive(container, "/", archive)

    def get(self, container: str, path: str, folder: Path) -> None:
        """Copy what a container has at `path` into a folder here. Raises ContainerGone if that is nothing."""
        with understood(self.address):
            try:
                stream, _ = self._client.get_archive(container, path)
            except docker.errors.NotFound as error:
                raise ContainerGone(words(error)) from error
            with tarfile.open(
                fileobj=cast("IO[bytes]", io.BufferedReader(cast("io.RawIOBase", _Pieces(stream)))), mode="r|"
            ) as archive:
                archive.extractall(folder, filter=_inside)  # noqa: S202 -- which refuses what is dangerous

    # -- images

    def image(self, name: str) -> Image | None:
        """Return the image of this name; None where the engine does not have it."""
        with understood(self.address):
            try:
                found = self._client.inspect_image(name)
            except docker.errors.ImageNotFound:
                return None
        config = found["Config"] or {}
        variables = dict(each.split("=", 1) for each in config.get("Env") or () if "=" in each)
        return Image(
            id=found["Id"],
            entrypoint=tuple(config.get("Entrypoint") or ()),
            command=tuple(config.get("Cmd") or ()),
            path=variables.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            workdir=config.get("WorkingDir") or "/",
        )

    def pull(self, name: str, *, platform: str | None = None) -> None:
        """Pull an image. Raises LauncherError with the registry's refusal."""
        repository, tag = parse_repository_tag(name)
        with understood(self.address):
            for message in self._client.pull(
                repository, tag=tag or "latest", stream=True, decode=True, platform=platform
            ):
                if "error" in message:
                    raise LauncherError(str(message["error"]))

    def build(
        self,
        archive: IO[bytes],
        tag: str,
        *,
        dockerfile: str,
        args: Mapping[str, str],
        target: str | None,
        platform: str | None,
    ) -> Iterator[str]:
        """Build an image from a tar archive, and yield its output. Raises CannotStart where it fails."""
        with understood(self.address):
            for message in self._client.build(
                fileobj=archive,
                custom_context=True,
                tag=tag,
                dockerfile=dockerfile,
                buildargs=dict(args),
                target=target,
                platform=platform,
                rm=True,
                forcerm=True,
                decode=True,
            ):
                if "error" in message:
                    raise CannotStart(str(message["error"]).strip())
                if text := str(message.get("stream", "")):
                    yield text


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Leave out of an archive what would lead out of the folder, such as an absolute link."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


class _Pieces(io.RawIOBase):
    """The pieces of a stream, as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._left = self._left or next(self._pieces, b"")
        data, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

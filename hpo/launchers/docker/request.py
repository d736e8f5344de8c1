"""What is asked of an engine for one run: as the body of its API, and as a `docker run` to read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
"""What root keeps in a trial's container, of the 14 that Docker grants: what package managers and file
copies need, and none of MKNOD, NET_RAW, SYS_CHROOT, … ; another user has none of them."""

_LOG: Mapping[str, JsonValue] = {
    "Type": "local",
    "Config": {"max-size": "1024g", "max-file": "1", "compress": "false"},
}
"""Kept whole and byte for byte, whatever the engine's own default: a log that is rotated loses lines."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A path of the engine's machine, or a volume's name, at a place in the container."""

    source: str
    target: str
    read_only: bool = False

    @property
    def is_volume(self) -> bool:
        """Whether the source is a volume's name."""
        return not self.source.startswith("/")


@dataclass(frozen=True, slots=True)
class ContainerRequest:
    """A container to be created."""

    name: str
    image: str
    entrypoint: Sequence[str] | None = None  # None: the image's
    command: Sequence[str] | None = None  # None: the image's
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    binds: Sequence[Bind] = ()
    user: str | None = None
    workdir: str | None = None
    network: str = "bridge"
    cpus: float | None = None
    memory: int | None = None
    shm_size: int | None = None
    gpus: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    platform: str | None = None

    def body(self) -> dict[str, JsonValue]:
        """Return the body of the engine's API, ContainerCreate of version 1.41."""
        host: dict[str, JsonValue] = {
            "Init": True,  # so that SIGTERM works on a program that has no handler for it
            "LogConfig": dict(_LOG),
            "NetworkMode": self.network,
            "Mounts": [_mount(bind) for bind in self.binds],
            "CapDrop": ["ALL"],
            "CapAdd": [*CAPABILITIES, *self.capabilities],
            "SecurityOpt": ["no-new-privileges:true"],
            "RestartPolicy": {"Name": "no"},
        }
        if self.cpus is not None:
            host["NanoCpus"] = round(self.cpus * 1e9)
        if self.memory is not None:
            host |= {"Memory": self.memory, "MemorySwap": self.memory}  # no swap on top
        if self.shm_size is not None:
            host["ShmSize"] = self.shm_size
        if self.gpus:
            gpus: list[JsonValue] = list(self.gpus)
            host["DeviceRequests"] = [{"DeviceIDs": gpus, "Capabilities": [["gpu"]]}]
        body: dict[str, JsonValue] = {
            "Image": self.image,
            "Env": [f"{name}={value}" for name, value in self.env.items()],
            "Labels": dict(self.labels),
            "HostConfig": host,
        }
        if self.entrypoint is not None:
            body["Entrypoint"] = list(self.entrypoint)
        if self.command is not None:
            body["Cmd"] = list(self.command)
        if self.user is not None:
            body["User"] = self.user
        if self.workdir is not None:
            body["WorkingDir"] = self.workdir
        return body

    def command_line(self) -> str:
        """Return a `docker run` that does the same, for a shell."""
        options = ["--init", "--name", self.name, "--network", self.network]
        options += [part for bind in self.binds for part in ("--mount", _mount_option(bind))]
        options += ["--cap-drop", "ALL"]
        options += [part for name in (*CAPABILITIES, *self.capabilities) for part in ("--cap-add", name)]
        options += ["--security-opt", "no-new-privileges:true"]
        given = {
            "--platform": self.platform,
            "--cpus": self.cpus,
            "--memory": self.memory,
            "--shm-size": self.shm_size,
            "--user": self.user,
            "--workdir": self.workdir,
        }
        options += [part for name, value in given.items() if value is not None for part in (name, str(value))]
        if self.gpus:
            options += ["--gpus", f'"device={",".join(self.gpus)}"']
        options += [part for name, value in self.env.items() for part in ("--env", f"{name}={value}")]
        command = list(self.command or ())
        if self.entrypoint is not None:
            options += ["--entrypoint", self.entrypoint[0]]
            command = [*self.entrypoint[1:], *command]
        return shlex.join(["docker", "run", *options, self.image, *command])


def _mount(bind: Bind) -> JsonValue:
    kind = "volume" if bind.is_volume else "bind"
    return {"Type": kind, "Source": bind.source, "Target": bind.target, "ReadOnly": bind.read_only}


def _mount_option(bind: Bind) -> str:
    kind = "volume" if bind.is_volume else "bind"
    parts = [f"type={kind}", f"src={bind.source}", f"dst={bind.target}", *["readonly"][: bind.read_only]]
    quoted = ['"' + part.replace('"', '""') + '"' if set(part) & {",", '"'} else part for part in parts]
    return ",".join(quoted)  # as in CSV

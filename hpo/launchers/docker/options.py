"""What a spec may say of the Docker launcher."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from hpo.launchers import contract
from hpo.launchers.environment import Secrets, Threads, VariableName, VariableValue, Words
from hpo.spec.section import Duration, PathText, Section, Text, mistake

_SIZE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_TAKEN = frozenset(
    {"/", "/opt/ml", "/opt/ml/checkpoints", *(f"/opt/ml/{folder}" for folder in contract.FOLDERS)}
)
"""Where a trial finds what hpo gives it."""

LEAST_MEMORY = 6 * 2**20
"""Bytes of memory under which an engine makes no container."""


def _bytes(value: object) -> int:
    match value:
        case int() if not isinstance(value, bool):
            size = value
        case str() if written := _SIZE.fullmatch(value):
            size = int(float(written["number"]) * _UNITS[written["unit"].lower()])
        case _:
            size = 0
    if size <= 0:
        raise mistake("it must be a size above 0: 512m, 2g, 1.5g", hint="without a unit: bytes")
    return size


Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?\\s*[kmgtKMGT]?(i?[bB])?$"},
            ]
        }
    ),
]
"""A number of bytes; written as a number, or as a text with one of the units k, m, g and t (of 1,024)."""


class Build(Section):
    """An image that is built for the job."""

    folder: Text = Field(description="what the build sees; its .dockerignore counts")
    dockerfile: Text | None = Field(
        default=None, description="by default the folder's Dockerfile; may lie outside the folder"
    )
    args: Mapping[Text, VariableValue] = Field(default_factory=dict, description="build arguments")
    target: Text | None = Field(default=None, description="the stage to build")


def _as_build(value: object) -> object:
    return {"folder": value} if isinstance(value, str) else value


class Mount(Section):
    """A folder, file or volume of the engine's machine that a trial sees."""

    source: PathText = Field(description="a path, or without a slash the name of a volume")
    target: Text = Field(description="an absolute path in the container", pattern="^/")
    read_only: bool = False

    @model_validator(mode="after")
    def _hides_nothing(self) -> Mount:
        if posixpath.normpath(f"/{self.target.lstrip('/')}") in _TAKEN:
            raise mistake(
                f"it hides {self.target}, which hpo itself gives to the trial",
                hint="any other place: /data, /opt/ml/code, …",
            )
        return self

    @model_validator(mode="after")
    def _is_no_socket(self) -> Mount:
        if self.source.endswith("docker.sock"):
            raise mistake(
                "it gives the trial the Docker engine, and with it the machine",
                hint="hpo mounts no Docker socket into a trial",
            )
        return self


def _as_mount(value: object) -> object:
    if not isinstance(value, str):
        return value
    match value.split(":"):
        case [source, target]:
            return {"source": source, "target": target}
        case [source, target, "ro" | "rw" as mode]:
            return {"source": source, "target": target, "read_only": mode == "ro"}
        case _:
            raise mistake("it must be SOURCE:TARGET or SOURCE:TARGET:ro")


MountWritten = Annotated[Mount, BeforeValidator(_as_mount, json_schema_input_type=Text | Mount)]


class DockerOptions(Section):
    """Trials run as containers on a Docker engine."""

    image: Text | None = Field(default=None, description="the image; either it or `build` is needed")
    build: Annotated[Build, BeforeValidator(_as_build, json_schema_input_type=Text | Build)] | None = Field(
        default=None,
        description="a folder with a Dockerfile, built before the job's first trial and tagged by what is "
        "in the folder, so that it is built again only when that changes",
    )
    command: Words | None = Field(
        default=None,
        description="the program and its arguments, in place of the image's command; no shell runs it. "
        "{name} stands for a parameter's value and {args} for all arguments `--name value`; parameters "
        "that the command does not name are appended to it. By default the image's entry point is given "
        "`train`, as SageMaker does, and the parameters come in /opt/ml/input/config/hyperparameters.json",
    )
    entrypoint: Words | None = Field(
        default=None, description="in place of the image's entry point; `command` is what it is given"
    )
    workdir: Text | None = Field(
        default=None, description="the folder in the container the program runs in; by default the image's"
    )
    env: Mapping[VariableName, VariableValue] = Field(
        default_factory=dict, description="variables of the container"
    )
    env_from: Secrets = Field(
        default=(),
        description="secrets by reference: names of variables that must be set, or NAME: {file: path} and "
        "NAME: {env: OTHER}; read when a trial starts, and not shown by `docker inspect` where the image has "
        "a shell",
    )
    threads: Threads = Field(
        default="auto",
        description="how many threads numeric libraries use in a trial (OMP_NUM_THREADS and its kin): auto "
        "is `cpus`, or the trial's share of the engine's; off sets nothing",
    )
    gpus: int = Field(default=0, ge=0, description="how many GPUs a trial needs, each for itself")
    cpus: float | None = Field(default=None, gt=0, description="at most so many processors for a trial")
    memory: Bytes | None = Field(
        default=None, description="at most so much memory for a trial: 512m, 2g", ge=LEAST_MEMORY
    )
    shm_size: Bytes | None = Field(default=None, description="of /dev/shm; the engine's own default is 64m")
    mounts: Sequence[MountWritten] = Field(
        default=(), description="what a trial sees besides /opt/ml: SOURCE:TARGET[:ro], or a mapping"
    )
    network: Text = Field(default="bridge", description="the network of the container: bridge, none, host, …")
    user: Text | None = Field(
        default=None,
        description="USER[:GROUP] the program runs as; by default whoever runs hpo, so that the files are "
        "theirs; `image` is the image's own; for either, the run's folder is open to all users",
    )
    capabilities: Sequence[Text] = Field(
        default=(), description="Linux capabilities to add to the few that a trial has: SYS_PTRACE, …"
    )
    platform: Text | None = Field(default=None, description="of the image: linux/amd64, …")
    pull: Literal["missing", "always", "never"] = Field(
        default="missing", description="when the image is pulled, with the credentials that Docker has"
    )
    context: Text | None = Field(
        default=None,
        description="the Docker context with the engine; by default DOCKER_HOST, else Docker's current one",
    )
    stop_grace: Duration = Field(
        default=30.0, description="between SIGTERM and SIGKILL when a trial is stopped"
    )

    @model_validator(mode="after")
    def _one_image(self) -> DockerOptions:
        if (self.image is None) == (self.build is None):
            raise mistake("it must have either `image` or `build`", hint="an image's name, or what to build")
        return self

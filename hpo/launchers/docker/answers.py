"""What an engine says of its machine, its images and its containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pydantic import JsonValue

CREATED = "created"
"""The status of a container that was never started."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What an engine says of its machine."""

    cpus: int
    memory: int  # bytes
    rootless: bool  # its containers' root is the user who runs the engine


@dataclass(frozen=True, slots=True)
class Image:
    """What an image says of how it wants to be run."""

    id: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    path: str  # its PATH
    workdir: str


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine sees it."""

    id: str
    name: str
    status: str  # created, running, paused, restarting, removing, exited or dead
    labels: Mapping[str, str]
    exit_status: int | None = None
    out_of_memory: bool = False
    error: str = ""
    ended: float | None = None  # seconds since the epoch

    @property
    def was_started(self) -> bool:
        """Whether its program was ever started."""
        return self.status != CREATED

    @property
    def has_ended(self) -> bool:
        """Whether its program will not run any more."""
        return self.status in {"exited", "dead", "removing"}


def container_of(found: Mapping[str, JsonValue]) -> Container:
    """Return the container that an engine's inspection shows."""
    state = cast("Mapping[str, JsonValue]", found["State"])
    config = cast("Mapping[str, JsonValue]", found["Config"])
    return Container(
        id=str(found["Id"]),
        name=str(found["Name"]).removeprefix("/"),
        status=str(state["Status"]),
        labels=cast("Mapping[str, str]", config.get("Labels") or {}),
        exit_status=cast("int | None", state.get("ExitCode")),
        out_of_memory=bool(state.get("OOMKilled")),
        error=str(state.get("Error") or ""),
        ended=_time(str(state.get("FinishedAt") or "")),
    )


def _time(text: str) -> float | None:
    """Return an engine's time, in nanoseconds and UTC, as seconds since the epoch; None for none."""
    if not text or text.startswith("0001-"):
        return None
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}+00:00").timestamp() + float(f"0.{fraction or 0}")

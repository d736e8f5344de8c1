"""A program on one host: how it is told what to run, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

OPT_ML = "/opt/ml"


@dataclass(frozen=True, slots=True)
class Start:
    """What is to be run on a host; paths are those of /opt/ml."""

    name: str  # of the container, where there is one
    image: str
    entrypoint: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str]
    root: Path  # what /opt/ml is here
    checkpoint_path: str
    is_isolated: bool
    working_folder: str | None = None  # below /opt/ml


class Program(Protocol):
    """A program that has been started."""

    def status(self) -> int | None:
        """Return its exit status, as a shell would say it; None while it runs."""

    def terminate(self) -> None:
        """Send it SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL to it and to all that it has started."""

    def close(self) -> None:
        """Wait until its output has been read, and let go of what it needed."""


class Runner(Protocol):
    """Where programs run."""

    def start(self, start: Start, *, output: Callable[[bytes], None], ended: Callable[[], None]) -> Program:
        """Start a program; both functions are called in a thread. Raises JobFailure."""

    def reclaim(self, folder: Path, image: str) -> None:
        """Make what programs have written in a folder readable here."""

    def remove(self, folder: Path, image: str) -> None:
        """Remove a folder that programs have written to."""

    def close(self) -> None:
        """Let go of what all programs share."""

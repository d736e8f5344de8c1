"""What should be happening; each effect ends in an event."""

from __future__ import annotations

from dataclasses import dataclass

from hpo.core.trial import JobHandle, Launch


@dataclass(frozen=True, slots=True)
class Propose:
    """Ask the strategy for the values of a new trial."""

    trial: int


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run, or find it started."""

    launch: Launch


@dataclass(frozen=True, slots=True)
class Abandon:
    """Make sure that a queued run does not start, or find it started."""

    launch: Launch


@dataclass(frozen=True, slots=True)
class Stop:
    """Tell a run to stop; `at_once` without the grace period."""

    trial: int
    run: int
    handle: JobHandle
    at_once: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """Wait until any of the launched runs changes, and look at those that did."""


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Wait until a time, in seconds since the epoch."""

    time: float


Effect = Propose | Start | Abandon | Stop | Watch | WakeAt

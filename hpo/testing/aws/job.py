"""A training job as the service knows it: its request, its states and what it came to."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hpo.testing.aws.account import arn
from hpo.testing.aws.request import JobRequest
from hpo.testing.aws.states import MESSAGES, Cause, PoolStatus, Secondary, Status


@dataclass
class Transition:
    """One of SecondaryStatusTransitions; times are seconds since the epoch."""

    status: Secondary
    message: str
    start: float
    end: float | None = None


@dataclass
class Pool:
    """The machines a job leaves behind."""

    status: PoolStatus
    keep_alive: int  # the service's seconds
    since: float | None = None  # when it became available
    until: float | None = None
    retained: int | None = None  # billable seconds
    reused_by: str | None = None


@dataclass
class Metric:
    """The last value of a metric, and when it was seen."""

    value: float
    at: float


@dataclass
class Job:
    """A training job; whoever reads or changes it holds `lock`, which all jobs share."""

    lock: threading.RLock
    document: Mapping[str, Any]  # the request as it came
    request: JobRequest
    arn: str = field(init=False)
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    status: Status = Status.IN_PROGRESS
    transitions: list[Transition] = field(default_factory=list)
    started: float | None = None  # the training
    ended: float | None = None
    trained: float = 0.0  # seconds on machines, of ended attempts
    attempt_began: float | None = None  # monotonic; None while no machines are had
    reason: str | None = None
    artifacts: str | None = None
    metrics: dict[str, Metric] = field(default_factory=dict)
    pool: Pool | None = None
    is_warm: bool = False  # on the machines of a pool
    keep_alive: int = 0
    cause: Cause | None = None
    wake: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.arn = arn("training-job", self.request.name)
        self.keep_alive = self.request.keep_alive
        if self.keep_alive:
            self.pool = Pool(PoolStatus.IN_USE, self.keep_alive)
        self.enter(Secondary.STARTING)

    @property
    def name(self) -> str:
        """Its name."""
        return self.request.name

    @property
    def secondary(self) -> Secondary:
        """Where it is."""
        return self.transitions[-1].status

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in {Status.COMPLETED, Status.FAILED, Status.STOPPED}

    def enter(self, secondary: Secondary, message: str | None = None) -> None:
        """Go on to a secondary status; once it is told to stop only the last one follows Stopping."""
        with self.lock:
            if self.status is Status.STOPPING and secondary is not Secondary.STOPPED:
                return
            now = time.time()
            if self.transitions:
                if self.secondary is secondary:
                    return
                self.transitions[-1].end = now
            self.transitions.append(Transition(secondary, message or MESSAGES[secondary], now))
            self.modified = now

    def end(self, status: Status, secondary: Secondary, *, reason: str | None = None) -> None:
        """End in a status, with the reason of a failure."""
        with self.lock:
            self.pause_training()
            self.status = status
            self.enter(secondary, reason)
            self.reason = reason[:1024] if reason is not None else None
            self.ended = self.transitions[-1].end = self.modified = time.time()

    def begin_training(self) -> None:
        """Count its time from now on."""
        with self.lock:
            self.attempt_began = time.monotonic()
            if self.started is None:
                self.started = time.time()

    def pause_training(self) -> None:
        """Count its time no longer."""
        with self.lock:
            self.trained = self.training_seconds()
            self.attempt_began = None

    def training_seconds(self) -> float:
        """Return how long it has been on machines."""
        return self.trained + (0.0 if self.attempt_began is None else time.monotonic() - self.attempt_began)

    def halt(self, cause: Cause) -> None:
        """Tell it to end its program."""
        with self.lock:
            if self.is_over and cause is not Cause.DISCARD:
                return
            if self.cause is None or cause > self.cause:
                self.cause = cause
            self.wake.set()

    def goes_on(self) -> bool:
        """Return whether another attempt follows the one that was interrupted."""
        with self.lock:
            if self.cause in {Cause.INTERRUPTION, Cause.INTERNAL_ERROR}:
                self.cause = None
                self.wake.clear()
            return self.cause is None

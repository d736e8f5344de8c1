"""Trials and their runs, as frozen values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hpo.core.repeats import spread
from hpo.core.usage import Usage
from hpo.core.verdict import Verdict
from hpo.spec.space import Values


class TrialStatus(StrEnum):
    """Where a trial is; why it is there is its `Reason`."""

    PROPOSED = "proposed"
    RUNNING = "running"
    STOPPING = "stopping"
    COMPLETED = "completed"
    PRUNED = "pruned"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more to a trial in this status."""
        return self in _FINAL_TRIAL


class RunState(StrEnum):
    """Where one launch is, in the words that all launchers share."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Whether a run in this state has ended."""
        return self in _FINAL_RUN


class Reason(StrEnum):
    """Why a trial is stopping or ended other than by completing."""

    EXIT_STATUS = "exit status"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out of memory"
    TIMEOUT = "timeout"
    NO_METRIC = "no metric"
    NOT_FINITE = "not finite"
    COULD_NOT_START = "could not start"
    LOST = "lost"
    NO_CAPACITY = "no capacity"
    PRUNED = "pruned"
    JOB_ENDED = "job ended"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def blames_values(self) -> bool:
        """Whether other values of the parameters may well have kept a trial from failing so."""
        return self in _BLAMES_VALUES


_BLAMES_VALUES = frozenset(
    {
        Reason.EXIT_STATUS,
        Reason.SIGNAL,
        Reason.OUT_OF_MEMORY,
        Reason.TIMEOUT,
        Reason.NO_METRIC,
        Reason.NOT_FINITE,
    }
)
_FINAL_TRIAL = frozenset(
    {TrialStatus.COMPLETED, TrialStatus.PRUNED, TrialStatus.FAILED, TrialStatus.CANCELLED}
)
_FINAL_RUN = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED, RunState.LOST})


@dataclass(frozen=True, slots=True)
class JobHandle:
    """What finds a launched run again, also after a restart: the launcher's name and its own id.

    Of a job with several algorithms, each with a launcher of its own, also whose run it is.
    """

    launcher: str
    id: str
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch to be made; `name` is unique in the job and makes it idempotent."""

    job: str
    trial: int
    run: int
    params: Values
    repeat: int = 1
    algorithm: str | None = None  # of several

    @property
    def name(self) -> str:
        """Return `<job>-<trial>-<run>`."""
        return f"{self.job}-{self.trial:04d}-{self.run}"


def run_place(trial: int, run: int) -> str:
    """Return where everything of one run lies below its job's folder."""
    return f"trials/{trial:04d}/run-{run}"


def checkpoints_place(repeat: int) -> str:
    """Return where the runs of one repeat keep their checkpoints below their trial's folder: each its own."""
    return "checkpoints" if repeat == 1 else f"repeat-{repeat}/checkpoints"


@dataclass(frozen=True, slots=True)
class RunReport:
    """A launcher's answer for one run: its state, and in words for the user why.

    The words are why a failed run failed, and what a running one waits for, or why it cannot be followed
    at the moment. Times are in seconds since the epoch, where the launcher knows them. `metrics` are the
    last values of metrics as somebody else read them from the log: they stand in for what it did not give.
    `latest` are those of the lines that were printed last, where a log's lines did not come in their order.
    """

    state: RunState
    reason: Reason | None = None
    detail: str = ""
    ended: float | None = None
    started: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    usage: Usage | None = None
    latest: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """A metric's value as read from one place of a log."""

    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Point:
    """A match with its place: its step within the run, and the time it was read."""

    trial: int
    run: int
    metric: str
    step: float
    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run's log has given so far."""

    counts: Mapping[str, int] = field(default_factory=dict)  # matches of each metric
    latest: Mapping[str, float] = field(default_factory=dict)
    best: float | None = None  # best finite value of the objective
    others: Mapping[str, float] = field(default_factory=dict)  # likewise of the other objectives, by metric


@dataclass(frozen=True, slots=True)
class Run:
    """One launch of a trial."""

    number: int  # from 1
    state: RunState = RunState.QUEUED
    handle: JobHandle | None = None
    cursor: str = ""  # how far the log is read; the launcher's own words
    progress: Progress = Progress()
    waiting: str = ""  # what a queued run waits for, or why a launched one cannot be followed
    not_before: float = 0.0  # a queued run is not launched earlier
    started: float | None = None
    ended: float | None = None
    stop_sent: float | None = None
    stopped_at_once: bool = False
    reason: Reason | None = None
    detail: str = ""
    usage: Usage | None = None  # as last reported, also while it runs
    repeat: int = 1  # which of the trial's runs that count it is to be; never less than an earlier run's
    value: float | None = None  # its finite value of the objective, once it counts

    @property
    def found_no_capacity(self) -> bool:
        """Whether it ended as there was no machine for it: nothing of it ran."""
        return self.state is RunState.LOST and self.reason is Reason.NO_CAPACITY


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration and everything that became of it."""

    number: int  # from 1
    params: Values
    proposed_by: str  # which phase or model chose the values
    status: TrialStatus = TrialStatus.PROPOSED
    reason: Reason | None = None
    detail: str = ""
    value: float | None = None
    runs: tuple[Run, ...] = (Run(1),)
    memo: str = ""  # the strategy's own
    created: float = 0.0
    ended: float | None = None
    place: int | None = None  # the how-manieth to end, from 1
    verdict: Verdict | None = None  # by which it was stopped early
    others: tuple[float | None, ...] = ()  # values of the objectives beside the first one
    violation: float = 0.0  # how far it misses what is required, in all; 0 where it is met, or not completed
    algorithm: str | None = None  # whose parameters it has, where the job has several

    @property
    def values(self) -> tuple[float | None, ...]:
        """Return the values of all objectives, in the order of the spec."""
        return (self.value, *self.others)

    @property
    def is_result(self) -> bool:
        """Whether it can be the best one: it has completed, and meets what is required."""
        return self.status is TrialStatus.COMPLETED and self.value is not None and not self.violation

    @property
    def run(self) -> Run:
        """Return the current run, which is the last one."""
        return self.runs[-1]

    @property
    def repeats(self) -> tuple[Run, ...]:
        """Return the last run of each repeat so far, in their order; without repeats the current run."""
        return tuple({run.repeat: run for run in self.runs}.values())

    @property
    def first_repeat(self) -> Run:
        """Return the last run of the first repeat: by its curve a trial is judged while it runs."""
        return self.repeats[0]

    @property
    def repeat_values(self) -> tuple[float, ...]:
        """Return the values of its runs that count so far; of several objectives those of the first one."""
        return tuple(run.value for run in self.repeats if run.value is not None)

    @property
    def spread(self) -> float | None:
        """Return the standard deviation of its repeats' values; None for fewer than two."""
        return spread(self.repeat_values)

    @property
    def standard_error(self) -> float | None:
        """Return the standard error of the mean of its repeats' values; None for fewer than two."""
        deviation = self.spread
        return None if deviation is None else deviation / math.sqrt(len(self.repeat_values))

    @property
    def started(self) -> float | None:
        """Return when the first run that was launched started; None before that."""
        return next((run.started for run in self.runs if run.started is not None), None)

    @property
    def attempts(self) -> int:
        """Return how often it was launched, less what found no machine; its repeats together count once."""
        launched = [run.repeat for run in self.runs if run.handle is not None and not run.found_no_capacity]
        return len(launched) - max(0, len(set(launched)) - 1)

"""What the state machine must know of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hpo.core.repeats import ONE_RUN, Repeats


class Goal(StrEnum):
    """Which way the objective is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    @property
    def sign(self) -> float:
        """By what a value is a loss, which is the better the less it is."""
        return -1.0 if self is Goal.MAXIMIZE else 1.0

    def is_better(self, value: float, than: float) -> bool:
        """Tell whether `value` is strictly better than the other one."""
        return value > than if self is Goal.MAXIMIZE else value < than


class Take(StrEnum):
    """Which of a trial's matches of the objective is its value."""

    LAST = "last"
    BEST = "best"


class Running(StrEnum):
    """What becomes of the trials that run when `stop_when` ends the job."""

    STOP = "stop"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Objective:
    """The metric to tune for; `step` names the metric that counts its steps, else each match is one."""

    metric: str
    goal: Goal
    take: Take = Take.LAST
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Required:
    """An inequality as the spec has it, and the metrics in it."""

    text: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """A job's limits and rules; durations in seconds, None where there is no such limit."""

    job: str
    objective: Objective  # of several the first one
    max_jobs: int
    max_parallel_jobs: int = 1
    max_runtime: float | None = None
    max_job_runtime: float | None = None
    launcher_ends_runs: bool = False  # what runs longer than that: it knows when the program began
    max_failures: int | None = None
    target: float | None = None
    not_improving_for: int | None = None
    converged: bool = False  # whether a best value that has hardly gained for long ends the job
    running: Running = Running.STOP
    stops_early: bool = False  # whether single trials may be stopped, by a rule or by the strategy
    attempts: int = 2  # launches of one trial, of each of its repeats, the first one included
    repeats: Repeats = ONE_RUN
    max_cost: float | None = None  # money, in the currency of the launcher's prices
    worst_cost: float | None = None  # what one run can cost at the most; known where max_cost is given
    others: tuple[Objective, ...] = ()  # the objectives beside the first one
    require: tuple[Required, ...] = ()  # what a completed trial must meet to be a result
    algorithms: tuple[str, ...] = ()  # of several, in the order of the spec

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Everything that is tuned for at once."""
        return (self.objective, *self.others)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are tuned for."""
        return tuple(objective.metric for objective in self.objectives)

    def deadline(self, *, began: float, elapsed: float) -> float | None:
        """Return when the job's time is used up, for a session of it; None where it has no limit.

        `elapsed` are the seconds of the sessions before that.
        """
        return None if self.max_runtime is None else began + max(0.0, self.max_runtime - elapsed)

    @property
    def breaker(self) -> int:
        """How many trials from the first one on must all have failed for the job to fail."""
        return max(3, self.max_parallel_jobs)

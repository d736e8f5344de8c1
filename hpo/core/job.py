"""A tuning job as a frozen value: its open trials, and a tally of those that have ended.

Ended trials are not part of the state, so that an event costs the same after ten thousand trials
as after ten; they are in the store, and in the `History` that strategies read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

from hpo.core.budget import fits, owed_for_trial, runs_left, spent_on, spent_on_open
from hpo.core.convergence import Gain
from hpo.core.settings import Settings
from hpo.core.trial import Run, Trial, TrialStatus


class JobStatus(StrEnum):
    """Where a job is. A job whose process died still says RUNNING; nobody holds its lease then."""

    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class EndReason(StrEnum):
    """Why a job launches no more trials."""

    MAX_JOBS = "max_jobs"
    EXHAUSTED = "space exhausted"
    MAX_RUNTIME = "max_runtime"
    MAX_COST = "max_cost"
    TARGET = "target"
    NOT_IMPROVING = "not improving"
    CONVERGED = "converged"
    MAX_FAILURES = "max_failures"
    BREAKER = "breaker"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Ending:
    """The decision to launch no more; `at_once` when the running trials get no grace."""

    reason: EndReason
    detail: str
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What must be known of the ended trials."""

    counts: Mapping[TrialStatus, int] = field(default_factory=dict)
    last_place: int = 0
    best: Trial | None = None  # by the first of several objectives
    since_best: int = 0  # results and pruned trials since the best one
    gain: Gain = field(default_factory=Gain)
    spent: float = 0.0  # on all of their runs

    def count(self, status: TrialStatus) -> int:
        """Return how many trials ended in this status."""
        return self.counts.get(status, 0)

    @property
    def ended(self) -> int:
        """How many trials have ended."""
        return sum(self.counts.values())

    def add(self, trial: Trial, settings: Settings) -> Tally:
        """Take in a trial that has just ended."""
        counts = {**self.counts, trial.status: self.count(trial.status) + 1}
        place = max(self.last_place, trial.place or 0)
        spent = self.spent + spent_on(settings, trial.runs)
        is_best = self._is_best(trial, settings)
        evidence = trial.is_result or trial.status is TrialStatus.PRUNED
        best = trial if is_best else self.best
        since_best = 0 if is_best else self.since_best + evidence
        better = trial.value if is_best else None
        gain = self.gain.add(better, settings.objective.goal) if evidence else self.gain
        return Tally(counts, place, best, since_best, gain, spent)

    def _is_best(self, trial: Trial, settings: Settings) -> bool:
        if not trial.is_result or trial.value is None:
            return False
        best = self.best.value if self.best is not None else None
        return best is None or settings.objective.goal.is_better(trial.value, best)


@dataclass(frozen=True, slots=True)
class Job:
    """The whole state that `plan` and `apply` work on."""

    settings: Settings
    status: JobStatus = JobStatus.RUNNING
    ending: Ending | None = None
    open: Mapping[int, Trial] = field(default_factory=dict)
    tally: Tally = Tally()
    proposed: int = 0
    exhausted: bool = False  # the strategy has nothing left to propose
    deadline: float | None = None  # of the whole job, in seconds since the epoch

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.status is not JobStatus.RUNNING

    @property
    def has_proposed_all(self) -> bool:
        """Whether nothing more is to be proposed, even where a slot is free."""
        return self.exhausted or self.proposed >= self.settings.max_jobs

    @property
    def may_propose(self) -> bool:
        """Whether a slot is free for another trial, and it can be paid."""
        return (
            self.ending is None
            and not self.has_proposed_all
            and len(self.open) < self.settings.max_parallel_jobs
            and self.can_pay(self.settings.repeats.count, beside=self.open.values())
        )

    @property
    def runs_to_come(self) -> int:
        """How many more runs will be launched at the most, as far as nothing is lost."""
        begins_more = self.ending is None and not self.exhausted
        unproposed = max(0, self.settings.max_jobs - self.proposed) if begins_more else 0
        return unproposed * self.settings.repeats.count + sum(map(self._to_come, self.open.values()))

    def _to_come(self, trial: Trial) -> int:
        if trial.status is TrialStatus.STOPPING:
            return int(trial.run.handle is None and self.ending is None)
        return runs_left(self.settings, trial) - (trial.run.handle is not None)

    @property
    def is_finishing(self) -> bool:
        """Whether nothing more is launched, and what runs may go on to its end."""
        return self.ending is not None and any(
            trial.status is not TrialStatus.STOPPING for trial in self.open.values()
        )

    @property
    def spent(self) -> float:
        """What all ended runs cost."""
        return self.tally.spent + spent_on_open(self.settings, self.open.values())

    def can_pay(self, runs: int, *, beside: Iterable[Trial]) -> bool:
        """Tell whether so many runs more keep within `max_cost`, whatever they and those of `beside` cost."""
        limit = self.settings.max_cost
        if limit is None:
            return True
        owed = sum(owed_for_trial(self.settings, trial) for trial in beside)
        return fits(limit, self.spent + owed + runs * (self.settings.worst_cost or 0.0))

    def final_status(self, ending: Ending) -> JobStatus:
        """Return the status of the job once everything has ended for this reason."""
        match ending.reason:
            case EndReason.STOPPED:
                return JobStatus.STOPPED
            case EndReason.INTERRUPTED:
                return JobStatus.INTERRUPTED
            case EndReason.MAX_FAILURES | EndReason.BREAKER:
                return JobStatus.FAILED
            case (
                EndReason.MAX_JOBS
                | EndReason.EXHAUSTED
                | EndReason.MAX_RUNTIME
                | EndReason.MAX_COST
                | EndReason.TARGET
                | EndReason.NOT_IMPROVING
                | EndReason.CONVERGED
            ):
                return JobStatus.COMPLETED if self.tally.best is not None else JobStatus.FAILED
            case _:
                assert_never(ending.reason)


def out_of_money(job: Job) -> str:
    """Return in words why another run cannot be paid, or those that a trial takes."""
    settings = job.settings
    runs = "another run" if settings.repeats.count == 1 else "the runs that another trial takes"
    return (
        f"limits.max_cost, {settings.max_cost or 0:g}, does not pay {runs}: {job.spent:.2f} was spent, "
        f"and a run can cost {settings.worst_cost or 0:.2f}"
    )


def assemble(settings: Settings, trials: Iterable[Trial], *, deadline: float | None = None) -> Job:
    """Put a job together from all of its trials, as they are in the store, ready to go on.

    The ended ones are counted in the order in which they ended, the others are open.
    """
    tally, open_trials, ended = Tally(), {}, []
    for trial in trials:
        if trial.status.is_final:
            ended.append(trial)
        else:
            open_trials[trial.number] = trial
    for trial in sorted(ended, key=lambda trial: trial.place or 0):
        tally = tally.add(trial, settings)
    proposed = len(ended) + len(open_trials)
    return Job(settings, open=open_trials, tally=tally, proposed=proposed, deadline=deadline)


def reopened(trial: Trial) -> Trial:
    """Return an ended trial with a new run, so that it is launched again with the same values.

    What of its repeats counts already is not run again.
    """
    return replace(
        trial,
        status=TrialStatus.PROPOSED,
        reason=None,
        detail="",
        value=None,
        others=(),
        violation=0.0,
        ended=None,
        place=None,
        runs=(*trial.runs, next_run(trial)),
    )


def next_run(trial: Trial) -> Run:
    """Return the run after a trial's last one: of the next repeat where that one counts, else of the same."""
    last = trial.run
    return Run(last.number + 1, repeat=last.repeat + (last.value is not None))

"""What a job begins with: the trials of earlier jobs, as values that never change again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from hpo.core.settings import Goal
from hpo.core.trial import Trial
from hpo.spec.space import Scalar, Space, Values


class WarmStart(StrEnum):
    """What the trials of earlier jobs are to a job.

    IDENTICAL: evidence like its own, as nothing but ranges and limits differs. TRANSFER: a hint where to
    begin, as data, program or parameters may differ, and with them what a score means.
    """

    IDENTICAL = "identical"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class PastTrial:
    """A completed trial of another job: everything that it was given there, and what came of it."""

    job: str  # that ran it
    number: int
    params: Values
    value: float
    others: tuple[float, ...] = ()  # values of the objectives beside the first one, in the job's order

    @property
    def values(self) -> tuple[float, ...]:
        """Return the values of all objectives."""
        return (self.value, *self.others)


class Kind(StrEnum):
    """What a parameter was tuned as."""

    CONTINUOUS = "continuous"
    INTEGER = "integer"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, slots=True)
class Parent:
    """An earlier job as it was read; what is None or empty is not known of it."""

    name: str  # as the spec has it
    trials: tuple[PastTrial, ...] = ()
    failed: int = 0
    unfinished: int = 0  # pruned, cancelled, or without a value
    infeasible: int = 0  # completed, and missing what the job requires
    metric: str | None = None
    goal: Goal | None = None
    goals: Mapping[str, Goal] | None = None  # of all its objectives, by metric
    kinds: Mapping[str, Kind] = field(default_factory=dict)  # of its tuned parameters
    fixed: Values | None = None  # its fixed parameters; None where they are not known
    inputs: Mapping[str, str] | None = None  # channel → its whole address
    program: Mapping[str, str] = field(default_factory=dict)  # image, command, …
    inherited: WarmStart | None = None  # what its own parents' trials were to it, which are among `trials`


@dataclass(frozen=True, slots=True)
class ParentReport:
    """What became of one parent's trials; all counts but `trials` and `beyond` add up to that.

    `lacked` are parameters that some of the trials had no value for, with what was assumed instead; such
    trials of an identical start are `incomplete`, and left out. `different` ones had another value of a
    fixed parameter; `repeated` ones came by another parent already; `unclaimed` ones are of an algorithm
    that this job has not.
    """

    parent: str
    trials: int
    used: int
    failed: int = 0
    unfinished: int = 0
    infeasible: int = 0
    out_of_range: int = 0
    beyond: int = 0  # of those out of range, how many tell a model of what lies next to them
    incomplete: int = 0
    different: int = 0
    repeated: int = 0
    unclaimed: int = 0
    lacked: Mapping[str, Scalar] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()  # parameters of the parent that this job has not
    outside: Mapping[str, int] = field(default_factory=dict)  # how many had a value that a parameter has not
    fixed: tuple[str, ...] = ()  # parameters fixed here that some of the trials had another value of


@dataclass(frozen=True, slots=True)
class PriorTrial:
    """A past trial and its values as this job's space has them; None where it is of no use to the job.

    Only values of the same `scale` can be compared: other data, or another program, score otherwise. One
    that lies `beyond` the space is no result of the job, but tells a model of what lies next to it.
    """

    parent: int  # by which it came: the place in the job's list, from 0
    scale: str
    past: PastTrial
    params: Values | None
    beyond: bool = False


Known: TypeAlias = Trial | PriorTrial
"""A trial of the job's own, or one that it begins with."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Everything that a job begins with; empty for a cold start."""

    type: WarmStart | None = None
    reports: tuple[ParentReport, ...] = ()
    trials: tuple[PriorTrial, ...] = ()

    @property
    def is_evidence(self) -> bool:
        """Whether its values count like the job's own."""
        return self.type is WarmStart.IDENTICAL

    @property
    def used(self) -> list[PriorTrial]:
        """The trials that lie in the space."""
        return [trial for trial in self.trials if trial.params is not None and not trial.beyond]

    def within(self, space: Space) -> Prior:
        """Return it for ranges that were narrowed since it was made."""
        return replace(self, trials=tuple(self._within(space, trial) for trial in self.trials))

    def _within(self, space: Space, trial: PriorTrial) -> PriorTrial:
        """Return the trial itself where nothing about it is other than it was."""
        if trial.params is None:
            return trial
        if space.contains(trial.params):
            return replace(trial, beyond=False) if trial.beyond else trial
        if self.is_evidence and space.borders_on(trial.params):
            return trial if trial.beyond else replace(trial, beyond=True)
        return replace(trial, params=None, beyond=False)


NO_PRIOR = Prior()
"""A cold start's."""

Priors = Mapping[str | None, Prior]
"""What each of several algorithms begins with, by its name, or the job itself under None.

Of algorithms that the parents had and the job has not, it is what is kept for jobs that come after.
"""

"""What can happen to a job; each is a fact with the time it became known."""

from __future__ import annotations

from dataclasses import dataclass

from hpo.core.settings import Settings
from hpo.core.trial import JobHandle, Match, Reason, RunReport
from hpo.core.verdict import Verdict
from hpo.spec.space import Values


@dataclass(frozen=True, slots=True)
class Proposed:
    """The strategy chose values for a trial."""

    trial: int
    params: Values
    proposed_by: str
    memo: str
    at: float
    algorithm: str | None = None  # of several


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The strategy has nothing left to propose."""

    at: float


@dataclass(frozen=True, slots=True)
class Launched:
    """A run was started, or found to have been started before."""

    trial: int
    run: int
    handle: JobHandle
    at: float


@dataclass(frozen=True, slots=True)
class LaunchFailed:
    """A run could not be started and never will be."""

    trial: int
    run: int
    reason: Reason
    detail: str
    at: float


@dataclass(frozen=True, slots=True)
class Deferred:
    """A run cannot be started yet."""

    trial: int
    run: int
    why: str
    until: float
    at: float


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A queued run of an ending job was never started, and will not be."""

    trial: int
    run: int
    at: float


@dataclass(frozen=True, slots=True)
class Observed:
    """A run was looked at: first its state, then the log from `since` up to `cursor`.

    `more` says that the log goes on beyond the cursor, so an ended run is not concluded yet.
    `advice` is the metric doctor's, for a run that succeeded without its objective. `stand_ins` are
    those of the matches, the last ones, that the report gave and no line of the log.
    """

    trial: int
    run: int
    report: RunReport
    matches: tuple[Match, ...]
    since: str
    cursor: str
    at: float
    more: bool = False
    advice: str = ""
    stand_ins: int = 0


@dataclass(frozen=True, slots=True)
class Pruned:
    """The strategy wants a running trial stopped."""

    trial: int
    run: int
    verdict: Verdict
    at: float


@dataclass(frozen=True, slots=True)
class StopSent:
    """A run was told to stop; `at_once` without its grace period."""

    trial: int
    run: int
    at_once: bool
    at: float


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed."""

    at: float


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Somebody wants the job to end: a user's `stop` or an interrupt; `at_once` without grace."""

    reason: Reason  # STOPPED or INTERRUPTED
    detail: str
    at: float
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """The spec's limits and rules, or its ranges, were changed; `deadline` is the whole job's from now on."""

    settings: Settings
    deadline: float | None
    what: str
    at: float


Event = (
    Proposed
    | Exhausted
    | Launched
    | LaunchFailed
    | Deferred
    | Abandoned
    | Observed
    | Pruned
    | StopSent
    | Ticked
    | StopRequested
    | Edited
)

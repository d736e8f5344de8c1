"""Events of trials that are run three times, and what they lead to."""

from __future__ import annotations

from hpo.core.effects import Propose, Start
from hpo.core.events import (
    Event,
    Launched,
    Observed,
    Proposed,
)
from hpo.core.job import Job
from hpo.core.plan import plan
from hpo.core.repeats import Repeats
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import JobHandle, Match, Reason, RunReport, RunState
from hpo.core.usage import Usage

OBJECTIVE = Objective("f1", Goal.MAXIMIZE)
THREE = Settings("job", OBJECTIVE, max_jobs=4, max_parallel_jobs=2, repeats=Repeats("seed", (1, 2, 3)))


def proposed(number: int = 1) -> Proposed:
    return Proposed(number, {"x": number}, "random", "", 0.0)


def launched(run: int, number: int = 1) -> Launched:
    return Launched(number, run, JobHandle("scripted", f"{number}-{run}"), float(run))


def ended(
    run: int,
    *values: float,
    number: int = 1,
    state: RunState = RunState.SUCCEEDED,
    reason: Reason | None = None,
    cost: float | None = None,
) -> Observed:
    usage = Usage("m", billable_seconds=cost * 3600.0, price=1.0) if cost is not None else None
    report = RunReport(state, reason, "exit status 1" if state is RunState.FAILED else "", usage=usage)
    matches = tuple(Match("f1", value) for value in values)
    return Observed(number, run, report, matches, "", "9", run + 0.5)


def repeat(run: int, *values: float, number: int = 1, cost: float | None = None) -> list[Event]:
    return [launched(run, number), ended(run, *values, number=number, cost=cost)]


def starts(job: Job) -> list[tuple[str, dict[str, object]]]:
    effects = plan(job, 1e9)
    return [
        (effect.launch.name, dict(effect.launch.params)) for effect in effects if isinstance(effect, Start)
    ]


def proposes(job: Job) -> bool:
    return any(isinstance(effect, Propose) for effect in plan(job, 0.0))

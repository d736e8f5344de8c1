"""Events of trials, and what they make of a job."""

from __future__ import annotations

from hpo.core.apply import apply
from hpo.core.events import Event, Launched, Observed, Proposed
from hpo.core.job import Job
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import JobHandle, Match, RunReport, RunState, Trial

HANDLE = JobHandle("scripted", "h")
MAXIMIZE = Objective("f1", Goal.MAXIMIZE)
SETTINGS = Settings("job", MAXIMIZE, max_jobs=10, max_parallel_jobs=4)


def start(number: int, at: float = 0.0) -> list[Event]:
    return [Proposed(number, {"x": number}, "random", "", at), Launched(number, 1, HANDLE, at)]


def observe(
    number: int,
    state: RunState = RunState.SUCCEEDED,
    *values: float,
    run: int = 1,
    since: str = "",
    cursor: str = "9",
    at: float = 5.0,
    **fields: object,
) -> Observed:
    reason = fields.pop("reason", None)
    started = fields.pop("started", None)
    report = RunReport(state, reason, str(fields.pop("detail", "")), started=started)  # type: ignore[arg-type]
    matches = tuple(Match("f1", value) for value in values)
    return Observed(number, run, report, matches, since, cursor, at, **fields)  # type: ignore[arg-type]


def run_events(job: Job, *events: Event) -> tuple[Job, dict[int, Trial]]:
    """Apply events in order; return the job and every trial's last state."""
    trials: dict[int, Trial] = {}
    for event in events:
        change = apply(job, event)
        job = change.job
        trials |= {trial.number: trial for trial in change.trials}
    return job, trials

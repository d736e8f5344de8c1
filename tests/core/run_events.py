"""What events make of a job."""

from __future__ import annotations

from hpo.core.apply import apply
from hpo.core.events import Event
from hpo.core.job import Job
from hpo.core.trial import Trial


def run_events(job: Job, *events: Event) -> tuple[Job, dict[int, Trial]]:
    """Apply events in order; return the job and every trial's last state."""
    trials: dict[int, Trial] = {}
    for event in events:
        change = apply(job, event)
        job = change.job
        trials |= {trial.number: trial for trial in change.trials}
    return job, trials

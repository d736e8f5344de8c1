"""Jobs with many finished trials, made through hpo's own store.

finished.py SPEC COUNT: makes the spec's job in $HPO_HOME, completed, without running anything.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from hpo.core.apply import Change
from hpo.core.history import History
from hpo.core.job import Ending, EndReason, Job, JobStatus
from hpo.core.settings import Settings
from hpo.core.trial import JobHandle, Point, Progress, Run, RunState, Trial, TrialStatus
from hpo.search.strategy import Strategy
from hpo.store.home import DATABASE
from hpo.store.sqlite import Store
from hpo.wiring.prepared import prepare
from hpo.wiring.sessions import create

STEPS = 3
"""Values of the objective that each trial gave."""


def make(spec: Path, count: int) -> Path:
    """Make a completed job, and return its folder."""
    prepared = prepare([spec], overrides=[f"limits.max_jobs={count}"])
    folder = create(prepared)
    store = Store.open(folder / DATABASE)
    fill(store, prepared.settings(prepared.spec.name), prepared.strategy(1), count)
    store.close()
    return folder


def fill(store: Store, settings: Settings, strategy: Strategy, count: int) -> list[Trial]:
    """Write so many completed trials into a job's store, in one transaction, and return them."""
    history = History(settings.objective)
    trials = [_trial(number, strategy, history) for number in range(1, count + 1)]
    points = [
        Point(trial.number, 1, settings.objective.metric, step, trial.value or 0.0, trial.created)
        for trial in trials
        for step in range(1, STEPS + 1)
    ]
    ending = Ending(EndReason.MAX_JOBS, f"all {count} trials have ended")
    job = replace(Job(settings), status=JobStatus.COMPLETED, ending=ending)
    store.commit([Change(job, tuple(trials), tuple(points))], at=time.time())
    return trials


def _trial(number: int, strategy: Strategy, history: History) -> Trial:
    proposal = strategy.propose(history, number)
    if proposal is None:
        raise ValueError(f"the space has no configuration for trial {number}")
    now, value = time.time(), 1.0 / number
    run = Run(
        1,
        state=RunState.SUCCEEDED,
        handle=JobHandle("process", json.dumps({"run": f"trials/{number:04d}/run-1", "guard": "1 1 1"})),
        cursor="30",
        progress=Progress({history.objective.metric: STEPS}, {history.objective.metric: value}, value),
        started=now,
        ended=now,
    )
    return Trial(
        number,
        proposal.params,
        proposal.proposed_by,
        status=TrialStatus.COMPLETED,
        value=value,
        runs=(run,),
        created=now,
        ended=now,
        place=number,
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))

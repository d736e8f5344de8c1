"""Trials of several runs that are stopped, and gone on with."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.core.effects import Abandon, Propose, Start
from hpo.core.events import (
    Abandoned,
    Event,
    Launched,
    Pruned,
    StopRequested,
    StopSent,
)
from hpo.core.job import Job, assemble, reopened
from hpo.core.plan import plan
from hpo.core.repeats import Repeats
from hpo.core.trial import JobHandle, Reason, RunState, Trial, TrialStatus
from hpo.core.verdict import Verdict
from tests.core.events import run_events
from tests.core.repeated import THREE, ended, launched, proposed, repeat, starts


def test_a_trial_that_is_stopped_while_a_repeat_ends_well_goes_on_with_the_next_one() -> None:
    stop: list[Event] = [
        StopRequested(Reason.STOPPED, "stop", 2.0),
        StopSent(1, 1, at_once=False, at=2.0),
    ]
    _, trials = run_events(Job(THREE), proposed(), launched(1), *stop, ended(1, 0.1))
    assert (trials[1].status, trials[1].value) == (TrialStatus.CANCELLED, None)
    assert starts(assemble(THREE, [reopened(trials[1])])) == [("job-0001-2", {"x": 1, "seed": 2})]
    last = replace(THREE, repeats=Repeats("seed", (1,)))
    _, trials = run_events(Job(last), proposed(), launched(1), *stop, ended(1, 0.1))
    assert (trials[1].status, trials[1].value) == (TrialStatus.COMPLETED, 0.1)


def test_a_repeat_that_is_not_started_yet_is_given_up_by_a_stop_and_keeps_what_was_found() -> None:
    stop = StopRequested(Reason.STOPPED, "stop", 2.0)
    job, trials = run_events(Job(THREE), proposed(), *repeat(1, 0.1), stop)
    assert [effect.launch.name for effect in plan(job, 3.0) if isinstance(effect, Abandon)] == ["job-0001-2"]
    _, trials = run_events(job, Abandoned(1, 2, 3.0))
    assert (trials[1].status, trials[1].repeat_values) == (TrialStatus.CANCELLED, (0.1,))
    assert starts(assemble(THREE, [reopened(trials[1])])) == [("job-0001-2", {"x": 1, "seed": 2})]


def test_a_trial_that_is_stopped_early_runs_no_more_repeats_and_has_the_value_it_came_to() -> None:
    verdict = Verdict("rung")
    _, trials = run_events(
        Job(THREE),
        proposed(),
        launched(1),
        Pruned(1, 1, verdict, 1.0),
        ended(1, 0.4, state=RunState.STOPPED),
    )
    assert (trials[1].status, trials[1].value, len(trials[1].runs)) == (TrialStatus.PRUNED, 0.4, 1)


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 4), parallel=st.integers(1, 3))
def test_however_often_a_job_is_stopped_and_gone_on_with_no_repeat_is_lost_or_run_twice(
    seed: int, count: int, parallel: int
) -> None:
    rng, now = random.Random(seed), 0.0
    limits = replace(THREE, max_parallel_jobs=parallel, repeats=Repeats("seed", tuple(range(1, count + 1))))
    job, trials = Job(limits), dict[int, Trial]()
    handles: dict[str, JobHandle] = {}
    for _ in range(2000):
        completed = sum(trial.status is TrialStatus.COMPLETED for trial in trials.values())
        if job.is_done and completed == limits.max_jobs:
            break
        if job.is_done or rng.random() < 0.05:  # a crash, or a resume; `hpo retry` of what has failed
            kept = [
                reopened(t) if t.status in {TrialStatus.CANCELLED, TrialStatus.FAILED} else t
                for t in trials.values()
            ]
            trials = {trial.number: trial for trial in kept}
            job = assemble(limits, kept)
        now += 1.0
        events: list[Event] = []
        for effect in plan(job, now):
            match effect:
                case Propose():
                    events.append(proposed(effect.trial))
                case Start(launch):
                    handle = handles.setdefault(launch.name, JobHandle("w", launch.name))
                    events.append(Launched(launch.trial, launch.run, handle, now))
                case Abandon(launch) if launch.name in handles:
                    events.append(Launched(launch.trial, launch.run, handles[launch.name], now))
                case Abandon(launch):
                    events.append(Abandoned(launch.trial, launch.run, now))
                case _:
                    pass
        for trial in job.open.values():
            if trial.run.handle is not None:
                state = rng.choice([RunState.SUCCEEDED, RunState.SUCCEEDED, RunState.FAILED, RunState.LOST])
                events.append(ended(trial.run.number, rng.random(), number=trial.number, state=state))
        if rng.random() < 0.1:
            events.append(StopRequested(Reason.STOPPED, "", now))
        job, changed = run_events(job, rng.choice(events)) if events else (job, {})
        trials |= changed
    assert completed == limits.max_jobs
    for trial in trials.values():
        counting = [run for run in trial.runs if run.value is not None]
        assert [run.repeat for run in counting] == list(range(1, count + 1))
        assert trial.value == pytest.approx(statistics.fmean(trial.repeat_values))
        succeeded = [run for run in trial.runs if run.state is RunState.SUCCEEDED]
        assert succeeded == counting, "as what ended well is not run again"

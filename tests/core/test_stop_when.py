"""What ends a job by its results, and what then becomes of the trials that run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest

from hpo.core.convergence import Gain
from hpo.core.effects import Abandon, Start, Stop, WakeAt
from hpo.core.events import (
    Event,
    Launched,
    Observed,
    Proposed,
    StopRequested,
    Ticked,
)
from hpo.core.job import EndReason, Job, JobStatus, assemble
from hpo.core.plan import plan
from hpo.core.settings import Goal, Objective, Running, Settings
from hpo.core.trial import JobHandle, Match, Reason, RunReport, RunState, Trial, TrialStatus
from tests.core.events import run_events

SETTINGS = Settings(
    "j", Objective("f1", Goal.MAXIMIZE), max_jobs=50, max_parallel_jobs=3, target=0.9, running=Running.FINISH
)


def propose(number: int) -> Proposed:
    return Proposed(number, {"x": number}, "test", "", 1.0)


def launch(number: int) -> Launched:
    return Launched(number, 1, JobHandle("test", str(number)), 1.0)


def end(number: int, value: float, state: RunState = RunState.SUCCEEDED, **report: object) -> Observed:
    told = RunReport(state, **report)  # type: ignore[arg-type]
    return Observed(number, 1, told, (Match("f1", value),), "", "end", 2.0)


def two_running(settings: Settings = SETTINGS) -> Job:
    """Return a job that has reached its target while trial 2 runs, and trial 3 is not launched yet."""
    job = Job(settings, deadline=100.0)
    events: list[Event] = [propose(1), launch(1), propose(2), launch(2), propose(3), end(1, 0.95)]
    return run_events(job, *events)[0]


def test_what_runs_when_the_target_is_reached_is_stopped_by_default() -> None:
    job = two_running(replace(SETTINGS, running=Running.STOP))
    assert {trial.status for trial in job.open.values()} == {TrialStatus.STOPPING}
    assert not job.is_finishing


def test_what_runs_may_finish_and_may_still_be_the_best() -> None:
    job = two_running()
    assert job.is_finishing
    assert {number: trial.status for number, trial in job.open.items()} == {
        2: TrialStatus.RUNNING,
        3: TrialStatus.STOPPING,
    }
    kinds = [type(effect) for effect in plan(job, 3.0)]
    assert Abandon in kinds
    assert Start not in kinds
    assert Stop not in kinds
    job, trials = run_events(job, end(2, 0.97))
    assert trials[2].status is TrialStatus.COMPLETED
    assert job.tally.best == trials[2]
    assert not job.is_done  # trial 3 is not known to be abandoned yet


@pytest.mark.parametrize("reason", [Reason.STOPPED, Reason.INTERRUPTED])
def test_who_stops_a_finishing_job_stops_what_runs(reason: Reason) -> None:
    job, _ = run_events(two_running(), StopRequested(reason, "^C", 3.0))
    assert not job.is_finishing
    assert {trial.status for trial in job.open.values()} == {TrialStatus.STOPPING}
    assert job.ending is not None
    assert (job.ending.reason, job.ending.at_once) == (EndReason.TARGET, False)


def test_the_jobs_time_ends_a_finishing_job() -> None:
    job = two_running()
    assert WakeAt(100.0) in plan(job, 3.0)
    job, _ = run_events(job, Ticked(100.0))
    assert not job.is_finishing
    assert job.open[2].detail == "the job ran for 0 seconds"
    assert WakeAt(100.0) not in plan(job, 101.0)


def test_a_limit_of_the_job_lets_nothing_finish() -> None:
    job = Job(replace(SETTINGS, max_runtime=9.0), deadline=10.0)
    job, _ = run_events(job, propose(1), launch(1), Ticked(10.0))
    assert job.ending is not None
    assert job.ending.reason is EndReason.MAX_RUNTIME
    assert not job.is_finishing


@pytest.mark.parametrize("reason", [Reason.NO_CAPACITY, Reason.LOST])
def test_what_is_lost_of_a_finishing_job_is_not_launched_again(reason: Reason) -> None:
    job, trials = run_events(two_running(), end(2, math.nan, RunState.LOST, reason=reason))
    assert trials[2].status.is_final
    assert 2 not in job.open
    assert trials[2].detail.endswith("0.95 reached the target 0.9")


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_lost_trial_of_a_finishing_job_says_why_it_has_no_other_attempt(attempts: int) -> None:
    _, trials = run_events(two_running(replace(SETTINGS, attempts=attempts)), end(2, 0.5, RunState.LOST))
    why = "; it is not launched again, as the job has ended: 0.95 reached the target 0.9"
    assert (trials[2].status, trials[2].reason) == (TrialStatus.FAILED, Reason.LOST)
    assert trials[2].detail == "nothing is left of the run, not even its exit status" + why * (attempts == 2)


def ended(values: Iterable[float | None], goal: Goal = Goal.MAXIMIZE) -> Gain:
    """Return the gain after trials with these values; None was stopped early."""
    gain, best = Gain(), None
    for value in values:
        better = value is not None and (best is None or goal.is_better(value, best))
        gain = gain.add(value if better else None, goal)
        best = value if better else best
    return gain


@pytest.mark.parametrize("goal", Goal)
def test_convergence_by_hand(goal: Goal) -> None:
    """Of 0.5, 0.6, 0.603, 0.605 the last gain above 1% is the one to 0.6: 0.606 or less is none over it."""
    sign = 1.0 if goal is Goal.MAXIMIZE else -1.0
    values: list[float | None] = [0.5, 0.6, 0.603, None, *[0.1] * 6, 0.605]
    assert not ended([value and sign * value for value in values], goal).has_converged
    gain = ended([value and sign * value for value in [*values, None]], goal)
    assert (gain.value, gain.since, gain.trials) == (sign * 0.6, 10, 12)
    assert gain.has_converged
    assert gain.words == "in the last 10 trials the best value gained no more than 1%"
    assert not ended([value and sign * value for value in [*values, 0.607]], goal).has_converged


def test_small_gains_add_up() -> None:
    assert ended(1.006**place for place in range(40)).since <= 1


def test_a_long_job_must_be_without_a_gain_for_half_of_its_trials() -> None:
    rising = [float(value) for value in range(1, 31)]
    assert not ended([*rising, *[0.0] * 29]).has_converged
    assert ended([*rising, *[0.0] * 30]).has_converged


def test_without_any_value_nothing_has_converged() -> None:
    assert not ended([None] * 50).has_converged


def test_a_converged_job_ends_and_says_so() -> None:
    settings = replace(SETTINGS, target=None, converged=True, max_parallel_jobs=1)
    job, number = Job(settings), 0
    while not job.is_done:
        number += 1
        job, _ = run_events(job, propose(number), launch(number), end(number, 0.5))
    assert job.ending is not None
    assert (number, job.ending.reason, job.status) == (11, EndReason.CONVERGED, JobStatus.COMPLETED)


def test_convergence_is_found_again_from_the_store() -> None:
    settings = replace(SETTINGS, target=None, max_parallel_jobs=1)
    job = Job(settings)
    known: dict[int, Trial] = {}
    for number in range(1, 20):
        job, trials = run_events(job, propose(number), launch(number), end(number, 0.5 + (number == 4)))
        known |= trials
    assert assemble(settings, known.values()).tally == job.tally
    assert job.tally.gain == Gain(1.5, 19, 15)

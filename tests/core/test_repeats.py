"""Trials of several runs that count: each in its turn, none twice, and what their values make."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.core.effects import Abandon, Propose, Start
from hpo.core.events import (
    Abandoned,
    Edited,
    Event,
    Launched,
    LaunchFailed,
    Observed,
    Proposed,
    Pruned,
    StopRequested,
    StopSent,
    Ticked,
)
from hpo.core.history import History
from hpo.core.job import EndReason, Job, assemble, reopened
from hpo.core.plan import plan
from hpo.core.repeats import Repeats, Score, mean, spread
from hpo.core.settings import Goal, Objective, Running, Settings, Take
from hpo.core.trial import JobHandle, Match, Point, Reason, RunReport, RunState, Trial, TrialStatus
from hpo.core.usage import Usage
from hpo.core.verdict import Verdict
from tests.core.events import run_events

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


def test_repeats_are_run_one_after_another_each_with_its_seed() -> None:
    job, trials = run_events(Job(THREE), proposed())
    for run in (1, 2, 3):
        assert starts(job) == [(f"job-0001-{run}", {"x": 1, "seed": run})]
        assert dict(trials[1].params) == {"x": 1}
        job, trials = run_events(job, *repeat(run, 0.1, run / 10))
    assert trials[1].status is TrialStatus.COMPLETED
    assert trials[1].value == pytest.approx(0.2)
    assert trials[1].repeat_values == (0.1, 0.2, 0.3)
    assert trials[1].spread == pytest.approx(0.1)
    assert trials[1].standard_error == pytest.approx(0.1 / math.sqrt(3))
    assert trials[1].attempts == 1
    assert job.tally.best == trials[1]


@pytest.mark.parametrize(("score", "value"), [(Score.MEAN, 0.4), (Score.MEDIAN, 0.2)])
def test_the_score_of_the_best_of_each_run_is_the_trials_value(score: Score, value: float) -> None:
    limits = replace(
        THREE,
        objective=replace(OBJECTIVE, take=Take.BEST),
        repeats=Repeats("seed", (1, 2, 3), score),
    )
    runs = [*repeat(1, 0.1, 0.0), *repeat(2, 0.9), *repeat(3, 0.1, 0.2)]
    _, trials = run_events(Job(limits), proposed(), *runs)
    assert trials[1].value == pytest.approx(value)


def test_a_lost_run_is_launched_again_within_its_repeat() -> None:
    lost = ended(2, state=RunState.LOST)
    events = [proposed(), *repeat(1, 0.1), launched(2), lost, *repeat(3, 0.2)]
    job, trials = run_events(Job(THREE), *events)
    assert [(run.repeat, run.value) for run in trials[1].runs] == [(1, 0.1), (2, None), (2, 0.2), (3, None)]
    assert starts(job) == [("job-0001-4", {"x": 1, "seed": 3})]
    again = [launched(4), ended(4, state=RunState.LOST), *repeat(5, 0.3)]
    _, trials = run_events(job, *again)
    assert trials[1].status is TrialStatus.COMPLETED, "as each repeat has attempts of its own"
    assert trials[1].repeat_values == (0.1, 0.2, 0.3)
    assert trials[1].attempts == 3, "as repeats are no attempts"


def test_a_repeat_that_is_lost_too_often_fails_the_trial() -> None:
    lost = [event for run in (2, 3) for event in (launched(run), ended(run, state=RunState.LOST))]
    _, trials = run_events(Job(THREE), proposed(), *repeat(1, 0.1), *lost)
    assert (trials[1].status, trials[1].reason) == (TrialStatus.FAILED, Reason.LOST)
    assert trials[1].detail.startswith("repeat 2 of 3: ")


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([launched(2), ended(2, state=RunState.FAILED, reason=Reason.EXIT_STATUS)], Reason.EXIT_STATUS),
        ([launched(2), ended(2)], Reason.NO_METRIC),
        ([launched(2), ended(2, math.nan)], Reason.NOT_FINITE),
        ([LaunchFailed(1, 2, Reason.COULD_NOT_START, "no", 3.0)], Reason.COULD_NOT_START),
        ([launched(2), Ticked(9.0), StopSent(1, 2, at_once=False, at=9.0), ended(2, 0.4)], Reason.TIMEOUT),
    ],
)
def test_a_repeat_that_fails_fails_the_trial_which_is_gone_on_with_there(
    events: list[Event], reason: Reason
) -> None:
    limits = replace(THREE, max_job_runtime=5.0, max_jobs=1)
    job, trials = run_events(Job(limits), proposed(), *repeat(1, 0.1), *events)
    assert (trials[1].status, trials[1].reason, trials[1].value) == (TrialStatus.FAILED, reason, None)
    assert trials[1].detail.startswith("repeat 2 of 3: ")
    assert job.is_done
    job = assemble(limits, [reopened(trials[1])])
    assert starts(job) == [("job-0001-3", {"x": 1, "seed": 2})]


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


def test_the_curve_of_the_first_repeat_speaks_for_the_trial() -> None:
    history = History(OBJECTIVE)
    _, trials = run_events(Job(THREE), proposed(), *repeat(1, 0.1), launched(2))
    history.record(replace(trials[1], runs=trials[1].runs[:1]))
    history.extend([Point(1, 1, "f1", 1.0, 0.1, 1.0)])
    history.record(trials[1])
    history.extend([Point(1, 2, "f1", 1.0, 0.7, 2.0)])
    assert list(history.curve(1)) == [(1.0, 0.1)]
    assert [point.run for point in history.points] == [1]


def test_trials_that_are_to_finish_have_all_of_their_repeats() -> None:
    limits = replace(THREE, target=0.5, running=Running.FINISH)
    good = [proposed(1), *repeat(1, 0.9), *repeat(2, 0.9)]
    job, _ = run_events(Job(limits), *good, proposed(2), *repeat(1, 0.1, number=2), *repeat(3, 0.9))
    assert job.ending is not None
    assert (job.ending.reason, job.is_finishing, proposes(job)) == (EndReason.TARGET, True, False)
    assert job.runs_to_come == 2
    assert starts(job) == [("job-0002-2", {"x": 2, "seed": 2})]
    job, trials = run_events(job, *repeat(2, 0.1, number=2), *repeat(3, 0.1, number=2))
    assert trials[2].status is TrialStatus.COMPLETED
    assert job.is_done


def test_runs_to_come_are_those_of_all_repeats() -> None:
    job, _ = run_events(Job(THREE), proposed(), launched(1))
    assert job.runs_to_come == 3 * 3 + 2
    job, _ = run_events(job, ended(1, 0.1))
    assert job.runs_to_come == 3 * 3 + 2
    job, _ = run_events(job, StopRequested(Reason.STOPPED, "", 2.0))
    assert job.runs_to_come == 0


def test_money_is_kept_for_the_repeats_to_come() -> None:
    limits = replace(THREE, max_cost=7.0, worst_cost=1.0, max_parallel_jobs=4)
    job, _ = run_events(Job(limits), proposed(1))
    assert proposes(job)  # 3 + 3 of 7
    job, _ = run_events(job, proposed(2))
    assert not proposes(job)
    job, _ = run_events(job, *repeat(1, 0.1, cost=0.2))
    assert not proposes(job)  # 0.2 + 2 + 3 + 3
    job, _ = run_events(job, *repeat(2, 0.1, cost=0.2), *repeat(1, 0.1, number=2, cost=0.3))
    assert proposes(job)  # 0.7 + 1 + 2 + 3


def test_a_repeat_that_cannot_be_paid_any_more_ends_the_job() -> None:
    """Also one of a trial that is to finish."""
    for target in (None, 0.5):
        limits = replace(THREE, max_cost=6.0, worst_cost=1.0, target=target, running=Running.FINISH)
        job, _ = run_events(Job(limits), proposed(1), proposed(2), *repeat(1, 0.1, number=2, cost=1.0))
        if target is not None:
            runs = [*repeat(1, 0.9, cost=0.1), *repeat(2, 0.9, cost=0.1), *repeat(3, 0.9, cost=0.1)]
            job, _ = run_events(job, *runs)
            assert job.is_finishing
        dearer = replace(limits, max_cost=2.0)
        job, _ = run_events(job, launched(2, number=2), Edited(dearer, None, "limits.max_cost", 4.0))
        job, _ = run_events(job, ended(2, 0.1, number=2, cost=1.0))
        assert not starts(job)
        assert job.ending is not None
        assert job.ending.reason is (EndReason.TARGET if target else EndReason.MAX_COST)
        assert all(trial.status is TrialStatus.STOPPING for trial in job.open.values())


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


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9))
def test_mean_median_and_spread_are_those_of_statistics(values: list[float]) -> None:
    assert mean(values) == pytest.approx(statistics.fmean(values))
    assert Score.MEDIAN.of(values) == pytest.approx(statistics.median(values))
    assert spread(values) == pytest.approx(statistics.stdev(values), abs=1e-6)


def test_values_that_are_all_the_same_have_no_spread_and_great_ones_no_infinite_mean() -> None:
    assert (mean([0.1] * 3), spread([0.1] * 3), spread([0.1])) == (0.1, 0.0, None)
    assert (mean([1.7e308] * 3), Score.MEDIAN.of([1.7e308] * 2)) == (1.7e308, 1.7e308)
    assert spread([-1.7e308, 1.7e308]) is None

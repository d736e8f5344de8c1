"""What runs cost, what they may cost, and runs for which there is no machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpo.core.criteria import fulfilled
from hpo.core.effects import Propose, Start
from hpo.core.events import Event, Launched, Observed, Proposed, StopRequested, StopSent, Ticked
from hpo.core.job import EndReason, Job, JobStatus, assemble, reopened
from hpo.core.plan import plan
from hpo.core.settings import Goal, Objective, Settings, Take
from hpo.core.trial import JobHandle, Match, Reason, RunReport, RunState, Trial, TrialStatus
from hpo.core.usage import Usage
from tests.core.events import run_events

HANDLE = JobHandle("rented", "h")
FREE = Settings("job", Objective("f1", Goal.MAXIMIZE), max_jobs=10, max_parallel_jobs=4)
LIMITED = replace(FREE, max_cost=10.0, worst_cost=3.0)


def start(*numbers: int) -> list[Event]:
    return [
        event
        for number in numbers
        for event in (Proposed(number, {"x": number}, "random", "", 0.0), Launched(number, 1, HANDLE, 0.0))
    ]


def costing(dollars: float) -> Usage:
    return Usage("m", billable_seconds=dollars * 3600.0, price=1.0)


def observe(number: int, report: RunReport, *values: float, run: int = 1, at: float = 5.0) -> Observed:
    matches = tuple(Match("f1", value) for value in values)
    return Observed(number, run, report, matches, since="", cursor="9", at=at)


def ended(number: int, cost: float | None, state: RunState = RunState.SUCCEEDED, *, run: int = 1) -> Observed:
    usage = costing(cost) if cost is not None else None
    return observe(number, RunReport(state, usage=usage), 0.5, run=run)


def proposes(job: Job) -> bool:
    return any(isinstance(effect, Propose) for effect in plan(job, 0.0))


def test_usage_is_kept_of_running_and_of_ended_runs() -> None:
    running = observe(1, RunReport(RunState.RUNNING, usage=costing(1.0)))
    silent = replace(observe(1, RunReport(RunState.RUNNING)), since="9")
    job, trials = run_events(Job(FREE), *start(1), running, silent)
    assert trials[1].run.usage == costing(1.0)
    _, trials = run_events(job, replace(ended(1, 2.0), since="9"))
    assert trials[1].run.usage == costing(2.0)


def test_another_trial_is_proposed_only_where_all_together_can_be_paid() -> None:
    job, _ = run_events(Job(LIMITED), *start(1, 2))
    assert proposes(job)  # 3 x 3 of 10
    job, _ = run_events(job, *start(3))
    assert not proposes(job)
    cheap, _ = run_events(job, ended(1, 0.5))
    assert proposes(cheap)  # 0.5 + 3 x 3
    dear, _ = run_events(job, ended(1, 1.5))
    assert not proposes(dear)


@pytest.mark.parametrize(("told", "count"), [(1.0, 3), (5.0, 2)])
def test_a_running_trial_counts_at_least_what_it_told(told: float, count: int) -> None:
    job, _ = run_events(Job(LIMITED), *start(1), observe(1, RunReport(RunState.RUNNING, usage=costing(told))))
    while proposes(job):
        job, _ = run_events(job, *start(job.proposed + 1))
    assert job.proposed == count


@pytest.mark.parametrize(
    ("report", "spent"),
    [
        (RunReport(RunState.SUCCEEDED, usage=costing(1.25)), 1.25),
        (RunReport(RunState.FAILED, Reason.EXIT_STATUS, usage=costing(1.25)), 1.25),
        (RunReport(RunState.SUCCEEDED), 3.0),
        (RunReport(RunState.SUCCEEDED, usage=Usage("m", billable_seconds=7.0)), 3.0),
    ],
    ids=["succeeded", "failed", "untold", "unpriced"],
)
def test_what_is_not_told_counts_as_the_worst(report: RunReport, spent: float) -> None:
    job, _ = run_events(Job(LIMITED), *start(1), observe(1, report, 0.5))
    assert job.spent == pytest.approx(spent)


def test_three_times_a_third_is_the_whole() -> None:
    job = Job(replace(FREE, max_cost=0.3, worst_cost=0.1))
    for number in (1, 2, 3):
        assert proposes(job)
        job, _ = run_events(job, *start(number))
    assert not proposes(job)


@pytest.mark.parametrize(
    ("state", "status"), [(RunState.SUCCEEDED, JobStatus.COMPLETED), (RunState.FAILED, JobStatus.FAILED)]
)
def test_a_job_ends_when_nothing_runs_and_nothing_can_be_paid(state: RunState, status: JobStatus) -> None:
    job, _ = run_events(Job(LIMITED), *start(1, 2, 3), ended(1, 3.0, state), ended(2, 3.0, state))
    assert job.ending is None  # what still runs may cost less
    job, _ = run_events(job, ended(3, 2.5, state))
    assert job.ending is not None
    assert (job.ending.reason, job.status) == (EndReason.MAX_COST, status)
    assert "8.50 was spent" in job.ending.detail
    assert "3.00" in job.ending.detail


def test_a_job_whose_trials_have_all_ended_has_not_run_out_of_money() -> None:
    settings = replace(LIMITED, max_jobs=3)
    job, _ = run_events(Job(settings), *start(1, 2, 3), *(ended(number, 3.0) for number in (1, 2, 3)))
    assert job.ending is not None
    assert job.ending.reason is EndReason.MAX_JOBS


@pytest.mark.parametrize(("cost", "status"), [(1.0, TrialStatus.PROPOSED), (1.5, TrialStatus.FAILED)])
def test_a_lost_run_is_launched_again_only_where_that_can_be_paid(cost: float, status: TrialStatus) -> None:
    job, trials = run_events(Job(LIMITED), *start(1, 2, 3), ended(1, cost, RunState.LOST))
    assert trials[1].status is status
    if status is TrialStatus.FAILED:
        assert trials[1].reason is Reason.LOST
        assert "not launched again" in trials[1].detail
        assert "limits.max_cost, 10, does not pay another run: 1.50 was spent" in trials[1].detail
    assert job.spent == pytest.approx(cost)


def stopped_job() -> list[Trial]:
    """Return three trials that a stop cancelled; each had cost 2."""
    stop: list[Event] = [StopRequested(Reason.STOPPED, "stop", 1.0)]
    stop += [StopSent(number, 1, at_once=False, at=1.0) for number in (1, 2, 3)]
    ends = [ended(number, 2.0, RunState.STOPPED) for number in (1, 2, 3)]
    _, trials = run_events(Job(LIMITED), *start(1, 2, 3), *stop, *ends)
    assert [trial.status for trial in trials.values()] == [TrialStatus.CANCELLED] * 3
    return [trials[number] for number in (1, 2, 3)]


def test_of_trials_that_are_run_again_only_those_start_that_can_be_paid() -> None:
    job = assemble(LIMITED, [reopened(trial) for trial in stopped_job()])
    assert job.spent == pytest.approx(6.0)
    job, _ = run_events(job, Ticked(9.0))
    assert [e.launch.trial for e in plan(job, 9.0) if isinstance(e, Start)] == [1]
    job, _ = run_events(job, Launched(1, 2, HANDLE, 9.0))
    assert not any(isinstance(effect, Start) for effect in plan(job, 9.0))
    job, _ = run_events(job, ended(1, 0.5, run=2))
    assert [e.launch.trial for e in plan(job, 9.0) if isinstance(e, Start)] == [2]
    job, trials = run_events(job, Launched(2, 2, HANDLE, 9.0), ended(2, 3.0, run=2))
    assert job.ending is not None
    assert job.ending.reason is EndReason.MAX_COST
    assert trials[3].status is TrialStatus.STOPPING
    assert trials[3].run.handle is None


def test_a_job_whose_money_is_spent_reopens_nothing_until_there_is_more() -> None:
    again = [reopened(trial) for trial in stopped_job()]
    over = fulfilled(assemble(replace(LIMITED, max_cost=8.0), again), 9.0)
    assert over is not None
    assert over.reason is EndReason.MAX_COST
    assert fulfilled(assemble(replace(LIMITED, max_cost=9.0), again), 9.0) is None


def test_a_trial_that_was_stopping_is_run_again_after_a_resume_only_where_that_can_be_paid() -> None:
    _, trials = run_events(
        Job(LIMITED),
        *start(1),
        StopRequested(Reason.STOPPED, "stop", 1.0),
        StopSent(1, 1, at_once=False, at=1.0),
    )
    for limit, status in ((5.0, TrialStatus.PROPOSED), (4.5, TrialStatus.CANCELLED)):
        job = assemble(replace(LIMITED, max_cost=limit), trials.values())
        _, after = run_events(job, ended(1, 2.0, RunState.STOPPED))
        assert after[1].status is status


# -- no capacity

NO_MACHINE = RunReport(RunState.LOST, Reason.NO_CAPACITY, "no ml.p5 is free")


def test_a_run_without_capacity_waits_ever_longer_and_is_no_attempt() -> None:
    job, _ = run_events(Job(replace(FREE, attempts=1)), *start(1))
    waits = []
    for run in range(1, 13):
        job, trials = run_events(job, observe(1, NO_MACHINE, run=run, at=100.0))
        trial = trials[1]
        assert (trial.status, trial.run.number, trial.attempts) == (TrialStatus.PROPOSED, run + 1, 0)
        assert trial.run.waiting == "no ml.p5 is free"
        waits.append(trial.run.not_before - 100.0)
        assert not any(isinstance(effect, Start) for effect in plan(job, 100.0))
        assert any(isinstance(effect, Start) for effect in plan(job, trial.run.not_before))
        job, _ = run_events(job, Launched(1, run + 1, HANDLE, 101.0))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    job, trials = run_events(job, ended(1, None, run=13))
    assert (trials[1].status, trials[1].attempts) == (TrialStatus.COMPLETED, 1)


def test_the_wait_begins_anew_after_a_run_that_had_a_machine() -> None:
    job, _ = run_events(Job(FREE), *start(1))
    for run, report in ((1, NO_MACHINE), (2, NO_MACHINE), (3, RunReport(RunState.LOST)), (4, NO_MACHINE)):
        job, trials = run_events(
            job, observe(1, report, run=run, at=100.0), Launched(1, run + 1, HANDLE, 101.0)
        )
    assert (trials[1].run.number, trials[1].attempts) == (5, 2)
    job, trials = run_events(job, observe(1, NO_MACHINE, run=5, at=100.0))
    assert trials[1].run.not_before == 102.0
    job, trials = run_events(job, Launched(1, 6, HANDLE, 103.0), observe(1, RunReport(RunState.LOST), run=6))
    assert (trials[1].status, trials[1].reason) == (TrialStatus.FAILED, Reason.LOST)


def test_a_run_without_capacity_costs_nothing() -> None:
    job, _ = run_events(Job(replace(LIMITED, max_cost=3.0)), *start(1), observe(1, NO_MACHINE))
    assert job.spent == 0.0
    assert job.ending is None


def test_a_run_without_capacity_in_a_job_that_ends_is_cancelled() -> None:
    stop = StopRequested(Reason.STOPPED, "stop", 2.0)
    job, trials = run_events(Job(FREE), *start(1), stop, observe(1, NO_MACHINE))
    assert (trials[1].status, job.status) == (TrialStatus.CANCELLED, JobStatus.STOPPED)


# -- the value that somebody else read


def read_as(value: float, *, stand_ins: int = 0, printed: tuple[float, ...] = (0.91,)) -> Observed:
    report = RunReport(RunState.SUCCEEDED, metrics={"f1": value})
    return replace(observe(1, report, *printed), stand_ins=stand_ins)


@pytest.mark.parametrize(
    ("event", "take", "detail"),
    [
        (read_as(0.9), Take.LAST, "the log's last f1 is 0.91, rented read 0.9"),
        (read_as(0.9), Take.BEST, ""),
        (read_as(0.91000003), Take.LAST, ""),
        (read_as(0.9, printed=(0.9,), stand_ins=1), Take.LAST, "no line of the log gave f1"),
        (read_as(0.9, printed=(0.9,), stand_ins=1), Take.BEST, "no line of the log gave f1"),
    ],
    ids=["another", "last_for_best", "as_float32", "alone", "alone_for_best"],
)
def test_a_completed_trial_tells_of_a_value_that_is_not_the_logs(
    event: Observed, take: Take, detail: str
) -> None:
    settings = replace(FREE, objective=replace(FREE.objective, take=take))
    _, trials = run_events(Job(settings), *start(1), event)
    assert trials[1].status is TrialStatus.COMPLETED
    assert trials[1].value == event.matches[-1].value
    assert trials[1].detail.startswith(detail)
    assert bool(trials[1].detail) == bool(detail)


@pytest.mark.parametrize("last", [(0.9, 0.5), ()], ids=["with_the_last_lines", "after_them"])
def test_of_a_log_out_of_order_the_line_that_was_printed_last_counts(last: tuple[float, ...]) -> None:
    running = replace(observe(1, RunReport(RunState.RUNNING), 0.7, 0.9, 0.5), cursor="5")
    report = RunReport(RunState.SUCCEEDED, metrics={"f1": 0.9}, latest={"f1": 0.9})
    _, trials = run_events(Job(FREE), *start(1), running, replace(observe(1, report, *last), since="5"))
    assert (trials[1].status, trials[1].value, trials[1].detail) == (TrialStatus.COMPLETED, 0.9, "")


def test_how_many_runs_are_to_come() -> None:
    job = Job(replace(FREE, max_jobs=3))
    assert job.runs_to_come == 3
    job, _ = run_events(job, Proposed(1, {}, "random", "", 0.0))
    assert job.runs_to_come == 3
    job, _ = run_events(job, Launched(1, 1, HANDLE, 0.0))
    assert job.runs_to_come == 2
    lost, _ = run_events(job, observe(1, RunReport(RunState.LOST)))
    assert lost.runs_to_come == 3
    exhausted = replace(lost, exhausted=True)
    assert exhausted.runs_to_come == 1
    job, _ = run_events(lost, StopRequested(Reason.STOPPED, "stop", 1.0))
    assert job.runs_to_come == 0

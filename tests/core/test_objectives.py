"""Several objectives, and what is required of metrics: what becomes of trials and of their job."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from hpo.core.events import Event, Launched, Observed, Proposed
from hpo.core.job import Job, JobStatus, assemble, reopened
from hpo.core.repeats import Repeats, Score
from hpo.core.settings import Goal, Objective, Required, Settings, Take
from hpo.core.trial import JobHandle, Match, Reason, RunReport, RunState, Trial, TrialStatus
from tests.core.events import run_events

SEVERAL = Settings(
    "job",
    Objective("f1", Goal.MAXIMIZE),
    max_jobs=10,
    max_parallel_jobs=4,
    others=(Objective("latency", Goal.MINIMIZE), Objective("size", Goal.MINIMIZE, Take.BEST)),
)
REQUIRING = Settings(
    "job",
    Objective("f1", Goal.MAXIMIZE),
    max_jobs=10,
    max_parallel_jobs=4,
    require=(Required("latency < 50", ("latency",)), Required("f1 > 0.5", ("f1",))),
)


def started(number: int) -> list[Event]:
    handle = JobHandle("test", str(number))
    return [Proposed(number, {"x": number}, "test", "", 0.0), Launched(number, 1, handle, 0.0)]


def ended(number: int, *matches: tuple[str, float], state: RunState = RunState.SUCCEEDED) -> Observed:
    read = tuple(Match(*match) for match in matches)
    return Observed(number, 1, RunReport(state), read, "", "end", 5.0)


def outcome(settings: Settings, *matches: tuple[str, float]) -> Trial:
    return run_events(Job(settings), *started(1), ended(1, *matches))[1][1]


def ran(settings: Settings, results: Iterable[Mapping[str, float]]) -> tuple[Job, dict[int, Trial]]:
    """Run trials one after the other until the job ends; each has these values."""
    job, trials = Job(settings), dict[int, Trial]()
    for number, result in enumerate(results, 1):
        job, changed = run_events(job, *started(number), ended(number, *result.items()))
        trials |= changed
    return job, trials


def test_a_trial_has_a_value_of_each_objective_as_its_take_says() -> None:
    trial = outcome(
        SEVERAL, ("size", 3.0), ("f1", 0.9), ("latency", 7.0), ("size", 1.0), ("size", 2.0), ("latency", 9.0)
    )
    assert trial.status is TrialStatus.COMPLETED
    assert trial.values == (0.9, 9.0, 1.0)
    assert trial.is_result


def test_take_best_of_the_first_says_nothing_of_another() -> None:
    first = Objective("f1", Goal.MAXIMIZE, Take.BEST)
    settings = replace(SEVERAL, objective=first, others=(Objective("size", Goal.MINIMIZE, Take.BEST),))
    trial = outcome(settings, ("f1", 0.9), ("f1", 0.8), ("size", math.nan))
    assert (trial.status, trial.reason, trial.detail) == (
        TrialStatus.FAILED,
        Reason.NOT_FINITE,
        "size is nan",
    )
    assert trial.values == (0.9, None)


@pytest.mark.parametrize(
    ("matches", "reason", "detail"),
    [
        ([("f1", 0.9), ("size", 1.0)], Reason.NO_METRIC, "gave a value for latency"),
        ([("f1", 0.9)], Reason.NO_METRIC, "gave a value for latency and size"),
        ([("latency", 0.9), ("size", 1.0)], Reason.NO_METRIC, "gave a value for f1"),
        ([("f1", 0.9), ("latency", math.inf), ("size", 1.0)], Reason.NOT_FINITE, "latency is inf"),
    ],
)
def test_a_trial_without_one_of_its_objectives_fails_and_names_it(
    matches: list[tuple[str, float]], reason: Reason, detail: str
) -> None:
    trial = outcome(SEVERAL, *matches)
    assert (trial.status, trial.reason) == (TrialStatus.FAILED, reason)
    assert trial.detail.endswith(detail)


def repeated(settings: Settings, *runs: Mapping[str, float]) -> Trial:
    """Return a trial after repeats with these metrics."""
    settings = replace(settings, repeats=Repeats("seed", tuple(range(1, len(runs) + 1)), Score.MEDIAN))
    events: list[Event] = [Proposed(1, {"x": 1}, "test", "", 0.0)]
    for run, metrics in enumerate(runs, 1):
        read = tuple(Match(name, value) for name, value in metrics.items())
        events.append(Launched(1, run, JobHandle("test", str(run)), 0.0))
        events.append(Observed(1, run, RunReport(RunState.SUCCEEDED), read, "", "end", 5.0))
    return run_events(Job(settings), *events)[1][1]


def test_each_objective_is_the_score_of_its_values_in_the_repeats() -> None:
    latencies, sizes = (7.0, 90.0, 8.0), (1.0, 4.0, 2.0)
    runs = [
        {"f1": f1, "latency": latency, "size": size}
        for f1, latency, size in zip((0.5, 0.9, 0.6), latencies, sizes, strict=True)
    ]
    trial = repeated(SEVERAL, *runs)
    assert trial.status is TrialStatus.COMPLETED
    assert trial.values == (0.6, 8.0, 2.0)
    assert trial.repeat_values == (0.5, 0.9, 0.6)


def test_a_repeat_without_one_of_the_objectives_fails_the_trial() -> None:
    trial = repeated(SEVERAL, {"f1": 0.5, "latency": 7.0, "size": 1.0}, {"f1": 0.5, "size": 1.0})
    assert (trial.status, trial.reason) == (TrialStatus.FAILED, Reason.NO_METRIC)
    assert trial.detail.startswith("repeat 2 of 2: ")
    assert trial.values == (None, None, None)


@pytest.mark.parametrize(
    ("latencies", "violation"),
    [
        ([10.0, 45.0, 900.0], 0.0),
        ([10.0, 75.0, 75.0], 0.5),
        ([10.0, math.nan, 10.0], math.inf),
        ([10.0, None, 10.0], math.inf),
    ],
)
def test_a_requirement_is_judged_on_the_score_of_the_repeats(
    latencies: list[float | None], violation: float
) -> None:
    runs = [{"f1": 0.9} if each is None else {"f1": 0.9, "latency": each} for each in latencies]
    trial = repeated(REQUIRING, *runs)
    assert (trial.status, trial.violation) == (TrialStatus.COMPLETED, violation)
    assert trial.is_result is not bool(violation)


def test_another_run_begins_without_values() -> None:
    trial = reopened(outcome(SEVERAL, ("f1", 0.9), ("size", 1.0)))
    assert (trial.values, trial.violation) == ((None,), 0.0)


@pytest.mark.parametrize(
    ("matches", "violation"),
    [
        ([("f1", 0.9), ("latency", 40.0)], 0.0),
        ([("f1", 0.9), ("latency", 40.0), ("latency", 60.0)], 0.2),
        ([("f1", 0.4), ("latency", 60.0)], 0.4),
        ([("f1", 0.9)], math.inf),
        ([("f1", 0.9), ("latency", math.nan)], math.inf),
    ],
)
def test_a_completed_trial_keeps_how_far_it_misses_what_is_required(
    matches: list[tuple[str, float]], violation: float
) -> None:
    trial = outcome(REQUIRING, *matches)
    assert trial.status is TrialStatus.COMPLETED
    assert trial.violation == pytest.approx(violation)
    assert trial.is_result == (violation == 0.0)


def test_a_trial_that_fails_is_not_judged_by_what_is_required() -> None:
    assert outcome(REQUIRING, ("latency", 60.0)).violation == 0.0


def test_an_objective_is_required_with_the_value_that_its_take_says() -> None:
    settings = replace(REQUIRING, objective=Objective("f1", Goal.MAXIMIZE, Take.BEST))
    matches = [("latency", 1.0), ("f1", 0.9), ("f1", 0.1)]
    assert outcome(settings, *matches).is_result
    assert not outcome(REQUIRING, *matches).is_result


GOOD, SLOW = {"f1": 0.9, "latency": 10.0}, {"f1": 0.95, "latency": 60.0}


def test_what_misses_a_requirement_is_never_the_best() -> None:
    job, trials = ran(REQUIRING, [SLOW, GOOD, SLOW])
    assert job.tally.best == trials[2]
    assert assemble(REQUIRING, trials.values()).tally == job.tally


@pytest.mark.parametrize(
    ("rule", "results", "detail"),
    [
        ({"target": 0.92}, [SLOW, GOOD, {"f1": 0.93, "latency": 1.0}], "0.93 reached the target 0.92"),
        (
            {"not_improving_for": 2},
            [GOOD, SLOW, GOOD, SLOW, SLOW, GOOD],
            "no better value in the last 2 trials",
        ),
        (
            {"converged": True},
            [GOOD, *[SLOW] * 9, *[GOOD] * 10],
            "in the last 10 trials the best value gained",
        ),
    ],
)
def test_the_rules_that_end_a_job_count_results_alone(
    rule: dict[str, float], results: list[dict[str, float]], detail: str
) -> None:
    settings = replace(REQUIRING, max_jobs=99, **rule)  # type: ignore[arg-type]
    job, _ = ran(settings, results)
    assert job.status is JobStatus.COMPLETED
    assert job.ending is not None
    assert job.ending.detail.startswith(detail)
    assert ran(settings, results[:-1])[0].ending is None


def test_a_job_of_which_no_trial_meets_what_is_required_has_failed_and_says_so() -> None:
    job, _ = ran(replace(REQUIRING, max_jobs=3), [SLOW] * 3)
    assert job.status is JobStatus.FAILED
    assert job.ending is not None
    assert job.ending.detail == "all 3 trials have ended, and none that completed meets `require`"
    job, _ = ran(replace(REQUIRING, max_jobs=3), [SLOW, GOOD, SLOW])
    assert job.status is JobStatus.COMPLETED


def test_misses_are_no_failures() -> None:
    assert ran(replace(REQUIRING, max_failures=1), [SLOW] * 5)[0].ending is None

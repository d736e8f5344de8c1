"""How a trial's values were chosen, and why it ended as it did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

from hpo.core.trial import Run, Trial, TrialStatus
from hpo.core.verdict import Verdict
from hpo.report.best import best_of
from hpo.report.data import JobView, timestamp
from hpo.report.feasibility import ViolationData, feasible, values_data, violations_data
from hpo.report.front import front_members
from hpo.report.money import cost_of
from hpo.report.repeats import seconds
from hpo.search.stopping import Decision
from hpo.spec.space import Scalar


class EvidenceData(TypedDict):
    """What had become of the trials before this one when its values were chosen."""

    completed: int
    pruned: int
    failed: int
    cancelled: int
    pending: int


class ComparedData(TypedDict):
    """A trial's value in a comparison; null where it was no number."""

    trial: int
    value: float | None


class DecisionData(TypedDict):
    """A comparison at one step: `of` values, among which this trial's has a `rank`, 1 being the best.

    `threshold` is what the value had to reach; null where it had not to reach any, or there is none.
    """

    rule: str
    step: float | None
    value: float | None
    threshold: float | None
    rank: int | None
    of: int
    stopped: bool
    why: str
    against: list[ComparedData]


class RunData(TypedDict):
    """One launch; `waited_seconds` from when it could have been launched first until it ran.

    `repeat` is null where the trial is a single run, `value` until the run counts.
    """

    run: int
    repeat: int | None
    seed: int | None
    value: float | None
    state: str
    reason: str | None
    detail: str | None
    started: str | None
    ended: str | None
    seconds: float | None
    waited_seconds: float | None
    waiting: str | None
    launcher: str | None
    launcher_id: str | None
    machine: str | None
    start_seconds: float | None
    billable_seconds: float | None
    interruptions: int
    cost: float | None


class ParameterData(TypedDict):
    """A parameter's value, and that of the best trial."""

    value: Scalar
    best: Scalar


class BestTrialData(TypedDict):
    """The best trial so far; `origin` is the job that it belongs to, a parent's for a warm start."""

    origin: str
    trial: int
    value: float


class WhyData(TypedDict):
    """Everything that is known of why a trial is as it is; `best` is the best trial of its algorithm.

    `best`, of one objective, and `values` and `on_front`, of several, exclude each other.
    """

    job: str
    trial: int
    algorithm: str | None
    status: str
    reason: str | None
    detail: str | None
    value: float | None
    spread: float | None
    proposed_by: str
    proposed: str | None
    evidence: EvidenceData
    parameters: dict[str, ParameterData]
    best: BestTrialData | None
    decisions: list[DecisionData]
    attempts: int
    runs: list[RunData]
    seconds: float | None
    cost: float | None
    values: dict[str, float | None] | None
    on_front: bool | None
    feasible: bool | None
    violations: list[ViolationData]


def why_data(job: JobView, trial: Trial, decisions: Sequence[Decision]) -> WhyData:
    """Return why a trial is as it is; `decisions` are those of its strategy."""
    settings, best = job.record.settings, next(iter(best_of(job, algorithm=trial.algorithm)), None)
    decided = [decision_data(decision) for decision in decisions]
    if trial.verdict is not None and not any(decision["stopped"] for decision in decided):
        decided.append(decision_data(Decision(trial.verdict, stops=True, against=())))
    return WhyData(
        job=job.name,
        trial=trial.number,
        algorithm=trial.algorithm,
        status=trial.status.value,
        reason=trial.reason.value if trial.reason else None,
        detail=trial.detail or None,
        value=trial.value,
        spread=trial.spread,
        proposed_by=trial.proposed_by,
        proposed=timestamp(trial.created) if trial.created else None,
        evidence=_evidence(job.trials, trial),
        parameters={
            name: ParameterData(value=value, best=best["parameters"].get(name) if best is not None else None)
            for name, value in trial.params.items()
        },
        best=BestTrialData(origin=best["origin"], trial=best["trial"], value=best["value"]) if best else None,
        decisions=decided,
        attempts=trial.attempts,
        runs=[_run_data(job, trial, place) for place in range(len(trial.runs))],
        seconds=seconds(trial),
        cost=cost_of(trial),
        values=values_data(settings, trial) if settings.others else None,
        on_front=trial in front_members(job) if settings.others else None,
        feasible=feasible(settings, trial),
        violations=violations_data(settings, trial),
    )


def decision_data(decision: Decision) -> DecisionData:
    """Return a comparison as data."""
    verdict: Verdict = decision.verdict
    return DecisionData(
        rule=verdict.rule,
        step=verdict.step,
        value=verdict.value,
        threshold=verdict.threshold,
        rank=verdict.rank,
        of=verdict.compared,
        stopped=decision.stops,
        why=verdict.why,
        against=[
            ComparedData(trial=number, value=value if math.isfinite(value) else None)
            for number, value in decision.against
        ],
    )


def _evidence(trials: Sequence[Trial], chosen: Trial) -> EvidenceData:
    """Count what had become of the earlier trials by the time of the proposal."""
    evidence = EvidenceData(completed=0, pruned=0, failed=0, cancelled=0, pending=0)
    for trial in trials:
        if trial.number >= chosen.number:
            continue
        had_ended = trial.ended is not None and trial.ended <= chosen.created
        match trial.status if had_ended else None:
            case TrialStatus.COMPLETED:
                evidence["completed"] += 1
            case TrialStatus.PRUNED:
                evidence["pruned"] += 1
            case TrialStatus.FAILED:
                evidence["failed"] += 1
            case TrialStatus.CANCELLED:
                evidence["cancelled"] += 1
            case _:
                evidence["pending"] += 1
    return evidence


def _run_data(job: JobView, trial: Trial, place: int) -> RunData:
    repeats = job.record.settings.repeats
    run = trial.runs[place]
    usage = run.usage
    could = trial.created if place == 0 else trial.runs[place - 1].ended
    if could and run.started:  # while nobody runs the job nothing can be launched
        could = max([could, *(began for began in job.sessions if began <= run.started)])
    return RunData(
        run=run.number,
        repeat=run.repeat if repeats.seeds else None,
        seed=repeats.seed(run.repeat),
        value=run.value,
        state=run.state.value,
        reason=run.reason.value if run.reason else None,
        detail=run.detail or None,
        started=timestamp(run.started),
        ended=timestamp(run.ended),
        seconds=_span(run.started, run.ended),
        waited_seconds=_span(could or None, run.started),
        waiting=run.waiting or None,
        launcher=run.handle.launcher if run.handle else None,
        launcher_id=run.handle.id if run.handle else None,
        machine=usage.machine if usage else None,
        start_seconds=usage.start_seconds if usage else None,
        billable_seconds=usage.billable_seconds if usage else None,
        interruptions=usage.interruptions if usage else 0,
        cost=_cost(run),
    )


def _cost(run: Run) -> float | None:
    cost = run.usage.cost if run.usage is not None else None
    return round(cost, 4) if cost is not None else None


def _span(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else round(max(0.0, until - since), 3)

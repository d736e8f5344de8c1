"""What would run, and one run by itself, before a job is started."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from hpo.core.conclude import finite, values_of
from hpo.core.events import Observed
from hpo.core.feasibility import violations_of
from hpo.core.history import History
from hpo.core.plan import launch_of
from hpo.core.progress import advanced, stand_ins
from hpo.core.trial import RunReport, RunState, Trial
from hpo.metrics.scan import clean, compile_metrics, count_lines
from hpo.report.money import CURRENCY
from hpo.scheduler import rehearsal
from hpo.spec.requirement import Violation
from hpo.spec.strategies import Bayesian
from hpo.wiring.prepared import Prepared


def first_trials(prepared: Prepared, count: int) -> list[Trial]:
    """Return the first trials as the strategy proposes them while none has ended yet, or examples of them."""
    settings = prepared.settings(prepared.spec.name)
    strategy = prepared.strategy(prepared.spec.seed or 0)
    history = History(settings.objective)
    for number in range(1, count + 1):
        proposal = strategy.propose(history, number)
        if proposal is None:
            break
        algorithm = proposal.algorithm
        history.record(Trial(number, proposal.params, proposal.proposed_by, algorithm=algorithm))
    return list(history.trials.values())


def first_of_each(trials: Sequence[Trial]) -> list[Trial]:
    """Return the first trial of each algorithm, or the first one of a job without several."""
    first = {trial.algorithm: trial for trial in reversed(trials)}
    return sorted(first.values(), key=lambda trial: trial.number)


def are_examples(prepared: Prepared) -> bool:
    """Tell whether the job will draw a seed of its own, so that its values cannot be known before."""
    return prepared.spec.seed is None and prepared.spec.strategy.name != "grid"


def longest_seconds(prepared: Prepared) -> float | None:
    """Return how long the job can take at most; None where its limits do not say."""
    limits = prepared.spec.limits
    rounds = math.ceil(limits.max_jobs / limits.max_parallel_jobs) * prepared.repeats.count
    bounds = [
        limits.max_runtime,
        rounds * limits.max_job_runtime if limits.max_job_runtime is not None else None,
    ]
    return min((bound for bound in bounds if bound is not None), default=None)


WEIGHED = "the objectives made one, weighed otherwise for each trial"
"""What `bayesian` models where there are several."""


PER_SECOND = "improvement per second: of equally promising trials the shorter one"
"""What `bayesian` looks for with `improvement_per: second`."""


class ObjectiveData(TypedDict):
    """A metric to tune for, and which way it is better."""

    metric: str
    goal: str


class TunedForData(TypedDict):
    """What a job is tuned for; `model` is what `bayesian` looks for, null where that is one metric's best."""

    model: str | None
    objectives: list[ObjectiveData]
    require: list[str]


def tuned_for(prepared: Prepared) -> TunedForData:
    """Return what a job is tuned for, and what chooses then."""
    spec, objectives = prepared.spec, prepared.settings(prepared.spec.name).objectives
    strategy, words = spec.strategy, []
    if isinstance(strategy, Bayesian):
        words += [WEIGHED] * (len(objectives) > 1) + [PER_SECOND] * (strategy.improvement_per == "second")
    return TunedForData(
        model="; ".join(words) or None,
        objectives=[ObjectiveData(metric=each.metric, goal=each.goal.value) for each in objectives],
        require=list(spec.require),
    )


def needed_metrics(prepared: Prepared) -> set[str]:
    """Return the metrics without which a trial is no result: the objectives, and what `require` names."""
    settings = prepared.settings(prepared.spec.name)
    return {*settings.metrics, *(metric for each in settings.require for metric in each.metrics)}


class Estimate(TypedDict):
    """What a job can cost at the most, and what that is made of; money in `currency`.

    `per_trial` is what one trial can cost at the most, all of its repeats; `runs` are those of all trials.
    Lost runs that are launched again come on top of `worst`, but nothing on top of `max_cost`.
    """

    worst: float
    currency: str
    per_trial: float
    trials: int
    runs: int
    max_job_runtime: float | None
    max_cost: float | None


def estimate(prepared: Prepared) -> Estimate | None:
    """Return what the job can cost at the most; None where its launcher charges nothing, or knows no price.

    May ask for prices. Raises LauncherError.
    """
    worst = prepared.worst_cost if prepared.worst_cost is not None else prepared.ask_worst_cost()
    if worst is None:
        return None
    limits, count = prepared.spec.limits, prepared.repeats.count
    whole = limits.max_jobs * count * worst
    return Estimate(
        worst=round(whole if limits.max_cost is None else min(whole, limits.max_cost), 4),
        currency=CURRENCY,
        per_trial=round(count * worst, 4),
        trials=limits.max_jobs,
        runs=limits.max_jobs * count,
        max_job_runtime=limits.max_job_runtime,
        max_cost=limits.max_cost,
    )


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a try gave."""

    report: RunReport
    lines: int
    counts: Mapping[str, int]  # matches of each metric
    metrics: Mapping[str, float | None]  # the last value of each; None for NaN and infinity
    value: float | None  # of the objective, or the first one, where a trial like this would complete
    values: Mapping[str, float]  # of all objectives, by metric; empty where it would not
    violations: Sequence[Violation]  # of what is required, where it would
    is_judged: bool  # whether every metric was read without which it would be no result
    advice: str


async def rehearse(prepared: Prepared, folder: Path, show: Callable[[bytes], None]) -> Rehearsed:
    """Run one trial with default values in a folder of its own; its log goes to `show` as it grows.

    Of several algorithms `prepared` is one.
    """
    settings = prepared.settings(prepared.spec.name)
    scanner = compile_metrics(prepared.spec.metrics)
    log = bytearray()
    trial = Trial(1, prepared.default(), "default")
    launch = launch_of(settings, trial)

    def take(data: bytes) -> None:
        log.extend(data)
        show(data)

    report = await rehearsal.rehearse(prepared.launcher(settings.job, folder), launch, take)
    scan = scanner.scan(bytes(log))
    matches = (*scan.matches, *stand_ins(report, trial.run.progress, scan.matches))
    seen = Observed(1, 1, report, matches, since="", cursor="", at=0.0)
    progress, _ = advanced(settings, trial, seen)
    run = replace(trial.run, progress=progress)
    succeeded = report.state is RunState.SUCCEEDED
    found = dict(zip(settings.metrics, values_of(settings, run), strict=True))
    finite_values = {metric: value for metric, value in found.items() if value is not None}
    completes = succeeded and len(finite_values) == len(found)
    return Rehearsed(
        report=report,
        lines=count_lines(clean(bytes(log))),
        counts=progress.counts,
        metrics={name: finite(latest) for name, latest in progress.latest.items()},
        value=found[settings.objective.metric] if completes else None,
        values=finite_values if completes else {},
        violations=violations_of(settings, [run]) if completes else [],
        is_judged=needed_metrics(prepared) <= progress.counts.keys(),
        advice=report.detail if not succeeded else "" if completes else prepared.advise(bytes(log)),
    )

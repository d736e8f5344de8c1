"""The best of a job's trials, and of those that it began with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict, assert_never

from hpo.core.prior import Known, Priors, PriorTrial
from hpo.core.settings import Goal, Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.errors import UsageError
from hpo.report.money import cost_of
from hpo.report.repeats import RepeatData, repeats_of
from hpo.report.warm_start import ranked_prior
from hpo.spec.space import Scalar

if TYPE_CHECKING:
    from hpo.report.data import JobView


class BestData(TypedDict):
    """The best trial, or one of the best; `cost` is null where nothing is charged, or no price known.

    `spread` is the standard deviation of its repeats, where it has some; `algorithm` is whose parameters
    they are, null where the job has not several.
    """

    job: str
    metric: str
    goal: str
    trial: int
    algorithm: str | None
    value: float
    parameters: dict[str, Scalar]
    status: str
    origin: str
    cost: float | None
    spread: float | None
    standard_error: float | None
    repeats: list[RepeatData]


def ranked(trials: Iterable[Trial], goal: Goal) -> list[Trial]:
    """Return the completed trials that meet what is required, best first; of equal ones the first to end."""
    sign = goal.sign
    results = [trial for trial in trials if trial.is_result]
    return sorted(results, key=lambda trial: (sign * (trial.value or 0.0), trial.place or 0))


def refuse_several(name: str, settings: Settings) -> None:
    """Raise UsageError for a job with several objectives, which has no single best trial."""
    if settings.others:
        raise UsageError(
            f"{name} is tuned for {' and '.join(settings.metrics)}, and has no single best trial; "
            f"`hpo best {name}` shows its Pareto front"
        )


def best_trials(job: JobView, count: int = 1, *, algorithm: str | None = None) -> list[Known]:
    """Return the best trials, of one algorithm or of all, best first.

    An identical start's parents' are among them. Of several objectives there is no single best: `front_of`
    gives the trials that are.
    """
    if job.record.settings.others:
        return []
    goal = job.record.settings.objective.goal
    inherited = [
        trial
        for name, prior in job.priors.items()
        if algorithm in {None, name}
        for trial in ranked_prior(prior, goal)[:count]
    ]
    own = ranked((trial for trial in job.trials if algorithm in {None, trial.algorithm}), goal)[:count]
    known: list[Known] = [*inherited, *own]
    # Sorting keeps the order of equal ones: a parent's stays before the job's own.
    return sorted(known, key=lambda known: goal.sign * value_of(known))[:count]


def best_inherited(priors: Priors, settings: Settings) -> PriorTrial | None:
    """Return the best of the trials that count as results from the beginning; None where there is none."""
    if settings.others:
        return None
    goal = settings.objective.goal
    firsts = [trial for prior in priors.values() for trial in ranked_prior(prior, goal)[:1]]
    return min(firsts, key=lambda trial: goal.sign * trial.past.value, default=None)


def best_of(job: JobView, count: int = 1, *, algorithm: str | None = None) -> list[BestData]:
    """Return the best trials as `best_trials` does, as data."""
    return [best_data(job, known) for known in best_trials(job, count, algorithm=algorithm)]


def value_of(known: Known) -> float:
    """Return the value that was observed; NaN where there is none."""
    match known:
        case PriorTrial():
            return known.past.value
        case Trial():
            return known.value if known.value is not None else math.nan
        case _:
            assert_never(known)


def best_data(job: JobView, known: Known) -> BestData:
    """Return one of the best trials as data."""
    match known:
        case PriorTrial():
            return _inherited(job, known)
        case Trial():
            return _own(job, known)
        case _:
            assert_never(known)


def algorithm_of(job: JobView, trial: PriorTrial) -> str | None:
    """Return which of several algorithms began with a parent's trial; None where the job has not several."""
    return next(name for name, prior in job.priors.items() if any(each is trial for each in prior.trials))


def _inherited(job: JobView, trial: PriorTrial) -> BestData:
    objective = job.record.settings.objective
    return BestData(
        job=job.name,
        metric=objective.metric,
        goal=objective.goal.value,
        trial=trial.past.number,
        algorithm=algorithm_of(job, trial),
        value=value_of(trial),
        parameters=dict(trial.params or {}),
        status=TrialStatus.COMPLETED.value,
        origin=trial.past.job,
        cost=None,
        spread=None,
        standard_error=None,
        repeats=[],
    )


def _own(job: JobView, trial: Trial) -> BestData:
    objective = job.record.settings.objective
    return BestData(
        job=job.name,
        metric=objective.metric,
        goal=objective.goal.value,
        trial=trial.number,
        algorithm=trial.algorithm,
        value=value_of(trial),
        parameters=dict(trial.params),
        status=trial.status.value,
        origin=job.name,
        cost=cost_of(trial),
        spread=trial.spread,
        standard_error=trial.standard_error,
        repeats=repeats_of(job.record.settings, trial),
    )

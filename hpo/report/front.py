"""The Pareto front of a job with several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, assert_never

from hpo.core.prior import Known, PriorTrial
from hpo.core.settings import Goal, Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.report.best import algorithm_of
from hpo.report.money import cost_of
from hpo.report.pareto import hypervolume, pareto_front
from hpo.report.warm_start import ranked_prior
from hpo.spec.space import Scalar

if TYPE_CHECKING:
    from hpo.report.data import JobView

MOST_OBJECTIVES = 3
MOST_POINTS = 500
"""Of more objectives, or with more points on the front, the hypervolume takes too long to be shown."""


class FrontTrialData(TypedDict):
    """A trial than which no other one is better; `values` and `goals` by metric.

    `algorithm` is whose parameters it has, null where the job has not several.
    """

    job: str
    trial: int
    algorithm: str | None
    values: dict[str, float]
    goals: dict[str, str]
    parameters: dict[str, Scalar]
    status: str
    origin: str
    cost: float | None


class FrontData(TypedDict):
    """The front at a glance: its trials, the best by the first objective first, and what it covers.

    `trials` are the job's own, and `parents` tells how many are an identical start's parents'. `hypervolume`
    is what lies between the front and `reference`, the worst values of all results, in the product of the
    objectives' units; null where it would take long.
    """

    size: int
    trials: list[int]
    parents: int
    hypervolume: float | None
    reference: dict[str, float]


def front_trials(settings: Settings, trials: Sequence[Trial]) -> list[Trial]:
    """Return the results that no other one dominates, best by the first objective first, then by place."""
    results = sorted(_results(trials), key=lambda trial: trial.place or 0)
    goals = [objective.goal for objective in settings.objectives]
    return [results[index] for index in pareto_front([_values(trial) for trial in results], goals)]


def front_members(job: JobView, algorithm: str | None = None) -> list[Known]:
    """Return the front of a job with several objectives, or that of one of its algorithms by itself.

    An identical start's parents' trials may be on it, before the job's own that are as good. Empty for one
    objective, or without results.
    """
    settings = job.record.settings
    if not settings.others:
        return []
    known = _known(job, algorithm)
    goals = [objective.goal for objective in settings.objectives]
    return [known[index] for index in pareto_front([_values(each) for each in known], goals)]


def front_of(job: JobView, *, algorithm: str | None = None) -> list[FrontTrialData]:
    """Return the front of a job with several objectives, or of one of its algorithms, as data."""
    return [_front_trial(job, known) for known in front_members(job, algorithm)]


def _front_trial(job: JobView, known: Known) -> FrontTrialData:
    settings = job.record.settings
    match known:
        case Trial():
            number, origin, cost = known.number, job.name, cost_of(known)
            algorithm = known.algorithm
        case PriorTrial():
            number, origin, cost = known.past.number, known.past.job, None
            algorithm = algorithm_of(job, known)
        case _:
            assert_never(known)
    return FrontTrialData(
        job=job.name,
        trial=number,
        algorithm=algorithm,
        values=_by_metric(settings, _values(known)),
        goals={objective.metric: objective.goal.value for objective in settings.objectives},
        parameters=dict(known.params or {}),
        status=TrialStatus.COMPLETED.value,
        origin=origin,
        cost=cost,
    )


def best_values(job: JobView, algorithm: str | None = None) -> dict[str, float]:
    """Return the best value of each of several objectives, by metric; empty for one, or without results."""
    settings = job.record.settings
    known = _known(job, algorithm) if settings.others else []
    if not known:
        return {}
    columns = zip(settings.objectives, zip(*map(_values, known), strict=True), strict=True)
    return {
        objective.metric: max(values) if objective.goal is Goal.MAXIMIZE else min(values)
        for objective, values in columns
    }


def own_trials(trials: Sequence[Trial], algorithm: str | None) -> list[Trial]:
    """Return the trials of one algorithm; all of them for None."""
    return [trial for trial in trials if algorithm in {None, trial.algorithm}]


def front_data(job: JobView, *, algorithm: str | None = None) -> FrontData | None:
    """Return the front at a glance, or that of one algorithm; None for one objective, or without results.

    The reference is of all results, so that the algorithms' hypervolumes can be compared.
    """
    settings, front = job.record.settings, front_members(job, algorithm)
    if not front:
        return None
    goals = [objective.goal for objective in settings.objectives]
    columns = zip(goals, zip(*map(_values, _known(job)), strict=True), strict=True)
    reference = [min(values) if goal is Goal.MAXIMIZE else max(values) for goal, values in columns]
    is_cheap = len(goals) <= MOST_OBJECTIVES and len(front) <= MOST_POINTS
    own = [known.number for known in front if isinstance(known, Trial)]
    return FrontData(
        size=len(front),
        trials=own,
        parents=len(front) - len(own),
        hypervolume=hypervolume(list(map(_values, front)), goals, reference) if is_cheap else None,
        reference=_by_metric(settings, reference),
    )


def _known(job: JobView, algorithm: str | None = None) -> list[Known]:
    """Return the results of an identical start's parents, then the job's own in the order of their ends."""
    inherited = [
        trial
        for name, prior in job.priors.items()
        if algorithm in {None, name}
        for trial in ranked_prior(prior, job.record.settings.objective.goal)
    ]
    return [*inherited, *sorted(_results(own_trials(job.trials, algorithm)), key=lambda t: t.place or 0)]


def _results(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.is_result and None not in trial.values]


def _values(known: Known) -> list[float]:
    values = known.values if isinstance(known, Trial) else known.past.values
    return [value for value in values if value is not None]


def _by_metric(settings: Settings, values: Sequence[float]) -> dict[str, float]:
    metrics = [objective.metric for objective in settings.objectives]
    return dict(zip(metrics, values, strict=True))

"""The Pareto front of a job with several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from hpo.core.settings import Goal, Settings
from hpo.core.trial import Trial
from hpo.report.money import cost_of
from hpo.report.pareto import hypervolume, pareto_front
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

    `hypervolume` is what lies between the front and `reference`, the worst values of all results, in the
    product of the objectives' units; null where it would take long.
    """

    size: int
    trials: list[int]
    hypervolume: float | None
    reference: dict[str, float]


def front_trials(settings: Settings, trials: Sequence[Trial]) -> list[Trial]:
    """Return the results that no other one dominates, best by the first objective first, then by place."""
    results = sorted(_results(trials), key=lambda trial: trial.place or 0)
    goals = [objective.goal for objective in settings.objectives]
    return [results[index] for index in pareto_front([_values(trial) for trial in results], goals)]


def front_of(job: JobView, *, algorithm: str | None = None) -> list[FrontTrialData]:
    """Return the front of a job with several objectives, or that of one of its algorithms by itself.

    Empty for one objective, or without results.
    """
    settings = job.record.settings
    if not settings.others:
        return []
    return [
        FrontTrialData(
            job=job.name,
            trial=trial.number,
            algorithm=trial.algorithm,
            values=_by_metric(settings, _values(trial)),
            goals={objective.metric: objective.goal.value for objective in settings.objectives},
            parameters=dict(trial.params),
            status=trial.status.value,
            origin=job.name,
            cost=cost_of(trial),
        )
        for trial in front_trials(settings, own_trials(job.trials, algorithm))
    ]


def best_values(settings: Settings, trials: Sequence[Trial]) -> dict[str, float]:
    """Return the best value of each objective among the results, by metric; empty without results."""
    results = _results(trials)
    if not results:
        return {}
    columns = zip(settings.objectives, zip(*map(_values, results), strict=True), strict=True)
    return {
        objective.metric: max(values) if objective.goal is Goal.MAXIMIZE else min(values)
        for objective, values in columns
    }


def own_trials(trials: Sequence[Trial], algorithm: str | None) -> list[Trial]:
    """Return the trials of one algorithm; all of them for None."""
    return [trial for trial in trials if algorithm in {None, trial.algorithm}]


def front_data(
    settings: Settings, trials: Sequence[Trial], *, algorithm: str | None = None
) -> FrontData | None:
    """Return the front at a glance, or that of one algorithm; None for one objective, or without results.

    The reference is of all results, so that the algorithms' hypervolumes can be compared.
    """
    front = front_trials(settings, own_trials(trials, algorithm)) if settings.others else []
    if not front:
        return None
    goals = [objective.goal for objective in settings.objectives]
    columns = zip(goals, zip(*map(_values, _results(trials)), strict=True), strict=True)
    reference = [min(values) if goal is Goal.MAXIMIZE else max(values) for goal, values in columns]
    is_cheap = len(goals) <= MOST_OBJECTIVES and len(front) <= MOST_POINTS
    return FrontData(
        size=len(front),
        trials=[trial.number for trial in front],
        hypervolume=hypervolume(list(map(_values, front)), goals, reference) if is_cheap else None,
        reference=_by_metric(settings, reference),
    )


def _results(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.is_result and None not in trial.values]


def _values(trial: Trial) -> list[float]:
    return [value for value in trial.values if value is not None]


def _by_metric(settings: Settings, values: Sequence[float]) -> dict[str, float]:
    metrics = [objective.metric for objective in settings.objectives]
    return dict(zip(metrics, values, strict=True))

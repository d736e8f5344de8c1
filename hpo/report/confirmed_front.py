"""What trials of a Pareto front give with several seeds each, and which of them are on it by their means."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TypedDict, cast

from hpo.core.settings import Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.report.confirmation import runs_of
from hpo.report.data import JobView
from hpo.report.pareto import pareto_front
from hpo.spec.space import Scalar


class SeedValuesData(TypedDict):
    """One run: its seed, its trial in the follow-up job, and its values by metric; null without results."""

    seed: int
    trial: int
    status: str
    values: dict[str, float] | None


class RepeatedValuesData(TypedDict):
    """What one objective was at first, and with several seeds; null where no run completed."""

    value: float
    mean: float | None
    spread: float | None
    least: float | None
    greatest: float | None


class RepeatedFrontTrialData(TypedDict):
    """One of the front's trials with several seeds; `values` by metric.

    `on_front` tells whether no other one is better by the means; null where no run completed.
    """

    trial: int
    algorithm: str | None
    values: dict[str, RepeatedValuesData]
    parameters: dict[str, Scalar]
    n: int
    failed: int
    on_front: bool | None
    runs: list[SeedValuesData]


class ConfirmedFrontData(TypedDict):
    """The front's trials, the best mean of the first objective first; `goals` by metric."""

    job: str
    confirmed_by: str
    status: str
    goals: dict[str, str]
    seed_name: str
    trials: list[RepeatedFrontTrialData]
    seeds_matter: bool | None


def confirmed_front(
    job: JobView, follow_up: JobView, winners: Sequence[Trial], *, seed_name: str
) -> ConfirmedFrontData:
    """Return what a follow-up job has found of some trials of a job's front so far."""
    settings = job.record.settings
    repeated = [_repeated(settings, winner, follow_up.trials, seed_name) for winner in winners]
    known = [data for data in repeated if data["n"]]
    points = [[each["mean"] or 0.0 for each in data["values"].values()] for data in known]
    front = pareto_front(points, [objective.goal for objective in settings.objectives])
    for place, data in enumerate(known):
        data["on_front"] = place in front
    first, sign = settings.metrics[0], settings.objective.goal.sign
    repeated.sort(key=lambda data: (not data["n"], sign * (data["values"][first]["mean"] or 0.0)))
    spreads = [each["spread"] for data in known for each in data["values"].values()]
    varied = [spread != 0.0 for spread in spreads if spread is not None]
    return ConfirmedFrontData(
        job=job.name,
        confirmed_by=follow_up.name,
        status=follow_up.status,
        goals={objective.metric: objective.goal.value for objective in settings.objectives},
        seed_name=seed_name,
        trials=repeated,
        seeds_matter=any(varied) if varied else None,
    )


def _repeated(
    settings: Settings, winner: Trial, trials: Sequence[Trial], seed_name: str
) -> RepeatedFrontTrialData:
    runs = runs_of(winner, trials, seed_name)
    completed = [trial for trial in runs if trial.status is TrialStatus.COMPLETED]
    failed = sum(trial.status.is_final for trial in runs) - len(completed)
    columns = zip(*(_values(trial) for trial in completed), strict=True) if completed else ()
    values = list(columns) or [()] * len(settings.metrics)
    return RepeatedFrontTrialData(
        trial=winner.number,
        algorithm=winner.algorithm,
        values={
            metric: RepeatedValuesData(
                value=value,
                mean=fmean(of_metric) if of_metric else None,
                spread=stdev(of_metric) if len(of_metric) > 1 else None,
                least=min(of_metric, default=None),
                greatest=max(of_metric, default=None),
            )
            for metric, value, of_metric in zip(settings.metrics, _values(winner), values, strict=True)
        },
        parameters=dict(winner.params),
        n=len(completed),
        failed=failed,
        on_front=None,
        runs=[
            SeedValuesData(
                seed=cast("int", trial.params[seed_name]),
                trial=trial.number,
                status=trial.status.value,
                values=dict(zip(settings.metrics, _values(trial), strict=True))
                if trial in completed
                else None,
            )
            for trial in runs
        ],
    )


def _values(trial: Trial) -> list[float]:
    """Return the values of a trial that has completed."""
    return [cast("float", value) for value in trial.values]

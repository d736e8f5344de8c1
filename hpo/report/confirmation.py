"""What the best trials of a job give with several seeds each, and whether the first is really better."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TypedDict, cast

from hpo.core.trial import Trial, TrialStatus
from hpo.report.data import JobView
from hpo.report.welch import welch
from hpo.spec.space import Scalar, identity

SIGNIFICANT = 0.05
"""Below this p-value the first two count as told apart."""


class SeedData(TypedDict):
    """One run: its seed, its trial in the follow-up job, and its value; null where it did not complete."""

    seed: int
    trial: int
    status: str
    value: float | None


class RepeatedData(TypedDict):
    """One of the best trials with several seeds; `value` is what it gave at first.

    `mean`, `spread` (the standard deviation), `least` and `greatest` are of the `n` runs that completed.
    """

    trial: int
    algorithm: str | None
    value: float
    parameters: dict[str, Scalar]
    n: int
    failed: int
    mean: float | None
    spread: float | None
    least: float | None
    greatest: float | None
    runs: list[SeedData]


class ComparisonData(TypedDict):
    """The two trials with the best means, by Welch's t-test; null where that needs more values."""

    first: int
    second: int
    difference: float
    test: str
    p_value: float | None
    can_be_told_apart: bool | None


class ConfirmationData(TypedDict):
    """The best trials by their means, best first; those of which no run completed come last."""

    job: str
    confirmed_by: str
    status: str
    metric: str
    goal: str
    seed_name: str
    trials: list[RepeatedData]
    comparison: ComparisonData | None
    seeds_matter: bool | None


def confirmation(
    job: JobView, follow_up: JobView, winners: Sequence[Trial], *, seed_name: str
) -> ConfirmationData:
    """Return what a follow-up job has found of a job's best trials so far."""
    objective = job.record.settings.objective
    repeated = [_repeated(winner, follow_up.trials, seed_name) for winner in winners]
    sign = objective.goal.sign
    repeated.sort(key=lambda data: (data["mean"] is None, sign * (data["mean"] or 0.0)))
    varied = [data["spread"] != 0.0 for data in repeated if data["spread"] is not None]
    return ConfirmationData(
        job=job.name,
        confirmed_by=follow_up.name,
        status=follow_up.status,
        metric=objective.metric,
        goal=objective.goal.value,
        seed_name=seed_name,
        trials=repeated,
        comparison=_comparison(repeated),
        seeds_matter=any(varied) if varied else None,
    )


def runs_of(winner: Trial, trials: Sequence[Trial], seed_name: str) -> list[Trial]:
    """Return the trials of a follow-up job that run a trial of the job again."""
    wanted = identity(winner.params)
    runs = []
    for trial in trials:
        rest = {name: value for name, value in trial.params.items() if name != seed_name}
        is_of_it = trial.algorithm in {None, winner.algorithm}  # the only algorithm is not named there
        if is_of_it and identity(rest) == wanted:
            runs.append(trial)
    return runs


def _repeated(winner: Trial, trials: Sequence[Trial], seed_name: str) -> RepeatedData:
    runs, failed = [], 0
    for trial in runs_of(winner, trials, seed_name):
        completed = trial.status is TrialStatus.COMPLETED
        failed += trial.status.is_final and not completed
        runs.append(
            SeedData(
                seed=cast("int", trial.params[seed_name]),
                trial=trial.number,
                status=trial.status.value,
                value=trial.value if completed else None,
            )
        )
    values = values_of(runs)
    return RepeatedData(
        trial=winner.number,
        algorithm=winner.algorithm,
        value=cast("float", winner.value),
        parameters=dict(winner.params),
        n=len(values),
        failed=failed,
        mean=fmean(values) if values else None,
        spread=stdev(values) if len(values) > 1 else None,
        least=min(values, default=None),
        greatest=max(values, default=None),
        runs=runs,
    )


def values_of(runs: Sequence[SeedData]) -> list[float]:
    """Return the values of the runs that completed."""
    return [run["value"] for run in runs if run["value"] is not None]


def _comparison(repeated: Sequence[RepeatedData]) -> ComparisonData | None:
    if len(repeated) < 2 or repeated[1]["mean"] is None:
        return None
    first, second = repeated[:2]
    p = welch(values_of(first["runs"]), values_of(second["runs"]))
    return ComparisonData(
        first=first["trial"],
        second=second["trial"],
        difference=(first["mean"] or 0.0) - (second["mean"] or 0.0),
        test="Welch's t-test, two-sided",
        p_value=p,
        can_be_told_apart=None if p is None else p < SIGNIFICANT,
    )

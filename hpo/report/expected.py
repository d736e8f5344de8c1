"""The trial that the model expects to be better than the best observed, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from hpo.core.prior import Known
from hpo.report.best import best_data, best_trials
from hpo.spec.space import Scalar

if TYPE_CHECKING:
    from hpo.report.data import JobView
    from hpo.search.bayesian.expected import Expected


class ExpectedData(TypedDict):
    """A trial that is expected to be better than the best observed, with a `probability`.

    `value` is what the model expects of it, with a standard deviation, and `expected_of_best` what of the
    best observed; `observed` is what it gave, by which it is the best but `rank` - 1.
    """

    trial: int
    algorithm: str | None
    origin: str
    value: float
    standard_deviation: float
    observed: float
    rank: int
    expected_of_best: float
    probability: float
    parameters: dict[str, Scalar]


def expected_data(job: JobView, found: Expected, *, algorithm: str | None = None) -> ExpectedData:
    """Return the trial that is expected to be better, of one algorithm or of all, as data."""
    data = best_data(job, found.trial)
    count = len(job.trials) + sum(len(prior.trials) for prior in job.priors.values())
    known = best_trials(job, count, algorithm=algorithm)
    return ExpectedData(
        trial=data["trial"],
        algorithm=data["algorithm"],
        origin=data["origin"],
        value=found.value,
        standard_deviation=found.deviation,
        observed=data["value"],
        rank=_place(found.trial, known) + 1,
        expected_of_best=found.of_best,
        probability=found.probability,
        parameters=data["parameters"],
    )


def _place(trial: Known, known: list[Known]) -> int:
    return next(place for place, each in enumerate(known) if each is trial)

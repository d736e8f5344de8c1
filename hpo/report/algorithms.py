"""How each of a job's algorithms stands, where it has several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from hpo.core.prior import Known
from hpo.core.trial import Trial
from hpo.report.best import BestData, best_of
from hpo.report.counts import Counts, counts_of
from hpo.report.front import FrontData, front_data, front_members, own_trials

if TYPE_CHECKING:
    from hpo.report.data import JobView


class AlgorithmData(TypedDict):
    """One of several algorithms: how many trials it was given, what became of them, and its best one.

    Of several objectives it has a `front` of its own in the place of `best`, with the job's `reference`, and
    so many trials `on_front`, that of all algorithms.
    """

    name: str
    trials: int
    counts: Counts
    best: BestData | None
    front: FrontData | None
    on_front: int | None


def algorithms_data(job: JobView) -> list[AlgorithmData]:
    """Return how each algorithm stands, in the order of the spec; nothing for a job without several."""
    settings = job.record.settings
    front = front_members(job) if settings.algorithms and settings.others else None
    return [_algorithm_data(job, name, front) for name in settings.algorithms]


def _algorithm_data(job: JobView, name: str, front: Sequence[Known] | None) -> AlgorithmData:
    own, best = own_trials(job.trials, name), best_of(job, algorithm=name)
    return AlgorithmData(
        name=name,
        trials=len(own),
        counts=counts_of(own),
        best=best[0] if best else None,
        front=front_data(job, algorithm=name),
        on_front=None
        if front is None
        else sum(isinstance(known, Trial) and known.algorithm == name for known in front),
    )

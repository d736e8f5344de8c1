"""How each of a job's algorithms stands, where it has several."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from hpo.report.best import BestData, best_of
from hpo.report.counts import Counts, counts_of

if TYPE_CHECKING:
    from hpo.report.data import JobView


class AlgorithmData(TypedDict):
    """One of several algorithms: how many trials it was given, what became of them, and its best one."""

    name: str
    trials: int
    counts: Counts
    best: BestData | None


def algorithms_data(job: JobView) -> list[AlgorithmData]:
    """Return how each algorithm stands, in the order of the spec; nothing for a job without several."""
    return [_algorithm_data(job, name) for name in job.record.settings.algorithms]


def _algorithm_data(job: JobView, name: str) -> AlgorithmData:
    own = [trial for trial in job.trials if trial.algorithm == name]
    best = best_of(job, algorithm=name)
    return AlgorithmData(name=name, trials=len(own), counts=counts_of(own), best=best[0] if best else None)

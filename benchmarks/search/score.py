"""What runs are worth: regret as a share of random search's, and means with their standard errors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance

WORST = 3.0


@dataclass(frozen=True, slots=True)
class Key:
    """One run: whose, and of which job."""

    contender: str
    task: str
    workers: int
    trials: int
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """The curve of a job, as `simulated` returns it, and the CPU seconds of an ask."""

    curve: Sequence[float]
    cpu: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over tasks and seeds, with its standard error over the seeds, the tasks given."""

    mean: float
    error: float


class Scale:
    """The regret of random search on each task, by which the others' is divided."""

    def __init__(self, optima: Mapping[str, float], random: Mapping[str, Sequence[Run]]) -> None:
        """Take random search's runs for each task; they are as long as the longest job."""
        self._optima = optima
        longest = range(len(next(iter(random.values()))[0].curve))
        self._medians = {
            task: [median(run.curve[place] for run in runs) for place in longest]
            for task, runs in random.items()
        }

    def score(self, key: Key, run: Run) -> float:
        """Return 0 for the optimum, 1 for random search's median after as many trials, 3 at the most."""
        optimum = self._optima[key.task]
        regret = run.curve[key.trials - 1] - optimum
        return min(max(regret / (self._medians[key.task][key.trials - 1] - optimum), 0.0), WORST)

    def to_match(self, task: str, found: Sequence[Run], trials: int) -> float:
        """Return how many random trials have, in the median, what these runs have; infinity for too many."""
        reached = median(run.curve[trials - 1] for run in found)
        return next((n for n, value in enumerate(self._medians[task], 1) if value <= reached), math.inf)


def estimate(scores: Mapping[Key, float]) -> Estimate:
    """Return the mean of the tasks' means; NaN as error where a task has one seed."""
    by_task: dict[tuple[str, int], list[float]] = defaultdict(list)
    for key, score in scores.items():
        by_task[key.task, key.workers].append(score)
    groups = list(by_task.values())
    errors = [variance(group) / len(group) if len(group) > 1 else math.nan for group in groups]
    return Estimate(fmean(map(fmean, groups)), math.sqrt(sum(errors)) / len(groups))

"""A job with simulated workers, and the fronts that it has found on its way."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.objectives.contenders import Build
from benchmarks.objectives.tasks import Losses, Task, front_of
from benchmarks.search.contenders import Setting
from benchmarks.search.simulation import ended


def simulated(build: Build, setting: Setting[Task], looks: Sequence[int]) -> tuple[list[list[Losses]], float]:
    """Return fronts of a job, and the CPU seconds of its asks.

    There is one after each number of ended trials in `looks`, failed ones included: the losses without noise
    of the configurations whose observed losses none dominates.
    """
    task, spent = setting.task, 0.0
    observed: list[Losses] = []
    true: list[Losses] = []
    fronts: list[list[Losses]] = []
    trials = ended(lambda seed: build(setting, seed), setting, task.observe)
    for count, trial in enumerate(trials, 1):
        spent += trial.spent
        if trial.seen is not None:
            observed.append(trial.seen)
            true.append(task.losses(trial.values))
        if count in looks:
            fronts.append([true[place] for place in front_of(observed)])
    return fronts, spent

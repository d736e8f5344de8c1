"""A job with simulated workers: who is free asks at once, and tells when its trial's duration has passed."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.objectives.contenders import Build, Setting
from benchmarks.objectives.tasks import Losses, front_of
from benchmarks.search.simulation import SPREAD
from hpo.search.uniform import derived_seed
from hpo.spec.space import Values


def simulated(build: Build, setting: Setting, looks: Sequence[int]) -> tuple[list[list[Losses]], float]:
    """Return fronts of a job, and the CPU seconds of its asks.

    There is one after each number of ended trials in `looks`, failed ones included: the losses without noise
    of the configurations whose observed losses none dominates. Noise, failures, durations and the contender's
    seed depend on the setting alone, so that contenders can be compared in pairs.
    """
    task = setting.task
    noise, durations, own = (_seed(setting, purpose) for purpose in range(3))
    observing, lasting = np.random.default_rng(noise), np.random.default_rng(durations)
    contender = build(setting, own)
    running: list[tuple[float, int, Values]] = []
    observed: list[Losses] = []
    true: list[Losses] = []
    fronts: list[list[Losses]] = []
    asked, now, spent = 0, 0.0, 0.0
    for ended in range(1, setting.trials + 1):
        while asked < setting.trials and len(running) < setting.workers:
            began = time.process_time()
            number, values = contender.ask()
            spent += time.process_time() - began
            heapq.heappush(running, (now + lasting.lognormal(0.0, SPREAD), number, values))
            asked += 1
        now, number, values = heapq.heappop(running)
        losses = task.observe(values, observing)
        contender.tell(number, losses)
        if losses is not None:
            observed.append(losses)
            true.append(task.losses(values))
        if ended in looks:
            fronts.append([true[place] for place in front_of(observed)])
    return fronts, spent


def _seed(setting: Setting, purpose: int) -> int:
    return derived_seed(purpose, setting.seed, setting.workers, *setting.task.name.encode())

"""A job with simulated workers: who is free asks at once, and tells when its trial's duration has passed."""

from __future__ import annotations

import heapq
import math
import time

import numpy as np

from benchmarks.search.contenders import Build, Setting
from hpo.search.uniform import derived_seed
from hpo.spec.space import Values

SPREAD = 0.5
"""Standard deviation of the logarithm of a trial's duration."""


def simulated(build: Build, setting: Setting) -> tuple[list[float], float]:
    """Return the curve of a job, and the CPU seconds of its asks.

    The curve has after each trial that ended, failed ones included, the loss without noise of the
    configuration with the best observed value; infinity before there is one. Noise, failures, durations
    and the contender's seed depend on the setting alone, so that contenders can be compared in pairs.
    """
    task = setting.task
    noise, durations, own = (_seed(setting, purpose) for purpose in range(3))
    observing, lasting = np.random.default_rng(noise), np.random.default_rng(durations)
    contender = build(setting, own)
    running: list[tuple[float, int, Values]] = []
    asked, now, spent = 0, 0.0, 0.0
    best, loss = math.inf, math.inf
    curve: list[float] = []
    while len(curve) < setting.trials:
        while asked < setting.trials and len(running) < setting.workers:
            began = time.process_time()
            number, values = contender.ask()
            spent += time.process_time() - began
            heapq.heappush(running, (now + lasting.lognormal(0.0, SPREAD), number, values))
            asked += 1
        now, number, values = heapq.heappop(running)
        value = task.observe(values, observing)
        contender.tell(number, value)
        if value is not None and value < best:
            best, loss = value, task.loss(values)
        curve.append(loss)
    return curve, spent


def _seed(setting: Setting, purpose: int) -> int:
    return derived_seed(purpose, setting.seed, setting.workers, *setting.task.name.encode())

"""A job with simulated workers: who is free asks at once, and tells when its trial's duration has passed."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from benchmarks.search.contenders import AnyTask, Build, Contender, Setting
from benchmarks.search.tasks import Task
from hpo.search.uniform import derived_seed
from hpo.spec.space import Values

SPREAD = 0.5
"""Standard deviation of the logarithm of a trial's duration."""

Losses: TypeAlias = tuple[float, ...]

Observe: TypeAlias = Callable[[Values, np.random.Generator], Losses | None]
"""Runs a trial: what is seen of it, None where it fails."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial that ended: its values, what was seen of it, None where it failed; and CPU seconds of asks.

    `at` is when it ended, in seconds since the job began.
    """

    values: Values
    seen: Losses | None
    spent: float
    at: float


def as_long(values: Values) -> float:  # noqa: ARG001
    """Return what a trial takes in the median where that does not depend on the parameters."""
    return 1.0


def ended(
    build: Callable[[int], Contender],
    setting: Setting[AnyTask],
    observe: Observe,
    seconds: Callable[[Values], float] = as_long,
    spread: float = SPREAD,
) -> Iterator[Ended]:
    """Yield the trials of a job as they end; a trial takes `seconds` in the median.

    Noise, failures, durations and the contender's seed, which `build` gets, depend on the setting alone, so
    that contenders can be compared in pairs.
    """
    noise, durations, own = (_seed(setting, purpose) for purpose in range(3))
    observing, lasting = np.random.default_rng(noise), np.random.default_rng(durations)
    contender = build(own)
    running: list[tuple[float, int, float, Values]] = []
    asked, now = 0, 0.0
    for _ in range(setting.trials):
        spent = 0.0
        while asked < setting.trials and len(running) < setting.workers:
            began = time.process_time()
            number, values = contender.ask()
            spent += time.process_time() - began
            takes = seconds(values) * lasting.lognormal(0.0, spread)
            heapq.heappush(running, (now + takes, number, takes, values))
            asked += 1
        now, number, took, values = heapq.heappop(running)
        seen = observe(values, observing)
        contender.tell(number, *(seen or (None,)), seconds=took)
        yield Ended(values, seen, spent, now)


def simulated(build: Build, setting: Setting[Task]) -> tuple[list[float], float]:
    """Return the curve of a job, and the CPU seconds of its asks.

    The curve has after each trial that ended, failed ones included, the loss without noise of the
    configuration with the best observed value; infinity before there is one.
    """

    def observe(values: Values, random: np.random.Generator) -> Losses | None:
        value = setting.task.observe(values, random)
        return None if value is None else (value,)

    best, loss, spent = math.inf, math.inf, 0.0
    curve: list[float] = []
    for trial in ended(lambda seed: build(setting, seed), setting, observe):
        spent += trial.spent
        if trial.seen is not None and trial.seen[0] < best:
            best, loss = trial.seen[0], setting.task.loss(trial.values)
        curve.append(loss)
    return curve, spent


def _seed(setting: Setting[AnyTask], purpose: int) -> int:
    return derived_seed(purpose, setting.seed, setting.workers, *setting.task.name.encode())

"""How often another trial than the best observed is expected to be better, and whether it is.

Jobs on functions, once without noise and once with: `python -m benchmarks.search.expected`, some minutes.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from benchmarks.search.adapter import OBJECTIVE, AskAndTell
from benchmarks.search.synthetic import SYNTHETIC, cube, number
from benchmarks.search.tasks import Task
from hpo.core.trial import Trial
from hpo.search.bayesian.expected import beliefs, expected
from hpo.search.strategy import SearchContext
from hpo.search.uniform import derived_seed
from hpo.spec.space import Values

JOBS = (("bayesian", 24), ("random", 24))

NOISE = {
    "hartmann 6": 0.15,
    "branin, noise": 5.0,
    "ackley 5": 0.5,
    "network, noise": 0.03,
    "learners, conditional": 0.03,
    "memory, failing region": 0.1,
    "bowl": 0.05,
    "steps": 0.1,
    "ripples": 0.05,
}
"""Standard deviation of it on each task."""


def bowl(values: Values) -> float:
    return sum((number(values, name) - 0.3) ** 2 for name in values)


def steps(values: Values) -> float:
    return math.floor(8 * bowl(values)) / 8


def ripples(values: Values) -> float:
    return bowl(values) + 0.02 * math.sin(40 * number(values, "x0")) * math.sin(37 * number(values, "x1"))


OWN = (
    Task(name="bowl", space=cube(2, -1.0, 1.0), loss=bowl, optimum=0.0),
    Task(name="steps", space=cube(3, -1.0, 1.0), loss=steps, optimum=0.0),
    Task(name="ripples", space=cube(2, -1.0, 1.0), loss=ripples, optimum=-0.02),
)


def gain(task: Task, strategy: str, trials: int, *, noise: float, seed: int) -> float | None:
    """Return by how much the other trial is better than the best observed; None where there is none."""
    job = AskAndTell(task.space, seed=seed, trials=trials, strategy=strategy)
    random = np.random.default_rng(derived_seed(seed, *task.name.encode()))
    for _ in range(trials):
        asked, values = job.ask()
        job.tell(asked, task.loss(values) + noise * random.standard_normal())
    history = job.history
    best = min(history.trials.values(), key=lambda trial: trial.value or 0.0)
    held = beliefs(SearchContext(task.space, seed, OBJECTIVE, trials), history)
    found = None if held is None else expected([held], best, OBJECTIVE.goal)
    if found is None or not isinstance(found.trial, Trial):
        return None
    return task.loss(best.params) - task.loss(found.trial.params)


def told(seeds: int, *, is_noisy: bool) -> Iterator[str]:
    """Yield for each job what came of it."""
    for task in (*SYNTHETIC, *OWN):
        for strategy, trials in JOBS:
            for seed in range(seeds):
                found = gain(task, strategy, trials, noise=is_noisy * NOISE[task.name], seed=seed)
                if found is None:
                    yield "none"
                else:
                    yield "better" if found > 0.0 else "as good" if found == 0.0 else f"worse ({task.name})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    seeds = parser.parse_args().seeds
    for is_noisy in (False, True):
        counts = Counter(told(seeds, is_noisy=is_noisy))
        print(f"{'with' if is_noisy else 'without'} noise, {counts.total()} jobs: {dict(counts)}", flush=True)


if __name__ == "__main__":
    main()

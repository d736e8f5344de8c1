"""The results as a page in Markdown."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from statistics import fmean, median, stdev

from benchmarks.search.contenders import ABLATIONS, CONTENDERS, ENGINE, RANDOM, stand_in
from benchmarks.search.score import Key, Run, Scale, estimate
from benchmarks.search.tasks import Task

SAME = 0.01
"""Scores that are nearer count as neither worse nor better."""


class Table:
    """All runs with their scores, and the tables of them."""

    def __init__(self, tasks: Mapping[str, Task], runs: Mapping[Key, Run]) -> None:
        self._tasks = tasks
        self._runs = runs
        self._trials = sorted({key.trials for key in runs})
        self._workers = sorted({key.workers for key in runs})
        random = {
            task: [run for key, run in runs.items() if key.task == task and self._is_reference(key)]
            for task in tasks
        }
        self._scale = Scale({name: task.optimum for name, task in tasks.items()}, random)
        self._scores = {key: self._scale.score(key, run) for key, run in runs.items()}

    def quality(self, trials: int) -> str:
        """Return the mean scores of all contenders, and what they are worth in random trials."""
        heads = [
            "",
            *(f"{count} at a time" for count in self._workers),
            "random trials to match",
            "CPU ms an ask",
        ]
        rows = []
        for contender in CONTENDERS:
            means = []
            for workers in self._workers:
                each = estimate({key: self._scores[key] for key in self._keys(contender, trials, workers)})
                means.append(f"{each.mean:.2f} ± {each.error:.2f}")
            keys = self._keys(contender, trials)
            worth = median(self._to_match(contender, task, trials) for task in self._tasks)
            said = f"{worth:g}" if math.isfinite(worth) else f"more than {self._trials[-1]}"
            cpu = 1000 * fmean(self._runs[key].cpu for key in keys)
            rows.append([contender, *means, said, f"{cpu:.1f}"])
        return table(heads, rows)

    def by_task(self, trials: int) -> str:
        """Return the mean scores of all contenders on each task."""
        rows = [
            [task, *(f"{self._on(contender, task, trials):.2f}" for contender in CONTENDERS)]
            for task in self._tasks
        ]
        return table(["", *CONTENDERS], rows)

    def ablations(self) -> str:
        """Return how much each switched choice makes worse, in pairs with the engine in the same job."""
        rows = []
        for name, ablation in ABLATIONS.items():
            for workers in self._workers:
                pairs = self._pairs(name, workers)
                if len(pairs) > 1:
                    error = stdev(pairs) / math.sqrt(len(pairs))
                    worse, better = sum(pair > SAME for pair in pairs), sum(pair < -SAME for pair in pairs)
                    means = f"{fmean(pairs):+.3f} ± {error:.3f}"
                    counts = f"{worse} / {better} of {len(pairs)}"
                    rows.append([name, str(ablation.trials), str(workers), means, counts])
        return table(["", "trials", "at a time", "worse by", "worse / better"], rows)

    def _pairs(self, name: str, workers: int) -> Sequence[float]:
        """Return by how much an ablation's scores are above the engine's in the same jobs."""
        return [
            score - self._scores[Key(ENGINE, key.task, workers, key.trials, key.seed)]
            for key, score in self._scores.items()
            if key.contender == name and key.workers == workers
        ]

    def seeds(self, trials: int) -> int:
        """Return with how many seeds the engine ran."""
        return len({key.seed for key in self._keys(ENGINE, trials)})

    @property
    def ablated(self) -> int:
        """With how many seeds the ablations ran."""
        return len({key.seed for key in self._runs if key.contender in ABLATIONS})

    def _keys(self, contender: str, trials: int, workers: int | None = None) -> Sequence[Key]:
        """Return a contender's runs; those of random search are the same with any number of workers."""
        return [
            key
            for key in self._runs
            if key.contender == stand_in(contender, self._tasks[key.task])
            and key.trials == trials
            and (workers in {None, key.workers} or contender == RANDOM)
        ]

    def _on(self, contender: str, task: str, trials: int) -> float:
        return fmean(self._scores[key] for key in self._keys(contender, trials) if key.task == task)

    def _to_match(self, contender: str, task: str, trials: int) -> float:
        found = [self._runs[key] for key in self._keys(contender, trials) if key.task == task]
        return self._scale.to_match(task, found, trials)

    def _is_reference(self, key: Key) -> bool:
        return key.contender == RANDOM and key.trials == self._trials[-1]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def page(tasks: Mapping[str, Task], runs: Mapping[Key, Run], asks: str) -> str:
    """Return the page; `asks` is the table of what an ask takes."""
    found = Table(tasks, runs)
    short, long = sorted({key.trials for key in runs})
    packages = ("hpo", "optuna", "scikit-learn", "numpy", "scipy")
    return PAGE.format(
        count=len(tasks),
        short=short,
        long=long,
        short_seeds=found.seeds(short),
        long_seeds=found.seeds(long),
        quality_short=found.quality(short),
        quality_long=found.quality(long),
        tasks_short=found.by_task(short),
        tasks_long=found.by_task(long),
        ablations=found.ablations(),
        ablated=found.ablated,
        asks=asks,
        versions=", ".join(f"{name} {version(name)}" for name in packages),
        machine=f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )


PAGE = """\
# Search quality

Scores on {count} tasks: 0 is the optimum, 1 what random search has in the median after as many trials, 3 the
worst that counts. Means over the tasks, with their standard errors over the seeds, the tasks given.

## Jobs of {short} trials, {short_seeds} seeds

{quality_short}

## Jobs of {long} trials, {long_seeds} seeds

{quality_long}

"Random trials to match" is the median over the tasks of how many random trials are as good in the median.
TPE is Optuna's default, which is multivariate since version 5; in groups it differs from that on the
conditional task alone. CPU was measured beside other programs.

## Task by task, {short} trials

Means over the seeds and all numbers of trials at a time.

{tasks_short}

## Task by task, {long} trials

{tasks_long}

## The engine's choices

By how much a job's score is worse with one choice switched, over tasks and seeds, in pairs: the same job with
the same start points, noise, failures and durations. The standard error is over the pairs. Only tasks where
a choice can matter count: trials fail on two of them. {ablated} seeds.

{ablations}

## What an ask takes

{asks}

Measured by `python -m benchmarks.search.run --seeds {short_seeds} --long {long_seeds} --ablated {ablated}`
with {versions}, {machine}.
"""

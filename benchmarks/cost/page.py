"""The results as a page in Markdown."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from statistics import fmean, median

from benchmarks.cost.simulation import PER_SECOND, PER_TRIAL, RANDOM, Run
from benchmarks.objectives.page import Key, estimate
from benchmarks.search.page import table
from benchmarks.search.score import WORST

HALF, WHOLE = 0, 1


class Scores:
    """Regrets as shares of random search's median after the same time: 0 is the optimum, 3 the worst."""

    def __init__(self, runs: Mapping[Key, Run], time: int) -> None:
        regrets = {key: run.regrets[time] for key, run in runs.items()}
        random = {key: regret for key, regret in regrets.items() if key.contender == RANDOM}
        medians = {
            job: median(regret for key, regret in random.items() if _job(key) == job)
            for job in dict.fromkeys(map(_job, random))
        }
        self.all = {key: min(max(each / medians[_job(key)], 0.0), WORST) for key, each in regrets.items()}

    def gains(self) -> dict[Key, float]:
        """Return by how much each job's score per trial is above that per second."""
        pairs = {key: replace(key, contender=PER_TRIAL) for key in self.all if key.contender == PER_SECOND}
        return {key: self.all[other] - self.all[key] for key, other in pairs.items()}


def _job(key: Key) -> tuple[str, int]:
    return key.task, key.workers


def means(runs: Mapping[Key, Run]) -> str:
    """Return the mean scores, and what improvement per second gains, in pairs."""
    rows = []
    for words, time in (("half", HALF), ("whole", WHOLE)):
        scores = Scores(runs, time)
        for workers in sorted({key.workers for key in runs}):
            own = {key: score for key, score in scores.all.items() if key.workers == workers}
            found = [
                estimate({key: score for key, score in own.items() if key.contender == contender})[0]
                for contender in (PER_TRIAL, PER_SECOND)
            ]
            gain, error = estimate({key: each for key, each in scores.gains().items() if key in own})
            row = [words, str(workers), *(f"{mean:.2f}" for mean in found)]
            rows.append([*row, f"{gain:+.3f} ± {error:.3f}"])
        gain, error = estimate(scores.gains())
        rows.append([words, "all", "", "", f"{gain:+.3f} ± {error:.3f}"])
    return table(["time", "at a time", PER_TRIAL, PER_SECOND, "better by"], rows)


def by_task(tasks: Sequence[str], runs: Mapping[Key, Run]) -> str:
    """Return what each task gains with each number of trials at a time, and how many trials ended."""
    half, whole = Scores(runs, HALF).gains(), Scores(runs, WHOLE).gains()
    rows = []
    for task in tasks:
        for workers in sorted({key.workers for key in runs}):
            job = task, workers
            row = [task, str(workers)]
            for gains in (half, whole):
                gain, error = estimate({key: each for key, each in gains.items() if _job(key) == job})
                row.append(f"{gain:+.2f} ± {error:.2f}")
            for contender in (PER_TRIAL, PER_SECOND):
                own = [run for key, run in runs.items() if (key.contender, _job(key)) == (contender, job)]
                row.append(f"{fmean(run.trials for run in own):.0f}")
            rows.append(row)
    heads = ["", "at a time", "better by, half", "better by, whole", "trials per trial", "trials per second"]
    return table(heads, rows)


def page(tasks: Sequence[str], runs: Mapping[Key, Run]) -> str:
    packages = ("hpo", "scikit-learn", "numpy", "scipy")
    return PAGE.format(
        count=len(tasks),
        seeds=len({key.seed for key in runs if key.contender == PER_SECOND}),
        means=means(runs),
        by_task=by_task(tasks, runs),
        versions=", ".join(f"{name} {version(name)}" for name in packages),
        machine=f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )


PAGE = """\
# Improvement per second

Scores on {count} tasks at equal time: 0 is the optimum, 1 what random search has in the median after the same
time, 3 the worst that counts. "better by" is the score per trial less that per second, in pairs: the same job
with the same start points, noise and failures. Means over the tasks, with their standard errors over the
{seeds} seeds, the tasks given.

{means}

## Task by task

{by_task}

Measured by `python -m benchmarks.cost.run --seeds {seeds}`
with {versions}, {machine}.
"""

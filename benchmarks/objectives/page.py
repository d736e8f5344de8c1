"""The results as a page in Markdown."""

from __future__ import annotations

import math
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import fmean, variance

from benchmarks.search.page import table


@dataclass(frozen=True, slots=True)
class Key:
    """One run: whose, and of which job."""

    contender: str
    task: str
    workers: int
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """The share of the best front's hypervolume after each look, and the CPU seconds of an ask."""

    shares: Sequence[float]
    cpu: float


def estimate(runs: Mapping[Key, float]) -> tuple[float, float]:
    """Return the mean of the tasks' means, and its standard error over the seeds, the tasks given."""
    by_task: dict[tuple[str, int], list[float]] = defaultdict(list)
    for key, share in runs.items():
        by_task[key.task, key.workers].append(share)
    groups = list(by_task.values())
    errors = [variance(group) / len(group) if len(group) > 1 else math.nan for group in groups]
    return fmean(map(fmean, groups)), math.sqrt(sum(errors)) / len(groups)


def quality(looks: Sequence[int], runs: Mapping[Key, Run]) -> str:
    """Return the mean shares of all contenders."""
    workers = sorted({key.workers for key in runs})
    heads = ["", *(f"{n} trials, {w} at a time" for n in looks for w in workers), "CPU ms an ask"]
    rows = []
    for contender in dict.fromkeys(key.contender for key in runs):
        row = [contender]
        for place in range(len(looks)):
            for count in workers:
                whose = (contender, count)
                of = {k: r.shares[place] for k, r in runs.items() if (k.contender, k.workers) == whose}
                mean, error = estimate(of)
                row.append(f"{mean:.3f} ± {error:.3f}")
        cpu = fmean(run.cpu for key, run in runs.items() if key.contender == contender)
        rows.append([*row, f"{1000 * cpu:.1f}"])
    return table(heads, rows)


def by_task(tasks: Sequence[str], place: int, runs: Mapping[Key, Run]) -> str:
    """Return the mean shares on each task, after one of the looks."""
    contenders = list(dict.fromkeys(key.contender for key in runs))
    rows = []
    for task in tasks:
        means = [
            fmean(r.shares[place] for k, r in runs.items() if (k.contender, k.task) == (contender, task))
            for contender in contenders
        ]
        rows.append([task, *(f"{mean:.3f}" for mean in means)])
    return table(["", *contenders], rows)


def page(tasks: Sequence[str], looks: Sequence[int], runs: Mapping[Key, Run]) -> str:
    seeds = len({key.seed for key in runs})
    packages = ("hpo", "optuna", "scikit-learn", "numpy", "scipy")
    parts = "".join(
        f"\n## Task by task, {count} trials\n\nMeans over the seeds and both numbers of trials at a time.\n\n"
        f"{by_task(tasks, place, runs)}\n"
        for place, count in enumerate(looks)
    )
    return PAGE.format(
        count=len(tasks),
        seeds=seeds,
        quality=quality(looks, runs),
        parts=parts,
        versions=", ".join(f"{name} {version(name)}" for name in packages),
        machine=f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )


PAGE = """\
# Several objectives

Of the hypervolume that the best known front covers, the share that a job's front covers, on {count} tasks.
Means over the tasks, with their standard errors over the {seeds} seeds, the tasks given.

{quality}

CPU was measured beside other programs.
{parts}
Measured by `python -m benchmarks.objectives.run --seeds {seeds}`
with {versions}, {machine}.
"""

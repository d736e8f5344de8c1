"""What early stopping and Hyperband save, and what they miss, against training every trial to its end.

python -m benchmarks.early_stopping.run [--quick] [--write]
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.early_stopping.curves import EPOCHS, pool
from benchmarks.early_stopping.replay import Method, Outcome, Task, of_pool, replay, trained
from hpo.search.early_stopping import Median, Percentile
from hpo.spec.stopping import MIN_STEPS, MIN_TRIALS, PERCENTILE

HERE = Path(__file__).resolve().parent
PARALLEL = 4
LEAST_SHARE, LEAST_GAP = 0.5, 0.01
"""The goal: at most this share of the full job's epochs, for a best value that is at most so much less."""


def by_default(strategy: str) -> list[Method]:
    """Return both rules with the options that they have where none are given."""
    options = f"by default ({MIN_TRIALS} trials, {MIN_STEPS} steps)"
    percentile = f"percentile {PERCENTILE:g}, {options}"
    return [
        Method(f"median, {options}", strategy, rule=Median()),
        Method(percentile, strategy, rule=Percentile()),
    ]


RANDOM = [
    *by_default("random"),
    Method("median, 5 trials, 3 steps", "random", rule=Median(), min_trials=5, min_steps=3),
    Method("median, 10 trials, 5 steps", "random", rule=Median(), min_trials=10, min_steps=5),
    Method("percentile 50", "random", rule=Percentile(50.0)),
    Method("percentile 25", "random", rule=Percentile(25.0)),
    Method("hyperband, 1 to 27 steps", "hyperband", {"min_resource": 1, "max_resource": EPOCHS}),
]
BAYESIAN = by_default("bayesian")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One method beside the full job, with the same seed."""

    stopping: Outcome
    full: Outcome

    @property
    def share(self) -> float:
        """Return which part of the full job's epochs were trained."""
        return self.stopping.epochs / self.full.epochs

    @property
    def gap(self) -> float:
        """Return how much less the best value is, in relation to the full job's; below 0 where it is more."""
        return 1.0 - self.stopping.best / self.full.best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small pool and few seeds")
    parser.add_argument("--write", action="store_true", help="write results.md")
    given = parser.parse_args()
    size, seeds = (60, range(101, 104)) if given.quick else (300, range(101, 121))
    task = of_pool(pool(size, tell))
    tables = [
        table(f"Random search, {jobs} trials", "random", RANDOM, task, seeds=seeds, jobs=jobs)
        for jobs in ((40,) if given.quick else (40, 100))
    ]
    few = seeds[: len(seeds) // 2]
    tables.append(table("Bayesian search, 40 trials", "bayesian", BAYESIAN, trained(), seeds=few, jobs=40))
    text = page(tables, pool_size=size)
    print(text, end="")
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def table(
    title: str, strategy: str, methods: Sequence[Method], task: Task, *, seeds: Sequence[int], jobs: int
) -> str:
    """Return a section in Markdown: each method over all seeds, beside the full job."""
    whole = Method("full", strategy)
    full = {seed: replay(whole, task, seed=seed, max_jobs=jobs, parallel=PARALLEL) for seed in seeds}
    rows = []
    for method in methods:
        found = [
            Compared(
                stopping=replay(method, task, seed=seed, max_jobs=jobs, parallel=PARALLEL), full=full[seed]
            )
            for seed in seeds
        ]
        rows.append(row(method.name, found))
        tell(f"{title}: {rows[-1]}")
    best = median(outcome.best for outcome in full.values())
    header = "| | epochs, median (most) | stopped | best is less by, median (most) | within 1% | goal met |"
    return "\n".join(
        [
            f"## {title}",
            "",
            f"Over {len(seeds)} seeds; the full job's best accuracy is {best:.4f} in the median.",
            "",
            header,
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


def row(name: str, found: Sequence[Compared]) -> str:
    shares, gaps = [each.share for each in found], [each.gap for each in found]
    stopped = median(each.stopping.stopped for each in found)
    near = sum(gap <= LEAST_GAP for gap in gaps)
    met = sum(each.share <= LEAST_SHARE and each.gap <= LEAST_GAP for each in found)
    return (
        f"| {name} | {median(shares):.0%} ({max(shares):.0%}) | {stopped:g} | "
        f"{median(gaps):.2%} ({max(gaps):.2%}) | {near} of {len(found)} | {met} of {len(found)} |"
    )


def page(tables: Sequence[str], *, pool_size: int) -> str:
    """Return the results in Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("hpo", "optuna", "scikit-learn"))
    body = "\n\n".join(tables)
    return f"""\
# Early stopping against training every trial to its end

A multilayer perceptron on scikit-learn's digits, {EPOCHS} epochs of stochastic gradient descent; tuned are
learning rate, momentum, weight decay, width and batch size, {PARALLEL} trials at a time. The full job and
the one that stops early have the same seed; of random search they propose the same configurations, from a
pool of {pool_size} that was trained once. The goal: the full job's best accuracy to within {LEAST_GAP:.0%},
with at most {LEAST_SHARE:.0%} of its epochs.

{body}

Measured by `python -m benchmarks.early_stopping.run` with {versions},
Python {platform.python_version()}, {platform.system()} {platform.machine()}.
"""


if __name__ == "__main__":
    main()

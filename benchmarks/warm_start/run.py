"""Warm against cold starts on related tasks; prints a Markdown page, `--write` puts it into results.md."""

from __future__ import annotations

import argparse
import math
import platform
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median

from benchmarks.warm_start.arms import (
    best_so_far,
    inverted,
    parent_of,
    prior_of,
    reached,
    run,
    shuffled,
)
from benchmarks.warm_start.tasks import Task, families
from hpo.core.prior import NO_PRIOR, Parent, Prior, WarmStart

HERE = Path(__file__).resolve().parent
TRIALS, LONGEST = 30, 60
Curves = list[list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="seeds 1, 2, … up to this one (default 10)")
    parser.add_argument("--write", action="store_true", help="write results.md")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # a kernel machine that has not converged is a bad trial, and no news
    text = page(given.seeds)
    print(text, end="")
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def page(seeds: int) -> str:
    rows, misled = [], []
    for family in families():
        parents = [parent_of(run(family.parent, 1000 + seed, TRIALS)) for seed in range(1, seeds + 1)]
        for task in family.transfer:
            cold = curves(task, seeds, lambda _: NO_PRIOR)
            warm = curves(task, seeds, given(task, parents, WarmStart.TRANSFER))
            rows.append(row(f"{family.name}: {task.name}", "transfer", cold, warm))
            turned = [inverted(parent) for parent in parents]
            mixed = [shuffled(parent, seed) for seed, parent in enumerate(parents)]
            for name, wrong in {"inverted": turned, "shuffled": mixed}.items():
                led = curves(task, seeds, given(task, wrong, WarmStart.TRANSFER))
                misled.append(loss(f"{family.name}: {task.name}", name, cold, led))
        task = family.identical
        cold = curves(task, seeds, lambda _: NO_PRIOR)
        warm = curves(task, seeds, given(task, parents, WarmStart.IDENTICAL))
        warm = [
            [max(inherited(task, parent), value) for value in curve]
            for parent, curve in zip(parents, warm, strict=True)
        ]
        rows.append(row(f"{family.name}: digits, narrowed ranges", "identical", cold, warm))
        print(f"{family.name} done", file=sys.stderr, flush=True)
    return PAGE.format(
        rows="\n".join(rows),
        misled="\n".join(misled),
        seeds=seeds,
        versions=", ".join(f"{name} {version(name)}" for name in ("hpo", "optuna", "scikit-learn")),
        machine=f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )


def given(task: Task, parents: Sequence[Parent], kind: WarmStart) -> Callable[[int], Prior]:
    return lambda seed: prior_of(task, parents[seed - 1], kind)


def inherited(task: Task, parent: Parent) -> float:
    """Return the best value that an identical start begins with: it is one of the job's results.

    A parent may have none within the narrowed ranges.
    """
    prior = prior_of(task, parent, WarmStart.IDENTICAL)
    return max((trial.past.value for trial in prior.trials if trial.params is not None), default=-math.inf)


def curves(task: Task, seeds: int, prior: Callable[[int], Prior]) -> Curves:
    return [best_so_far(run(task, seed, LONGEST, prior(seed))) for seed in range(1, seeds + 1)]


def mean_at(found: Curves, trials: int) -> float:
    return fmean(curve[trials - 1] for curve in found)


def row(task: str, kind: str, cold: Curves, warm: Curves) -> str:
    """Return how many trials each seed's warm start took to the cold best of 30, and the means."""
    needed = [reached(curve, control[TRIALS - 1]) for curve, control in zip(warm, cold, strict=True)]
    control = [reached(curve, curve[TRIALS - 1]) for curve in cold]
    found = [mean_at(warm, number) for number in range(1, len(warm[0]) + 1)]
    by_means = reached(found, mean_at(cold, TRIALS))
    means = " | ".join(f"{mean_at(cold, n):.3f} / {mean_at(warm, n):.3f}" for n in (5, 10, 30))
    held = "yes" if median(needed) <= TRIALS / 2 else "**no**"
    said = f"{by_means}" if by_means <= len(found) else f"more than {len(found)}"
    return f"| {task} | {kind} | {median(control):g} | {median(needed):g} | {held} | {said} | {means} |"


def loss(task: str, name: str, cold: Curves, led: Curves) -> str:
    """Return to how many cold trials 30 misled ones are worth, by the means over the seeds."""
    means = [mean_at(cold, number) for number in range(1, LONGEST + 1)]
    worth = reached(means, mean_at(led, TRIALS))
    held = "yes" if worth >= 0.9 * TRIALS else "**no**"
    said = f"{worth}" if worth <= LONGEST else f"more than {LONGEST}"
    return f"| {task} | {name} | {mean_at(cold, TRIALS):.3f} | {mean_at(led, TRIALS):.3f} | {said} | {held} |"


PAGE = """\
# Warm against cold starts

A parent's job of 30 trials on digits, then a child's on related data: the other half of the digits, shifted
by up to a pixel, with noise; with the parent's ranges, and with others and one parameter more. The cold
control runs on the same ranges with the same seed. Means are over {seeds} seeds, each with its own parent.

## A parent that knows

Trials until the value that the cold job of the same seed has after 30, medians over the seeds. The claim is
half of 30 at the most. `cold` is when the cold job itself found that value. The parents' values are results
of an identical start: 1 says that there was a better one among them. `means` is after how many trials the
mean over the warm jobs is at the cold jobs' after 30.

| task | start | cold | warm | at most 15 | means | best after 5, cold / warm | after 10 | after 30 |
|---|---|---|---|---|---|---|---|---|
{rows}

## A parent that misleads

The same parents with their values inverted, and with their values given to others of their trials. To how
many cold trials are 30 of such a job worth? The claim is 27 at the least: a tenth is lost at the most.

| task | parent | best after 30, cold | misled | worth | at least 27 |
|---|---|---|---|---|---|
{misled}

Measured by `python -m benchmarks.warm_start.run --seeds {seeds}` with {versions},
{machine}.
"""

if __name__ == "__main__":
    main()

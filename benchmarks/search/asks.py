"""CPU time of an ask of hpo's Bayesian strategy, by how many trials have finished and how many run.

python -m benchmarks.search.asks
"""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.search.adapter import OBJECTIVE
from benchmarks.search.page import table
from hpo.core.history import History
from hpo.core.trial import Trial, TrialStatus
from hpo.search.registry import build
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Space

REPEATS = 8
"""Asks that the median is of: one for each number of companions, twice."""

GOALS = {100: 50, 1_000: 250, 10_000: 1_000}
"""Milliseconds at the most, after so many finished trials."""

RUNNING = (1, 32)
PARAMETERS = (4, 15)


def main() -> None:
    print(asks())


def asks() -> str:
    """Return the table in Markdown: milliseconds of CPU, medians."""
    columns = [(parameters, running) for parameters in PARAMETERS for running in RUNNING]
    heads = [
        "finished",
        "goal",
        *(f"{parameters} parameters, {running} running" for parameters, running in columns),
    ]
    rows = []
    for finished, goal in GOALS.items():
        took = [milliseconds(space_of(parameters), finished, running) for parameters, running in columns]
        said = [f"{each:.0f}" if each <= goal else f"**{each:.0f}**" for each in took]
        rows.append([f"{finished:,}", f"≤ {goal:,} ms", *said])
    return table(heads, rows)


def space_of(parameters: int) -> Space:
    """Return a space of all kinds of parameters: of four, two are continuous, and one is a category."""
    return Space(tuple(_parameter(place) for place in range(parameters)))


def _parameter(place: int) -> Parameter:
    name = f"p{place}"
    match place % 4:
        case 0:
            return Continuous(name, 1e-5, 1.0, Scaling.LOGARITHMIC)
        case 1:
            return Continuous(name, 0.0, 1.0)
        case 2:
            return Integer(name, 1, 64)
        case _:
            return Categorical(name, ("a", "b", "c"))


def milliseconds(space: Space, finished: int, running: int) -> float:
    """Return what an ask takes while others run: each follows on a result, as in a job that goes on."""
    strategy = build("bayesian", space=space, seed=0, objective=OBJECTIVE, max_jobs=finished + REPEATS)
    history, losses = History(OBJECTIVE), []
    random = np.random.default_rng(0)

    def start() -> None:
        unit = random.random(len(space))
        losses.append(float(((unit - 0.3) ** 2).sum() + 0.05 * random.standard_normal()))
        history.record(Trial(len(losses), space.from_unit(unit.tolist()), "random", TrialStatus.RUNNING))

    def end(number: int) -> None:
        trial = history.trials[number]
        history.record(replace(trial, status=TrialStatus.COMPLETED, value=losses[number - 1]))

    def ask() -> float:
        began = time.process_time()
        strategy.propose(history, len(losses) + 1)
        return time.process_time() - began

    for _ in range(finished + running):
        start()
    for number in range(1, finished + 1):
        end(number)
    took = []
    with threadpool_limits(limits=1):
        ask()  # reads all of the history, once
        for number in range(finished + 1, finished + REPEATS + 1):
            end(number)
            start()
            took.append(ask())
    return 1000 * median(took)


if __name__ == "__main__":
    main()

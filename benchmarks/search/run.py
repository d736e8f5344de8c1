"""How good the configurations are that a tuner finds in N trials, W at a time.

python -m benchmarks.search.run [--seeds N] [--processes N] [--keep FILE] [--write]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import optuna
from threadpoolctl import threadpool_limits

from benchmarks.search.asks import asks
from benchmarks.search.contenders import ABLATIONS, CONTENDERS, RANDOM, Setting, build_of, stand_in
from benchmarks.search.jobs import done, parser
from benchmarks.search.page import page
from benchmarks.search.score import Key, Run
from benchmarks.search.simulation import simulated
from benchmarks.search.tasks import Task, tasks

HERE = Path(__file__).resolve().parent
WORKERS = (1, 4, 8)
SHORT, LONG = 30, 100
ABLATED = (1, 8)
"""Workers in the ablations."""

REFERENCE = 100
"""Seeds of random search that its median is taken of."""

known = cache(tasks)


def main() -> None:
    given = parsed()
    everything = known()  # made here, before there are processes that need them
    planned = list(plan(everything, short=given.seeds, long=given.long, ablated=given.ablated))
    runs = done(planned, one, Run, keep=given.keep, processes=given.processes)
    text = page(everything, runs, asks=asks())
    print(text, end="")
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def parsed() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=10, help=f"of jobs with {SHORT} trials (default 10)")
    options.add_argument("--long", type=int, default=4, help=f"seeds of jobs with {LONG} trials (default 4)")
    options.add_argument("--ablated", type=int, default=4, help="seeds of the ablations (default 4)")
    return options.parse_args()


def plan(everything: Mapping[str, Task], *, short: int, long: int, ablated: int) -> Iterator[Key]:
    """Yield the runs, those of the first seeds first, so that a run that is cut short has some of all."""
    for seed in range(1, REFERENCE + 1):
        yield from (Key(RANDOM, task, 1, trials, seed) for task in everything for trials in (SHORT, LONG))
    for seed in range(1, max(short, long, ablated) + 1):
        for name, task in everything.items():
            for trials in [SHORT] * (seed <= short) + [LONG] * (seed <= long):
                for contender in CONTENDERS:
                    if contender != RANDOM and stand_in(contender, task) == contender:
                        yield from (Key(contender, name, workers, trials, seed) for workers in WORKERS)
            for contender, ablation in ABLATIONS.items():
                most = min(ablated, long if ablation.trials == LONG else short)
                for workers in ABLATED if seed <= most else ():
                    if ablation.matters(task, workers):
                        yield Key(contender, name, workers, ablation.trials, seed)


def one(key: Key) -> Run:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    setting = Setting(known()[key.task], key.workers, key.trials, key.seed)
    with threadpool_limits(limits=1):
        curve, spent = simulated(build_of(key.contender), setting)
    return Run(curve, spent / key.trials)


if __name__ == "__main__":
    main()

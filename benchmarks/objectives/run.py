"""How much of the best Pareto front a tuner covers in N trials, W at a time.

python -m benchmarks.objectives.run [--seeds N] [--processes N] [--keep FILE] [--only CONTENDER] [--write]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import optuna
from threadpoolctl import threadpool_limits

from benchmarks.objectives.contenders import CONTENDERS
from benchmarks.objectives.page import Key, Run, page
from benchmarks.objectives.simulation import simulated
from benchmarks.objectives.tasks import Yardstick, tasks
from benchmarks.search.contenders import Setting
from benchmarks.search.jobs import done, parser

HERE = Path(__file__).resolve().parent
WORKERS = (1, 4)
LOOKS = (30, 100)
"""Trials after which a job's front is looked at; a job has as many as the last one."""

known = cache(tasks)


def main() -> None:
    given = parsed()
    planned = list(plan(given.seeds, given.only or list(CONTENDERS)))
    yardsticks()  # made here, before there are processes that need them
    runs = done(planned, one, Run, keep=given.keep, processes=given.processes)
    text = page(list(known()), LOOKS, runs)
    print(text, end="")
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def parsed() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=10, help="of each job (default 10)")
    options.add_argument("--only", action="append", choices=list(CONTENDERS), help="a contender; repeatable")
    return options.parse_args()


@cache
def yardsticks() -> Mapping[str, Yardstick]:
    return {name: Yardstick.of(task) for name, task in known().items()}


def plan(seeds: int, contenders: Sequence[str]) -> Iterator[Key]:
    """Yield the runs, those of the first seeds first, so that a run that is cut short has some of all."""
    for seed in range(1, seeds + 1):
        for task in known():
            for contender in contenders:
                yield from (Key(contender, task, workers, seed) for workers in WORKERS)


def one(key: Key) -> Run:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    setting = Setting(known()[key.task], key.workers, LOOKS[-1], key.seed)
    with threadpool_limits(limits=1):
        fronts, spent = simulated(CONTENDERS[key.contender], setting, LOOKS)
    stick = yardsticks()[key.task]
    return Run([stick.share(front) for front in fronts], spent / setting.trials)


if __name__ == "__main__":
    main()

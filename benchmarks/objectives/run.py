"""How much of the best Pareto front a tuner covers in N trials, W at a time.

python -m benchmarks.objectives.run [--seeds N] [--processes N] [--keep FILE] [--only CONTENDER] [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

import optuna
from threadpoolctl import threadpool_limits

from benchmarks.objectives.contenders import CONTENDERS
from benchmarks.objectives.page import Key, Run, page
from benchmarks.objectives.simulation import simulated
from benchmarks.objectives.tasks import Yardstick, tasks
from benchmarks.search.contenders import Setting

HERE = Path(__file__).resolve().parent
WORKERS = (1, 4)
LOOKS = (30, 100)
"""Trials after which a job's front is looked at; a job has as many as the last one."""

known = cache(tasks)


def main() -> None:
    given = parsed()
    planned = list(plan(given.seeds, given.only or list(CONTENDERS)))
    runs = done(planned, given.keep, given.processes)
    text = page(list(known()), LOOKS, runs)
    print(text, end="")
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="of each job (default 10)")
    parser.add_argument("--processes", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--keep", type=Path, help="a file for runs; those that it has are not run again")
    parser.add_argument("--only", action="append", choices=list(CONTENDERS), help="a contender; repeatable")
    parser.add_argument("--write", action="store_true", help="write results.md")
    return parser.parse_args()


def plan(seeds: int, contenders: Sequence[str]) -> Iterator[Key]:
    """Yield the runs, those of the first seeds first, so that a run that is cut short has some of all."""
    for seed in range(1, seeds + 1):
        for task in known():
            for contender in contenders:
                yield from (Key(contender, task, workers, seed) for workers in WORKERS)


def done(planned: Sequence[Key], keep: Path | None, processes: int) -> dict[Key, Run]:
    """Return all runs, in the order of the plan; new ones are added to the file."""
    found = kept(keep) if keep is not None and keep.exists() else {}
    missing = [key for key in planned if key not in found]
    sticks = {name: Yardstick.of(task) for name, task in known().items()} if missing else {}
    with ProcessPoolExecutor(processes) as pool:
        ran = pool.map(one, missing, [sticks[key.task] for key in missing], chunksize=2)
        for count, (key, run) in enumerate(zip(missing, ran, strict=True), 1):
            found[key] = run
            if keep is not None:
                with keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([asdict(key), run.shares, run.cpu]) + "\n")
            if count % 40 == 0:
                print(f"{count} of {len(missing)} runs", file=sys.stderr, flush=True)
    return {key: found[key] for key in planned}


def kept(file: Path) -> dict[Key, Run]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {Key(**key): Run(shares, cpu) for key, shares, cpu in map(json.loads, lines)}


def one(key: Key, stick: Yardstick) -> Run:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    setting = Setting(known()[key.task], key.workers, LOOKS[-1], key.seed)
    with threadpool_limits(limits=1):
        fronts, spent = simulated(CONTENDERS[key.contender], setting, LOOKS)
    return Run([stick.share(front) for front in fronts], spent / setting.trials)


if __name__ == "__main__":
    main()

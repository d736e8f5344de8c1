"""What improvement per second is worth at equal time, where trials take long or short by their parameters.

python -m benchmarks.cost.run [--seeds N] [--processes N] [--keep FILE] [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.cost.page import page
from benchmarks.cost.simulation import PER_SECOND, PER_TRIAL, RANDOM, Run, simulated
from benchmarks.cost.tasks import timed
from benchmarks.objectives.page import Key

HERE = Path(__file__).resolve().parent
WORKERS = (1, 4)

REFERENCE = 40
"""Seeds of random search that its median is taken of."""

known = cache(timed)


def main() -> None:
    given = parsed()
    runs = done(list(plan(given.seeds)), given.keep, given.processes)
    text = page(list(known()), runs)
    print(text, end="")
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="of each job (default 10)")
    parser.add_argument("--processes", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--keep", type=Path, help="a file for runs; those that it has are not run again")
    parser.add_argument("--write", action="store_true", help="write results.md")
    return parser.parse_args()


def plan(seeds: int) -> Iterator[Key]:
    """Yield the runs, those of the first seeds first, so that a run that is cut short has some of all."""
    for seed in range(1, max(seeds, REFERENCE) + 1):
        contenders = [RANDOM] * (seed <= REFERENCE) + [PER_TRIAL, PER_SECOND] * (seed <= seeds)
        for task in known():
            yield from (Key(name, task, workers, seed) for name in contenders for workers in WORKERS)


def done(planned: Sequence[Key], keep: Path | None, processes: int) -> dict[Key, Run]:
    """Return all runs, in the order of the plan; new ones are added to the file."""
    found = kept(keep) if keep is not None and keep.exists() else {}
    missing = [key for key in planned if key not in found]
    with ProcessPoolExecutor(processes) as pool:
        for count, (key, run) in enumerate(zip(missing, pool.map(one, missing, chunksize=2), strict=True), 1):
            found[key] = run
            if keep is not None:
                with keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([asdict(key), asdict(run)]) + "\n")
            if count % 100 == 0:
                print(f"{count} of {len(missing)} runs", file=sys.stderr, flush=True)
    return {key: found[key] for key in planned}


def kept(file: Path) -> dict[Key, Run]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {Key(**key): Run(**run) for key, run in map(json.loads, lines)}


def one(key: Key) -> Run:
    with threadpool_limits(limits=1):
        return simulated(key.contender, known()[key.task], key.workers, key.seed)


if __name__ == "__main__":
    main()

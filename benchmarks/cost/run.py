"""What improvement per second is worth at equal time, where trials take long or short by their parameters.

python -m benchmarks.cost.run [--seeds N] [--processes N] [--keep FILE] [--write]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.cost.page import page
from benchmarks.cost.simulation import PER_SECOND, PER_TRIAL, RANDOM, Run, simulated
from benchmarks.cost.tasks import timed
from benchmarks.objectives.page import Key
from benchmarks.search.jobs import done, parser

HERE = Path(__file__).resolve().parent
WORKERS = (1, 4)

REFERENCE = 40
"""Seeds of random search that its median is taken of."""

known = cache(timed)


def main() -> None:
    given = parsed()
    runs = done(list(plan(given.seeds)), one, Run, keep=given.keep, processes=given.processes)
    text = page(list(known()), runs)
    print(text, end="")
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def parsed() -> argparse.Namespace:
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=10, help="of each job (default 10)")
    return options.parse_args()


def plan(seeds: int) -> Iterator[Key]:
    """Yield the runs, those of the first seeds first, so that a run that is cut short has some of all."""
    for seed in range(1, max(seeds, REFERENCE) + 1):
        contenders = [RANDOM] * (seed <= REFERENCE) + [PER_TRIAL, PER_SECOND] * (seed <= seeds)
        for task in known():
            yield from (Key(name, task, workers, seed) for name in contenders for workers in WORKERS)


def one(key: Key) -> Run:
    with threadpool_limits(limits=1):
        return simulated(key.contender, known()[key.task], key.workers, key.seed)


if __name__ == "__main__":
    main()

"""How soon a printed line is durable, and what a large log costs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from statistics import quantiles

from benchmarks.overhead.contenders import (
    FLOOR,
    HPO,
    JOB,
    JOURNAL,
    JOURNAL_LATENCIES,
    SQLITE,
    SQLITE_LATENCIES,
    Contender,
    Outcome,
    Running,
    Workload,
    contest,
    new_folder,
    ratio,
    run,
    running,
    typical,
)
from benchmarks.overhead.programs import printer, talker
from benchmarks.overhead.table import Row, Size, at_most

PARALLEL = 4
EVERY = 0.02
"""Seconds between two lines of one trial."""

LOG_LINE = "epoch 3, batch {:5}: samples/s 1532.25, memory 1024 MiB, eta 00:12:31\n"

LOOK_EVERY = 0.0005
"""Seconds between two looks at hpo's database, which sees only what is committed and synced."""


def line(size: Size, others: Sequence[Contender]) -> Row:  # noqa: ARG001 -- as the other rows
    """Measure the time from a line's print until its value survives a crash."""
    load = Workload(printer(size.lines, EVERY), PARALLEL, PARALLEL)
    found: dict[str, list[float]] = {contender.name: [] for contender in (JOURNAL, SQLITE, HPO)}
    for _ in range(max(1, size.rounds // 2)):
        for contender in (JOURNAL_LATENCIES, SQLITE_LATENCIES):
            found[contender.name] += run(contender, load).latencies
        with running(HPO, load) as started:
            found[HPO.name] += _followed(started, PARALLEL * size.lines)
            started.wait()
    spread = {name: quantiles((1000 * x for x in latencies), n=100) for name, latencies in found.items()}
    return Row(
        f"A line every {1000 * EVERY:.0f} ms from each of {PARALLEL} trials, until it is durable",
        [
            at_most("a line printed → durable, p50", spread[HPO.name][49], 5, "ms", digits=1),
            at_most("a line printed → durable, p95", spread[HPO.name][94], 10, "ms", digits=1),
        ],
        ["p50 ms", "p95 ms", "p99 ms"],
        {name: [f"{values[place]:.1f}" for place in (49, 94, 98)] for name, values in spread.items()},
        f"hpo's database is looked at every {1000 * LOOK_EVERY:g} ms, which its figures include; "
        "of the loops it is the return of `trial.report`.",
    )


def _followed(started: Running, count: int) -> list[float]:
    """Return, for every point of a running job, the seconds from its print to its commit."""
    file = started.folder / "state" / "jobs" / JOB / "job.db"
    while not file.exists() and started.process.poll() is None:
        time.sleep(LOOK_EVERY)
    latencies: list[float] = []
    last = 0
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        while len(latencies) < count and started.process.poll() is None:
            rows = database.execute("select id, value from point where id > ?", (last,)).fetchall()
            now = time.time()
            latencies += [now - printed for _, printed in rows]
            last = rows[-1][0] if rows else last
            time.sleep(LOOK_EVERY)
    return latencies


def log(size: Size, others: Sequence[Contender]) -> Row:  # noqa: ARG001 -- as the other rows
    """Measure one trial that prints a large log."""
    text = new_folder(in_memory=True) / "text"
    some = "".join(LOG_LINE.format(number) for number in range(10_000))
    text.write_text(some * (size.megabytes * 10**6 // len(some)), encoding="ascii")
    outcomes = contest(
        [FLOOR, JOURNAL, SQLITE, HPO], Workload(talker(text), 1, 1, in_memory=True), rounds=size.rounds
    )

    def until_done(outcome: Outcome) -> float:
        return outcome.ended - outcome.marks.starts[0]

    against_floor = ratio(outcomes, until_done, of=HPO.name, to=FLOOR.name)
    return Row(
        f"{size.megabytes} MB of log from one trial",
        [at_most(f"{size.megabytes} MB of log, against the floor", against_floor, 2, "times", digits=2)],
        ["ms", "of the floor's"],
        {
            name: [
                f"{1000 * typical(runs, until_done):.0f}",
                f"{ratio(outcomes, until_done, of=name, to=FLOOR.name):.2f}",
            ]
            for name, runs in outcomes.items()
        },
        "From the program's start until the contender says that all is done; all files are in memory, "
        "as many a disk is slower than all of them.",
    )

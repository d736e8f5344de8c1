"""The memory held while many trials run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.overhead.contenders import FLOOR, HPO, JOURNAL, Contender, Running, Workload, running
from benchmarks.overhead.programs import sleeper
from benchmarks.overhead.table import Row, Size, at_most

PARALLEL = 32
SETTLE = 1.0
"""Seconds after the last program's start at which memory is looked at."""


def memory(size: Size, others: Sequence[Contender]) -> Row:  # noqa: ARG001 -- as the other rows
    """Measure the proportional set size of the tuner and of what it keeps beside the programs."""
    held: dict[str, tuple[float, float]] = {}
    load = Workload(sleeper(4), PARALLEL, PARALLEL)
    for contender in (FLOOR, JOURNAL, HPO):
        seen = [_held(contender, load) for _ in range(max(1, size.rounds // 2))]
        held[contender.name] = (median(tuner for tuner, _ in seen), median(beside for _, beside in seen))
    tuner, beside = held[HPO.name]
    return Row(
        f"Memory at {PARALLEL} parallel",
        [
            at_most(f"memory at {PARALLEL} parallel, the tuner", tuner, 60, "MB"),
            at_most("the same with its guard", tuner + beside, 60, "MB"),
        ],
        ["the tuner, MB", "beside it, MB"],
        {name: [f"{tuner:.0f}", f"{beside:.1f}"] for name, (tuner, beside) in held.items()},
        "Proportional set size; the programs themselves are not counted.",
    )


def _held(contender: Contender, load: Workload) -> tuple[float, float]:
    """Return the megabytes of a contender's own process, and of its other processes that are no programs."""
    with running(contender, load) as started:
        while len(started.marks.starts) < load.parallel and started.process.poll() is None:
            time.sleep(0.05)
        time.sleep(SETTLE)
        held = _megabytes(started.process.pid), sum(map(_megabytes, _beside(started)))
        started.wait()
    return held


def _beside(started: Running) -> Iterator[int]:
    """Yield the other processes with the run's environment that run Python: the programs do not."""
    mark = f"MARKS={started.folder}/marks".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            is_python = "python" in (entry / "exe").readlink().name
            if is_python and pid != started.process.pid and mark in (entry / "environ").read_bytes():
                yield pid
        except OSError:  # it has ended
            continue


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))

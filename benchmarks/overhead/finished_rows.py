"""What finished trials cost: on resuming, in quick commands, and for each further trial."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import median

import optuna

from benchmarks.overhead import finished, optuna_loop
from benchmarks.overhead.contenders import (
    HERE,
    HPO,
    JOB,
    JOURNAL,
    Contender,
    Outcome,
    Workload,
    contest,
    new_folder,
    ratio,
    spec_of,
    typical,
)
from benchmarks.overhead.event_cost import ms_a_trial
from benchmarks.overhead.programs import TINY
from benchmarks.overhead.table import Finding, Row, Size, at_most

PARALLEL = 4
COMMANDS = (["status", JOB], ["best", JOB], ["--help"])
FEW = 100
"""Finished trials that the cost of an event is compared with."""


def resume(size: Size, others: Sequence[Contender]) -> Row:  # noqa: ARG001 -- as the other rows
    """Measure how long a job with many finished trials takes to launch the next."""
    begun = new_folder()
    _make_job(begun, size.finished)
    _make_study(begun, size.finished)
    load = Workload(TINY, PARALLEL, PARALLEL, begun=begun, finished=size.finished)
    many = contest([JOURNAL, HPO], load, rounds=size.rounds)
    none = contest([JOURNAL, HPO], Workload(TINY, PARALLEL, PARALLEL), rounds=size.rounds)

    def until_next(outcome: Outcome) -> float:
        return outcome.marks.starts[0] - outcome.began

    seconds, anew = (typical(runs[HPO.name], until_next) for runs in (many, none))
    return Row(
        f"Resuming with {size.finished:,} finished trials",
        [
            at_most(f"resume at {size.finished:,} trials, to the next launch", seconds, 0.3, "s", digits=2),
            at_most("the same beyond the start of a new job", seconds - anew, 0.3, "s", digits=2),
        ],
        ["from the command to the next launch, s", "a new job, s", "of the journal's"],
        {
            name: [
                f"{typical(many[name], until_next):.2f}",
                f"{typical(none[name], until_next):.2f}",
                f"{ratio(many, until_next, of=name, to=JOURNAL.name):.2f}",
            ]
            for name in many
        },
        f"Of hpo each trial has {finished.STEPS} points, of Optuna's journal none.",
    )


def _make_job(folder: Path, count: int) -> None:
    """Make hpo's job in a folder, in a process of its own: it goes by $HPO_HOME."""
    spec = folder / "spec.yaml"
    spec.write_text(spec_of(Workload(TINY, count, PARALLEL), ["sh", "program"]), encoding="utf-8")
    (folder / "program").write_text(TINY.text, encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.overhead.finished", str(spec), str(count)]
    environment = {**os.environ, "HPO_HOME": str(folder / "state")}
    subprocess.run(command, env=environment, check=True, cwd=HERE.parents[1])


def _make_study(folder: Path, count: int) -> None:
    """Make Optuna's journal in a folder."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna_loop.storage_in(folder, "journal")
    study = optuna.create_study(study_name=optuna_loop.STUDY, storage=storage)
    x = optuna.distributions.FloatDistribution(0, 1)
    for number in range(count):
        study.add_trial(
            optuna.trial.create_trial(params={"x": number / count}, distributions={"x": x}, value=1.0)
        )


def commands(size: Size, others: Sequence[Contender]) -> Row:  # noqa: ARG001 -- as the other rows
    """Measure what looks at a job."""
    trials = 1000
    folder = new_folder()
    _make_job(folder, trials)
    took = {" ".join(["hpo", *command]): _seconds(command, folder, size.calls) for command in COMMANDS}
    bare = median(_took([sys.executable, "-c", "pass"], {}) for _ in range(size.calls))
    return Row(
        f"Quick commands, on a job of {trials:,} trials",
        [at_most(f"`{command}`", 1000 * median(seconds), 150, "ms") for command, seconds in took.items()],
        ["ms, median", "fastest"],
        {
            "bare Python": [f"{1000 * bare:.0f}", ""],
            **{
                command: [f"{1000 * median(seconds):.0f}", f"{1000 * min(seconds):.0f}"]
                for command, seconds in took.items()
            },
        },
    )


def _seconds(command: Sequence[str], folder: Path, calls: int) -> list[float]:
    environment = {"HPO_HOME": str(folder / "state")}
    return [_took([sys.executable, "-m", "hpo", *command], environment) for _ in range(calls)]


def _took(command: Sequence[str], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def event(size: Size, others: Sequence[Contender]) -> Row:  # noqa: ARG001 -- as the other rows
    """Measure what a further trial costs after few and after many finished ones."""
    counts: Collection[int] = (FEW, size.many)
    costs: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(size.rounds):
        for count in counts:
            costs[count].append(asyncio.run(ms_a_trial(new_folder(), finished_trials=count)))
    growth = median(many / few for few, many in zip(costs[FEW], costs[size.many], strict=True))
    return Row(
        "What a further trial costs",
        [
            Finding(
                f"cost of an event at {size.many:,} finished trials, of that at {FEW}",
                "the same (≤ 1.1 times)",
                f"{growth:.2f} times",
                growth <= 1.1,
            )
        ],
        ["CPU ms a trial"],
        {f"after {count:,}": [f"{median(values):.2f}"] for count, values in costs.items()},
        "In one process, with a launcher whose trials end at once.",
    )

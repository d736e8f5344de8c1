"""Who runs the trials: the floor, loops around Optuna, Syne Tune, and hpo's own command."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks.overhead.programs import METRIC, Marks, Program

HERE = Path(__file__).parent

_SPEC = """\
name: {name}
strategy: random
seed: 1
objective: {{metric: loss, goal: minimize}}
metrics: {{loss: '{metric}'}}
parameters: {{x: {{type: continuous, min: 0, max: 1}}}}
limits: {{max_jobs: {trials}, max_parallel_jobs: {parallel}}}
launcher: {{command: {command}}}
"""

JOB = "overhead"
MEMORY = "/dev/shm"  # noqa: S108 -- a folder of our own is made in it  # noqa: S108 -- mkdtemp makes the folder


@dataclass(frozen=True, slots=True)
class Workload:
    """Trials of one program."""

    program: Program
    trials: int
    parallel: int
    begun: Path | None = None  # a folder with a job that is gone on with
    finished: int = 0  # trials of that job
    in_memory: bool = False  # all files lie in memory where the system can do that


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run gave; times in seconds since the epoch."""

    began: float  # when the command was executed
    marks: Marks
    ended: float  # when the contender said that it was done
    latencies: tuple[float, ...]  # seconds from a line's print until it was durable, where asked for
    cpu: float | None  # seconds of all processes, programs included


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to run trials: the command for a workload whose program is in place."""

    name: str
    command: Callable[[Workload, list[str], Path], list[str]]


def floor_command(load: Workload, program: list[str], folder: Path) -> list[str]:
    """Return the command of the bare loop."""
    loop = str(HERE / "floor.py")
    return [sys.executable, "-I", "-S", loop, str(load.trials), str(load.parallel), str(folder), *program]


def _optuna(kind: str, *options: str) -> Callable[[Workload, list[str], Path], list[str]]:
    def command(load: Workload, program: list[str], folder: Path) -> list[str]:
        sizes = [str(load.trials), str(load.parallel)]
        loop = str(HERE / "optuna_loop.py")
        return [sys.executable, loop, *options, kind, *sizes, METRIC, str(folder), *program]

    return command


def spec_of(load: Workload, program: list[str]) -> str:
    """Return the spec of a workload."""
    sizes = {"trials": load.trials, "parallel": load.parallel}
    return _SPEC.format(name=JOB, metric=METRIC, command=json.dumps(program), **sizes)


def _hpo(load: Workload, program: list[str], folder: Path) -> list[str]:
    command = [sys.executable, "-m", "hpo"]
    if load.begun is not None:
        limit = f"limits.max_jobs={load.finished + load.trials}"
        return [*command, "resume", JOB, "--set", limit, "--json"]
    spec = folder / "spec.yaml"
    spec.write_text(spec_of(load, program), encoding="utf-8")
    return [*command, "run", str(spec), "--json"]


FLOOR = Contender("floor", floor_command)
JOURNAL = Contender("Optuna journal", _optuna("journal"))
SQLITE = Contender("Optuna SQLite", _optuna("sqlite"))
HPO = Contender("hpo", _hpo)
JOURNAL_LATENCIES = Contender("Optuna journal", _optuna("journal", "--latencies"))
SQLITE_LATENCIES = Contender("Optuna SQLite", _optuna("sqlite", "--latencies"))


def syne_tune(python: str) -> Contender:
    """Return Syne Tune, run by an interpreter that has it."""

    def command(load: Workload, program: list[str], folder: Path) -> list[str]:  # noqa: ARG001
        return [python, str(HERE / "syne_tune_loop.py"), str(load.trials), str(load.parallel), program[-1]]

    return Contender("Syne Tune 0.1 s", command)


@dataclass(frozen=True, slots=True)
class Running:
    """A contender at work."""

    process: subprocess.Popen[bytes]
    folder: Path
    began: float

    @property
    def marks(self) -> Marks:
        """What the programs have noted so far."""
        return Marks.read(self.folder / "marks")

    def wait(self) -> Outcome:
        """Wait for the end. Raises RuntimeError where it failed."""
        status = self.process.wait()
        if status:
            raise RuntimeError(
                f"{self.process.args!r} ended with {status}:\n{(self.folder / 'err').read_text()}"
            )
        said = json.loads((self.folder / "out").read_text().splitlines()[-1])
        ended = datetime.fromisoformat(said["time"]).timestamp()
        return Outcome(self.began, self.marks, ended, tuple(said.get("latencies", ())), self._cpu())

    def _cpu(self) -> float | None:
        counted = self.folder / "cpu"
        if not counted.exists():
            return None
        fields = [line.split(",") for line in counted.read_text().splitlines() if "task-clock" in line]
        return float(fields[0][0]) / 1000


@functools.cache
def _root(place: str | None) -> str:
    """Return the folder for all folders, gone at the end: ext4 makes files slowly after deleting many."""
    root = tempfile.mkdtemp(prefix="overhead-", dir=place)
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


def new_folder(*, in_memory: bool = False) -> Path:
    """Return a new folder, which is gone when Python ends."""
    return Path(tempfile.mkdtemp(dir=_root(MEMORY if in_memory and Path(MEMORY).is_dir() else None)))


@contextmanager
def running(contender: Contender, load: Workload, *, count_cpu: bool = False) -> Iterator[Running]:
    """Start a contender in a folder of its own.

    `count_cpu` counts with perf, where there is one: it alone sees processes that no parent waits for.
    """
    folder = new_folder(in_memory=load.in_memory)
    if load.begun is not None:
        shutil.copytree(load.begun, folder, dirs_exist_ok=True)
    command = contender.command(load, load.program.write(folder), folder)
    if count_cpu and (perf := shutil.which("perf")):
        command = [perf, "stat", "-x,", "-e", "task-clock", "-o", str(folder / "cpu"), "--", *command]
    environment = {**os.environ, "HPO_HOME": str(folder / "state"), "MARKS": str(folder / "marks")}
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        began = time.time()
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err, cwd=folder)
    try:
        yield Running(process, folder, began)
    finally:
        process.kill()
        process.wait()


def run(contender: Contender, load: Workload, *, count_cpu: bool = False) -> Outcome:
    """Run a workload to its end."""
    with running(contender, load, count_cpu=count_cpu) as started:
        return started.wait()


Outcomes = dict[str, list[Outcome]]
"""A contender's name → its outcomes, one a round."""


def contest(
    contenders: Sequence[Contender], load: Workload, *, rounds: int, count_cpu: bool = False
) -> Outcomes:
    """Run a workload with every contender, round by round; each round begins with another one."""
    outcomes: Outcomes = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            outcomes[contender.name].append(run(contender, load, count_cpu=count_cpu))
    return outcomes


def typical(outcomes: Sequence[Outcome], measure: Callable[[Outcome], float]) -> float:
    """Return the median of a measure."""
    return median(measure(outcome) for outcome in outcomes)


def ratio(outcomes: Outcomes, measure: Callable[[Outcome], float], *, of: str, to: str) -> float:
    """Return the median over the rounds of one contender's measure divided by another one's."""
    return median(
        measure(one) / measure(other) for one, other in zip(outcomes[of], outcomes[to], strict=True)
    )

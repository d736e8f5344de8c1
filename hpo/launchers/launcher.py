"""The protocol of a launcher, and what one is built with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hpo.core.trial import JobHandle, Launch, RunReport, run_place
from hpo.spec.space import Values


def silent(text: str) -> None:
    """Tell nobody."""


def no_values(log: bytes) -> Mapping[str, float]:  # noqa: ARG001 -- one that reads some needs it
    """Read no metric."""
    return {}


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a launcher must know of the job beyond its own options."""

    job: str
    folder: Path  # the job's own, in which each run has one
    base: Path  # the spec's folder, from which relative paths count
    state: Path  # hpo's state folder, with what all jobs of the machine share
    max_parallel_jobs: int = 1
    fixed: Values = field(default_factory=dict)  # given to every trial as it is
    inputs: Mapping[str, str] = field(default_factory=dict)  # channel → path or address
    metrics: Mapping[str, str] = field(default_factory=dict)  # name → regex
    max_job_runtime: float | None = None  # seconds that a run may take
    max_cost: float | None = None  # of the whole job
    last_values: Callable[[bytes], Mapping[str, float]] = no_values  # of each metric in a piece of log
    say: Callable[[str], None] = silent  # tells the user what takes a while

    def run_folder(self, trial: int, run: int) -> Path:
        """Return where everything of one run lies."""
        return self.folder / run_place(trial, run)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What would keep every run from starting, and where in the spec that is told."""

    path: tuple[str | int, ...]  # keys from the spec's root: ("launcher", "command"), ("inputs", "train")
    message: str  # goes on after "`launcher.command`: "


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a log: whole lines, the cursor behind them, and whether more is there already.

    A line ends with a newline or a carriage return. An unended last line comes only once the run
    has ended; one that outgrows the launcher's bound (1 MiB) comes in pieces.
    """

    data: bytes
    cursor: str
    more: bool = False


class Launcher(Protocol):
    """Starts, follows and stops runs somewhere."""

    prepares: bool
    """Whether `prepare` does anything; it is called only where it does."""

    def check(self) -> Sequence[Obstacle]:
        """Return what would keep every run from starting (no such program, …)."""

    def request(self, launch: Launch) -> str:
        """Return, as text, exactly what `launch` would ask for; starts nothing."""

    async def launch(self, launch: Launch) -> JobHandle:
        """Start a run, or find it where one of that name was started before.

        Raises CannotStart where it never can be started, NoCapacity where it must wait.
        """

    async def prepare(self, launch: Launch) -> None:
        """Make ready what will probably be launched next, as far as that spares time; starts nothing.

        May do nothing, and fail in silence; what was never launched is taken away by `close`.
        """

    def expect(self, runs: int) -> None:
        """Take note of how many more runs will be launched at the most; what is kept for more can go."""

    def worst_cost(self) -> float | None:
        """Return what one run can cost at the most; None where nothing is charged, or no price is known.

        May ask for prices. Raises LauncherError.
        """

    async def find(self, launch: Launch) -> JobHandle | None:
        """Return the run's handle if it was ever started."""

    async def poll(self, handles: Sequence[JobHandle]) -> Mapping[JobHandle, RunReport]:
        """Return the state of each; LOST for one that is unknown. Looks at all in one call.

        A run that a stop reached is STOPPED, however its program ended after that; one that had ended
        before is what it would be without the stop.
        """

    async def read(self, handle: JobHandle, cursor: str, *, ended: bool) -> Chunk:
        """Return the log from a cursor on ("" is the beginning); `ended`: nothing more will be written."""

    async def stop(self, handle: JobHandle, *, at_once: bool = False) -> None:
        """Ask a run to end, by force after the grace period; returns at once, may be called again.

        Does nothing to a run that has ended.
        """

    async def changed(self, handles: Collection[JobHandle]) -> Collection[JobHandle]:
        """Wait until some of these runs may have changed, and return those; may be wrong, never late."""

    async def close(self) -> None:
        """Let go of what the launcher holds; running runs go on."""

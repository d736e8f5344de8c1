"""A job on this machine, whose runs a test looks at from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hpo.core.trial import Launch, Reason, RunReport, RunState
from hpo.launchers.launcher import JobContext
from hpo.launchers.process.folder import owner
from hpo.launchers.process.identity import all_pids, has_variable, pid_of
from hpo.launchers.process.launcher import ProcessLauncher
from hpo.launchers.process.options import ProcessOptions
from hpo.spec.space import Scalar, Values
from tests.conformance.following import Follower


@dataclass
class Machine:
    """A folder with a spec's files, a state folder, and the processes of runs in there."""

    base: Path
    job: str = "job"
    fixed: Values = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    parallel: int = 1

    @property
    def home(self) -> Path:
        return self.base / "home"

    def launcher(self, *command: str, **options: object) -> ProcessLauncher:
        """Make a launcher; a single text is a script for sh."""
        argv = ["sh", "-c", *command, "sh"] if len(command) == 1 else list(command)
        context = JobContext(
            self.job,
            self.home / "jobs" / self.job,
            self.base,
            self.home,
            max_parallel_jobs=self.parallel,
            fixed=self.fixed,
            inputs=self.inputs,
        )
        return ProcessLauncher(context, ProcessOptions.model_validate({"command": argv, **options}))

    def launch(self, trial: int = 1, run: int = 1, params: Mapping[str, Scalar] | None = None) -> Launch:
        return Launch(self.job, trial, run, params or {})

    def folder(self, trial: int = 1, run: int = 1) -> Path:
        return self.home / "jobs" / self.job / "trials" / f"{trial:04d}" / f"run-{run}"

    def guard(self, trial: int = 1, run: int = 1) -> int:
        """Return the pid of a run's guard."""
        return pid_of(owner(str(self.folder(trial, run))))

    def processes(self, trial: int = 1, run: int = 1) -> list[int]:
        """Return the living processes of a run."""
        folder = str(self.folder(trial, run))
        return [pid for pid in all_pids() if has_variable(pid, "HPO_RUN_FOLDER", folder)]

    async def see(self, condition: Callable[[], object]) -> None:
        """Wait until something is the case."""
        while not condition():  # noqa: ASYNC110 -- files and processes tell nobody
            await asyncio.sleep(0.01)

    @asynccontextmanager
    async def following(
        self, launcher: ProcessLauncher, launch: Launch | None = None
    ) -> AsyncIterator[Follower]:
        """Launch a run and follow it; in the end the launcher is closed, and the run goes on."""
        try:
            yield Follower(launcher, await launcher.launch(launch or self.launch()))
        finally:
            await launcher.close()

    async def run(self, launcher: ProcessLauncher, launch: Launch | None = None) -> tuple[RunReport, str]:
        """Run a program to its end; return how it ended and what it printed."""
        async with self.following(launcher, launch) as follower:
            report = await follower.end()
            return report, follower.log.decode()


def ended(report: RunReport) -> tuple[RunState, Reason | None]:
    """Return how a run has ended."""
    return report.state, report.reason

"""Stages: what a launcher's runs are put on for the suite that every launcher must pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, assert_never

from hpo.core.trial import Launch, Reason, RunReport, RunState
from hpo.launchers import scripted
from hpo.launchers.launcher import JobContext, Launcher
from hpo.launchers.process.launcher import ProcessLauncher
from hpo.launchers.process.options import ProcessOptions
from hpo.launchers.scripted import Hold, IgnoreStop, ScriptedLauncher, World


@dataclass(frozen=True)
class Exit:
    """A step that ends the program with a status other than 0."""

    status: int


Act = bytes | Hold | IgnoreStop | Exit
"""A step of a run: something to print, a gate to wait at, or an end."""


class Stage(Protocol):
    """Where a launcher's runs do what a test wants. A stage for another launcher is to be added here."""

    def plan(self, trial: int, acts: Sequence[Act]) -> None:
        """Say what a trial's runs will do."""

    def launcher(self) -> Launcher:
        """Make another launcher object of the same job."""

    def open(self, gate: str) -> None:
        """Let runs pass a gate."""

    def starts(self, launch: Launch) -> int:
        """Return how many times this launch has really started something."""


class ScriptedStage:
    """Runs in memory."""

    def __init__(self, folder: Path) -> None:
        self._plans: dict[int, Sequence[Act]] = {}
        self._world = World(lambda launch: [self._step(act) for act in self._plans[launch.trial]])

    def plan(self, trial: int, acts: Sequence[Act]) -> None:
        self._plans[trial] = acts

    def launcher(self) -> Launcher:
        return ScriptedLauncher(self._world)

    def open(self, gate: str) -> None:
        self._world.open(gate)

    def starts(self, launch: Launch) -> int:
        return self._world.starts[launch.name]

    def _step(self, act: Act) -> scripted.Step:
        if isinstance(act, Exit):
            return RunReport(RunState.FAILED, Reason.EXIT_STATUS, f"exit status {act.status}")
        return act


class ProcessStage:
    """Runs are processes of actor.py."""

    events = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def plan(self, trial: int, acts: Sequence[Act]) -> None:
        (self._folder / f"{trial}.json").write_text(json.dumps([self._step(act) for act in acts]))

    def launcher(self) -> Launcher:
        actor = Path(__file__).with_name("actor.py")
        options = ProcessOptions(command=["python3", "-I", "-S", str(actor), str(self._folder)])
        context = JobContext("job", self._folder / "home" / "jobs" / "job", self._folder)
        return ProcessLauncher(context, options, events=self.events)

    def open(self, gate: str) -> None:
        (self._folder / gate).touch()

    def starts(self, launch: Launch) -> int:
        return (self._folder / "starts").read_text().splitlines().count(launch.name)

    def _step(self, act: Act) -> tuple[str, str | int]:
        match act:
            case bytes():
                return "print", act.decode("latin-1")
            case Hold(gate):
                return "hold", gate
            case IgnoreStop():
                return "ignore stop", ""
            case Exit(status):
                return "exit", status
            case _:
                assert_never(act)


class PolledProcessStage(ProcessStage):
    """The same on a system without inotify and pidfd."""

    events = False


STAGES: Sequence[type[ScriptedStage | ProcessStage]] = (ScriptedStage, ProcessStage, PolledProcessStage)

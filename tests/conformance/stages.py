"""Stages: what a launcher's runs are put on for the suite that every launcher must pass."""

from __future__ import annotations

import atexit
import functools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, assert_never

import pytest

from hpo.core.trial import Launch, Reason, RunReport, RunState
from hpo.launchers import scripted
from hpo.launchers.docker.clean import remove_all
from hpo.launchers.docker.launcher import DockerLauncher
from hpo.launchers.docker.options import DockerOptions, Mount
from hpo.launchers.launcher import JobContext, Launcher
from hpo.launchers.process.launcher import ProcessLauncher
from hpo.launchers.process.options import ProcessOptions
from hpo.launchers.sagemaker.launcher import SageMakerLauncher
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.scripted import Hold, IgnoreStop, ScriptedLauncher, World
from hpo.testing.aws import Aws, AwsSettings
from tests.docker_engine import IMAGE


@dataclass(frozen=True)
class Exit:
    """A step that ends the program with a status other than 0."""

    status: int


Act = bytes | Hold | IgnoreStop | Exit
"""A step of a run: something to print, a gate to wait at, or an end."""


class Stage(Protocol):
    """Where a launcher's runs do what a test wants. A stage for another launcher is to be added here."""

    tells_lines: bool
    """Whether a log is told in lines of text alone: what they were made of is lost on the way."""

    def plan(self, trial: int, acts: Sequence[Act]) -> None:
        """Say what a trial's runs will do."""

    def launcher(self) -> Launcher:
        """Make another launcher object of the same job."""

    def open(self, gate: str) -> None:
        """Let runs pass a gate."""

    def starts(self, launch: Launch) -> int:
        """Return how many times this launch has really started something."""

    def clear(self) -> None:
        """Take away whatever a failed test left."""


class ScriptedStage:
    """Runs in memory."""

    tells_lines = False

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

    def clear(self) -> None:
        pass

    def _step(self, act: Act) -> scripted.Step:
        if isinstance(act, Exit):
            return RunReport(RunState.FAILED, Reason.EXIT_STATUS, f"exit status {act.status}")
        return act


class ProcessStage:
    """Runs are processes of actor.py."""

    events = True
    tells_lines = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def plan(self, trial: int, acts: Sequence[Act]) -> None:
        (self._folder / f"{trial}.json").write_text(json.dumps([self._step(act) for act in acts]))

    def launcher(self) -> Launcher:
        actor = Path(__file__).with_name("actor.py")
        options = ProcessOptions(command=["python3", "-I", "-S", str(actor), str(self._folder)])
        home = self._folder / "home"
        context = JobContext("job", home / "jobs" / "job", self._folder, home)
        return ProcessLauncher(context, options, events=self.events)

    def open(self, gate: str) -> None:
        (self._folder / gate).touch()

    def clear(self) -> None:
        pass

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


class DockerStage(ProcessStage):
    """Runs are containers in which actor.py runs."""

    def launcher(self) -> Launcher:
        return DockerLauncher(self._context(), self._options())

    def clear(self) -> None:
        remove_all(self._context(), self._options())

    def _context(self) -> JobContext:
        home = self._folder / "home"
        return JobContext("job", home / "jobs" / "job", self._folder, home)

    def _options(self) -> DockerOptions:
        actor = Path(__file__).with_name("actor.py")
        return DockerOptions(
            image=IMAGE,
            command=["python3", "-I", "-S", "/actor.py", str(self._folder)],
            mounts=[
                Mount(source=str(actor), target="/actor.py", read_only=True),
                Mount(source=str(self._folder), target=str(self._folder)),
            ],
            network="none",
            pull="never",
        )


@functools.cache
def one_aws(runner: Literal["process", "docker"]) -> Aws:
    """Return the AWS of all tests with such a runner; it ends with the process."""
    here = str(Path(__file__).parent)
    aws = Aws(AwsSettings(runner=runner, start_delay=0.0, stop_grace=1.0, mounts={here: here}))
    atexit.register(aws.__enter__().close)
    return aws


class SageMakerStage(ProcessStage):
    """Runs are training jobs of an AWS on this machine, which runs actor.py as a process."""

    tells_lines = True
    runner: Literal["process", "docker"] = "process"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._aws = one_aws(self.runner)
        self._aws.settings.mounts[str(folder)] = str(folder)
        self._before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
        os.environ |= self._aws.environment
        self._aws.client("s3").create_bucket(Bucket="bucket")

    def launcher(self) -> Launcher:
        return SageMakerLauncher(self._context(), self._options())

    def starts(self, launch: Launch) -> int:
        return sum(count for name, count in self._aws.starts.items() if self._is_of(name, launch))

    def clear(self) -> None:
        self._aws.reset()
        for name in self._aws.environment:
            os.environ.pop(name, None)
        os.environ |= self._before

    def _is_of(self, name: str, launch: Launch) -> bool:
        return name.startswith(f"{launch.job}-") and name.endswith(f"-{launch.trial:04d}-{launch.run}")

    def _context(self) -> JobContext:
        home = self._folder / "home"
        return JobContext("job", home / "jobs" / "job", self._folder, home)

    def _options(self) -> SageMakerOptions:
        actor = Path(__file__).with_name("actor.py")
        return SageMakerOptions(
            image=IMAGE,
            command=["python3", "-I", "-S", str(actor), str(self._folder)],
            role="arn:aws:iam::123456789012:role/training",
            output="s3://bucket/hpo",
            instance_type="ml.m5.large",
            poll=0.05,
            requests_per_second=500.0,
        )


class SageMakerContainersStage(SageMakerStage):
    """The same as containers."""

    runner = "docker"


STAGES = (
    ScriptedStage,
    ProcessStage,
    PolledProcessStage,
    pytest.param(DockerStage, marks=pytest.mark.docker),
    SageMakerStage,
    pytest.param(SageMakerContainersStage, marks=[pytest.mark.docker, pytest.mark.slow]),
)

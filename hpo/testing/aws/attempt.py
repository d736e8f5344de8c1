"""One attempt at a training job: its hosts' folders, data, programs and output."""

from __future__ import annotations

import math
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from hpo.testing.aws import artifacts, opt_ml, toolkit
from hpo.testing.aws.account import REGION
from hpo.testing.aws.containers import Containers
from hpo.testing.aws.job import Job, Metric
from hpo.testing.aws.log_lines import Lines, events
from hpo.testing.aws.log_store import LogStore
from hpo.testing.aws.objects import Objects
from hpo.testing.aws.programs import Program, Runner, Start

_FAILURE = 1024  # characters of output/failure that are read


class Attempt:
    """The hosts of a job while they are its own; `close` leaves nothing of them."""

    def __init__(
        self, job: Job, *, runner: Runner, objects: Objects, logs: LogStore, has_toolkit: bool
    ) -> None:
        self._job = job
        self._request = job.request
        self._runner = runner
        self._objects = objects
        self._logs = logs
        self._is_script = has_toolkit and toolkit.is_script(job.request)
        self._folder = Path(tempfile.mkdtemp(prefix="hpo-testing-aws-"))
        self._programs: list[Program] = []
        self._lines: list[Lines] = []
        self._checkpoints: list[artifacts.Checkpoints] = []
        self._first: int | None = None  # the host that failed first; the others are killed for it

    @property
    def roots(self) -> list[Path]:
        """Each host's /opt/ml."""
        return [self._folder / host for host, _ in self._request.hosts]

    def download(self) -> None:
        """Lay out every host, with its data and checkpoints. Raises JobFailure."""
        for number, ((host, _), root) in enumerate(zip(self._request.hosts, self.roots, strict=True)):
            opt_ml.lay_out(root, self._request, host)
            opt_ml.download(self._objects, root, self._request, number)
            if self._is_script:
                toolkit.unpack(self._objects, root, self._request)
            if self._request.checkpoints:
                checkpoints = artifacts.Checkpoints(
                    self._objects, root / "checkpoints", self._request.checkpoints
                )
                checkpoints.restore()
                self._checkpoints.append(checkpoints)

    def start(self) -> None:
        """Start the program of every host. Raises JobFailure."""
        epoch = int(time.time() * 1000)
        for (host, _), root in zip(self._request.hosts, self.roots, strict=True):
            lines = Lines(partial(self._line, f"{self._job.name}/{host}-{epoch}"))
            self._lines.append(lines)
            program = self._runner.start(self._start(host, root), output=lines.feed, ended=self._job.wake.set)
            self._programs.append(program)

    def statuses(self) -> list[int | None]:
        """Return the exit status of each host's program; None where it runs."""
        statuses = [program.status() for program in self._programs]
        if self._first is None:
            self._first = next((host for host, status in enumerate(statuses) if status), None)
        return statuses

    def terminate(self, grace: float, is_given_up: Callable[[], bool]) -> None:
        """End the programs: SIGTERM, and SIGKILL when the grace has passed or is given up."""
        for program in self._programs:
            program.terminate()
        deadline = time.monotonic() + grace
        while None in self.statuses() and time.monotonic() < deadline and not is_given_up():
            time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """End the programs at once, and wait until their output has been read."""
        for program in self._programs:
            program.kill()
        self._finish()

    def failure(self) -> str | None:
        """Return the FailureReason by what the programs came to; None if all succeeded."""
        self._finish()
        statuses = self.statuses()
        if self._first is None:
            return None
        status, root = statuses[self._first], self.roots[self._first]
        self._runner.reclaim(self._folder, self._request.image)
        said = ""
        with suppress(OSError):
            said = (root / "output/failure").read_bytes().decode(errors="replace")[:_FAILURE]
        return f"AlgorithmError: {said}, exit code: {status}"

    def sync(self) -> None:
        """Bring the checkpoints to S3. Raises JobFailure."""
        for checkpoints in self._checkpoints:
            checkpoints.sync()

    def upload(self) -> str:
        """Bring model, output and checkpoints to S3, and return where the model is. Raises JobFailure."""
        self._runner.reclaim(self._folder, self._request.image)
        self.sync()
        return artifacts.upload(self._objects, self.roots, self._request)

    def close(self) -> None:
        """Leave nothing behind."""
        self.kill()
        for program in self._programs:
            program.close()
        self._runner.remove(self._folder, self._request.image)

    def _finish(self) -> None:
        """Wait until all programs have ended, and take what they said last."""
        while None in self.statuses():
            time.sleep(0.005)
        for lines in self._lines:
            lines.end()

    def _start(self, host: str, root: Path) -> Start:
        request = self._request
        environment = {
            "TRAINING_JOB_NAME": request.name,
            "TRAINING_JOB_ARN": self._job.arn,
            "AWS_REGION": REGION,
            **request.environment,
        }
        entrypoint, arguments, folder = request.entrypoint, request.arguments, None
        if self._is_script:
            python = "python" if isinstance(self._runner, Containers) else sys.executable
            script = toolkit.script(request, host, python=python)
            entrypoint, arguments, folder = script.command[:1], script.command[1:], script.folder
            environment = {**script.environment, **environment}
        return Start(
            name=f"{request.name}/{host}",
            image=request.image,
            entrypoint=entrypoint,
            arguments=arguments,
            environment=environment,
            root=root,
            checkpoint_path=request.checkpoint_path,
            is_isolated=request.pool_key.is_isolated,
            working_folder=folder,
        )

    def _line(self, stream: str, line: str) -> None:
        for message in events(line):
            self._logs.append(stream, message)
        for metric in self._request.metrics:
            for match in metric.pattern.finditer(line):
                self._metric(metric.name, match[1] if match.re.groups else match[0])

    def _metric(self, name: str, text: str) -> None:
        try:
            value = struct.unpack("f", struct.pack("f", float(text)))[0]
        except (ValueError, TypeError, OverflowError):
            return
        if math.isfinite(value):
            with self._job.lock:
                self._job.metrics[name] = Metric(value, time.time())

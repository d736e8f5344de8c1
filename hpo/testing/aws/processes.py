"""Programs as processes of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from hpo.testing.aws.errors import JobFailure
from hpo.testing.aws.programs import OPT_ML, Start


class Process:
    """A process group."""

    def __init__(
        self, process: subprocess.Popen[bytes], output: Callable[[bytes], None], ended: Callable[[], None]
    ) -> None:
        self._process = process
        self._output = output
        self._ended = ended
        self._status: int | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._reader.start()
        self._waiter.start()

    def status(self) -> int | None:
        """Return its exit status; None while it runs."""
        return self._status

    def terminate(self) -> None:
        """Send SIGTERM to its first process."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to all of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Wait until its output has been read."""
        self._waiter.join()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        with self._process.stdout as stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                self._output(chunk)

    def _wait(self) -> None:
        status = self._process.wait()
        self.kill()  # a container ends with its first process
        self._reader.join()
        self._status = 128 - status if status < 0 else status
        self._ended()


class Processes:
    """The runner that needs nothing else."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        base = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "SM_", "PYTEST_"))
        }
        base["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), base.get("PATH", os.defpath)))
        self._environment = {**base, **environment}

    def start(self, start: Start, *, output: Callable[[bytes], None], ended: Callable[[], None]) -> Process:
        """Start a program. Raises JobFailure."""
        if not start.entrypoint:
            raise JobFailure(
                f"ClientError: {start.image} cannot run as a process: give ContainerEntrypoint, or "
                "sagemaker_program and sagemaker_submit_directory, or have a Docker engine (runner docker)"
            )
        here = {start.checkpoint_path: str(start.root / "checkpoints"), OPT_ML: str(start.root)}

        def local(text: str) -> str:
            for path, folder in here.items():
                text = text.replace(path, folder)
            return text

        environment = {name: local(value) for name, value in start.environment.items()}
        argv = [local(part) for part in (*start.entrypoint, *start.arguments)]
        folder = Path(local(start.working_folder)) if start.working_folder else start.root
        try:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=self._environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            output(f"{argv[0]}: {error.strerror}\n".encode())
            raise JobFailure("AlgorithmError: , exit code: 127") from None
        return Process(process, output, ended)

    def reclaim(self, folder: Path, image: str) -> None:
        """Do nothing: all files are this user's."""

    def remove(self, folder: Path, image: str) -> None:  # noqa: ARG002 - no image here
        """Remove a folder that programs have written to."""
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Do nothing: programs share nothing here."""

"""The real command line, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import yaml

from tests import forked

PATIENCE = 240.0
"""Seconds until something that must happen counts as not happening, on a machine that is busy, too."""

_SPEC: dict[str, object] = {
    "name": "job",
    "strategy": "random",
    "seed": 1,
    "objective": {"metric": "loss", "goal": "minimize"},
    "metrics": {"loss": r"loss=(\S+)"},
    "parameters": {"x": {"type": "continuous", "min": 0.0, "max": 1.0}},
    "limits": {"max_jobs": 3},
    "launcher": {"command": ["sh", "train.sh"]},
}


@dataclass(frozen=True)
class Hpo:
    """The command line as a user calls it, with a state folder and a working folder of its own."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "state"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "HPO_HOME": str(self.home), "PYTHONWARNINGS": "error", "COLUMNS": "100"}

    def command(self, *args: str | Path) -> list[str]:
        """Return the program and its arguments for `hpo ARGS`."""
        return [sys.executable, "-m", "hpo", *map(str, args)]

    def __call__(
        self, *args: str | Path, status: int | None = 0, text: str = "", env: Mapping[str, str] | None = None
    ) -> Called:
        """Run `hpo ARGS` to its end.

        `status` is the exit status it must have, `text` its input; `env` is added to its environment. Where
        that tells Python something, as PYTHONPATH does, it is started anew; and on macOS, whose libraries
        need not survive a fork.
        """
        if sys.platform != "linux" or any(name.startswith("PYTHON") for name in env or ()):
            called = self._anew(args, text, env or {})
        else:
            called = self._forked(args, text, env or {})
        assert "Traceback" not in called.err, called.err
        assert status is None or called.status == status, (called.status, called.out, called.err)
        return called

    def _forked(self, args: Sequence[str | Path], text: str, env: Mapping[str, str]) -> Called:
        """Call it in a process that has everything imported already."""
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(text.encode())
            given.seek(0)
            status = forked.call(
                list(map(str, args)),
                folder=self.folder,
                environment={**self.environment, **env},
                files=(given, out, err),
                patience=PATIENCE,
            )
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
        return Called(status, *said)

    def _anew(self, args: Sequence[str | Path], text: str, env: Mapping[str, str]) -> Called:
        """Call it in a process that starts with nothing, as where its environment tells Python something."""
        ended = subprocess.run(
            self.command(*args),
            cwd=self.folder,
            env={**self.environment, **env},
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Called(ended.returncode, ended.stdout, ended.stderr)

    def refused(self, *args: str | Path) -> str:
        """Return what `hpo ARGS` says, which must refuse a mistake, start nothing and leave no job."""
        called = self(*args, status=2)
        assert called.out == ""
        assert not (self.folder / "started").exists()
        assert not self.home.exists() or not any((self.home / "jobs").iterdir())
        return called.err

    def start(self, *args: str | Path, under: Sequence[str] = (), out: str = "out") -> subprocess.Popen[str]:
        """Start `hpo ARGS` and return the process.

        Its output goes to the files `out` and `err` of the folder. `under` is a command that runs it: nohup.
        """
        with (self.folder / out).open("ab") as output, (self.folder / "err").open("ab") as err:
            return subprocess.Popen(
                [*under, *self.command(*args)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=err,
                text=True,
            )

    def python(self, program: str) -> str:
        """Return what a Python program prints that uses hpo in the working folder, and must succeed."""
        ended = subprocess.run(
            [sys.executable, "-c", program],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file of the working folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def job(self, program: str, **sections: object) -> None:
        """Write train.sh, and spec.yaml: three random trials of it; `sections` replace the spec's own."""
        self.write("train.sh", program)
        self.write("spec.yaml", yaml.safe_dump({**_SPEC, **sections}, sort_keys=False))

    def text(self, name: str) -> str:
        """Return what stands in a file of the working folder; nothing where it is not there."""
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def processes(self) -> list[str]:
        """Return the command lines of the processes that belong to this folder."""
        return list(self._processes().values())

    def left_behind(self) -> list[str]:
        """Return the command lines of the processes that do not end by themselves within a while."""
        deadline = time.monotonic() + PATIENCE / 6
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def kill(self) -> None:
        """Kill the processes that belong to this folder, each by its id."""
        while found := self._processes():
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _processes(self) -> dict[int, str]:
        return dict(self._find_processes())

    def _find_processes(self) -> Iterator[tuple[int, str]]:
        mark = f"HPO_HOME={self.home}\0".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if line and mark in (entry / "environ").read_bytes():
                    yield int(entry.name), line


@dataclass(frozen=True)
class Called:
    """What a call of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

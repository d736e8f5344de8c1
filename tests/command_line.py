"""The real command line, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds until something that must happen counts as not happening."""


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

    def __call__(self, *args: str | Path, status: int | None = 0, text: str = "") -> Called:
        """Run `hpo ARGS` to its end; `status` is the exit status it must have."""
        called = Called(
            subprocess.run(
                [sys.executable, "-m", "hpo", *map(str, args)],
                cwd=self.folder,
                env=self.environment,
                input=text,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        )
        assert "Traceback" not in called.err, called.err
        assert status is None or called.status == status, (called.status, called.out, called.err)
        return called

    def start(self, *args: str | Path) -> subprocess.Popen[str]:
        """Start `hpo ARGS` and return the process; its output goes to files in the folder."""
        with (self.folder / "out").open("ab") as out, (self.folder / "err").open("ab") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "hpo", *map(str, args)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file of the working folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def processes(self) -> list[str]:
        """Return the command lines of the processes that belong to this folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes()
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if f"HPO_HOME={self.home}\0".encode() in environment + b"\0" and line:
                found.append(line)
        return found


@dataclass(frozen=True)
class Called:
    """What a call of the command line gave."""

    process: subprocess.CompletedProcess[str]

    @property
    def status(self) -> int:
        return self.process.returncode

    @property
    def out(self) -> str:
        return self.process.stdout

    @property
    def err(self) -> str:
        return self.process.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.out)

"""A real terminal, for tests of what is only shown on one."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests.command_line import PATIENCE, Hpo

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_IN_FOREGROUND = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("hpo", run_name="__main__", alter_sys=True)
"""
"""Makes standard input the controlling terminal, so that Ctrl-C typed there is a signal; then runs hpo."""


class Terminal:
    """A terminal in which `hpo ARGS` runs; `out` is a file for its standard output, as with `>`."""

    def __init__(self, hpo: Hpo, *args: str, out: Path | None = None, **environment: str) -> None:
        self._screen, end = pty.openpty()
        self._raw = ""
        output = out.open("wb") if out else None
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _IN_FOREGROUND, *args],
                cwd=hpo.folder,
                env={**hpo.environment, "TERM": "xterm", "LINES": "40", "NO_COLOR": "", **environment},
                stdin=end,
                stdout=output or end,
                stderr=end,
                start_new_session=True,
            )
        finally:
            os.close(end)
            if output is not None:
                output.close()

    @property
    def raw(self) -> str:
        """Everything that was shown so far, as it was sent."""
        return self._raw

    @property
    def text(self) -> str:
        """Everything that was shown so far, without escape sequences."""
        return _ESCAPE.sub("", self._raw)

    def wait_for(self, pattern: str) -> str:
        """Return what is shown once it has a match of the pattern."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text
        return self.text

    def press(self, text: str) -> None:
        """Press keys."""
        os.write(self._screen, text.encode())

    def wait(self) -> int:
        """Return the exit status, once the program has ended and all that it showed is read."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Close the terminal."""
        if self._screen >= 0:
            os.close(self._screen)
            self._screen = -1

    def _read(self) -> bool:
        """Take in what is shown next; False once nothing more can come."""
        if not select.select([self._screen], [], [], PATIENCE)[0]:
            return False
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # the other end is closed
            return False
        self._raw += data.decode(errors="replace")
        return bool(data)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close()

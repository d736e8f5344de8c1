"""The lease on a job: at most one process runs it, and a dead one holds nothing."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from hpo.errors import JobBusy

_PATIENCE = 1.0
"""Seconds for which a lease that is held is tried again: somebody may only be looking at it."""


class Lease:
    """Holds a job for this process from construction to `release`, or to the process's end.

    It is an flock on a file of the job's folder, which the kernel lets go of with the process.
    Raises JobBusy where another process has it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._file = os.open(folder / "lease", os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + _PATIENCE
        while not _try_lock(self._file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
                os.close(self._file)
                raise JobBusy(
                    f"job {name} is being run by another process (pid {holder}); follow it with "
                    f"`hpo status {name} --watch`, or stop it with `hpo stop {name}`"
                )
            time.sleep(0.02)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go of the job."""
        os.close(self._file)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(folder: Path) -> bool:
    """Tell whether a process runs the job of this folder now."""
    try:
        file = os.open(folder / "lease", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(file, fcntl.LOCK_SH)
    finally:
        os.close(file)


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

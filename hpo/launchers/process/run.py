"""One program under the guard, from its start to the record of its end."""
# pathlib and the like stay out, so that the guard starts fast.
# ruff: noqa: PTH113, PTH118, PTH123

from __future__ import annotations

import contextlib
import errno
import math
import os
import signal
import sys
import time

from hpo.launchers.process.folder import LOG, MARKER, record
from hpo.launchers.process.identity import has_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from resource import struct_rusage

    from hpo.launchers.process.client import Request

_RESET = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ)
_KILL_FOR = 5.0  # seconds after which descendants that SIGKILL does not end are left
_DOUBT_FOR = 0.1  # seconds in which a process may turn out to be the program's descendant


class Run:
    """A program with what it is to have and what is to be said of its end."""

    def __init__(self, folder: str, *, grace: float, gpu_locks: list[int]) -> None:
        self.folder = folder
        self.program = 0  # its pid
        self.deadline = math.inf  # monotonic: of the grace period, later of what the program left behind
        self._doubt_until = 0.0
        self._grace = grace
        self._gpu_locks = gpu_locks
        self._stopped = self._killed = False
        self._oom_kills = 0
        self._ending: dict[str, object] = {"started": time.time()}

    def start(self, request: Request) -> bool:
        """Start the program, and tell whether that was possible; if not, the run has ended."""
        failed = "log"
        try:
            log = os.open(f"{self.folder}/{LOG}", os.O_WRONLY | os.O_APPEND)
            try:
                failed = "workdir"
                os.chdir(request["workdir"])
                failed = "program"
                self.program = _spawn(request["argv"], {**os.environ, **request["env"]}, log)
            finally:
                os.close(log)
        except (OSError, ValueError) as error:  # ValueError: a NUL in a parameter
            number = error.errno if isinstance(error, OSError) else errno.EINVAL
            self._ending |= {"ended": time.time(), "failed": failed, "errno": number}
            return False
        self._oom_kills = oom_kills()
        return True

    def stop(self) -> None:
        """Ask the program to end within the grace period."""
        if not self._stopped:
            self._stopped = True
            self.deadline = time.monotonic() + self._grace
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the program."""
        self._stopped = self._killed = True
        self.deadline = math.inf
        self._signal(signal.SIGKILL)

    def end(self, status: int, usage: struct_rusage) -> None:
        """Take note that the program has ended, and end what is left of its process group."""
        code = os.waitstatus_to_exitcode(status)
        killed = not self._killed and code in {-signal.SIGKILL, 128 + signal.SIGKILL}  # 137: a shell says so
        self._ending |= {
            "ended": time.time(),
            "status": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "stopped": self._stopped,
            "out_of_memory": killed and oom_kills() > self._oom_kills,
            "max_rss": usage.ru_maxrss * (1024 if sys.platform == "linux" else 1),
        }
        self.deadline = time.monotonic() + _KILL_FOR
        self._doubt_until = time.monotonic() + _DOUBT_FOR
        self._signal(signal.SIGKILL)

    def clean_up(self, orphans: Iterable[int]) -> bool:
        """Kill those of the guard's other children that descend from the program; tell if none is left."""
        now = time.monotonic()
        left = False
        for pid in orphans:
            match self._owns(pid):
                case True:
                    kill(pid)
                    left = True
                case None:
                    left |= now < self._doubt_until
                case False:
                    pass
        return not left or now >= self.deadline

    def _owns(self, pid: int) -> bool | None:
        try:
            return os.getsid(pid) == self.program or has_variable(pid, MARKER, self.folder)
        except ProcessLookupError:
            return False

    def record(self, guard: str) -> bool:
        """Free the GPUs and write down how the run ended; tell whether there was room for that."""
        while self._gpu_locks:
            os.close(self._gpu_locks.pop())
        try:
            record(self.folder, guard, self._ending)
        except FileNotFoundError:  # the whole job was deleted
            return True
        except OSError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # none is left; on macOS: but zombies
            os.killpg(self.program, number)


def kill(pid: int) -> None:
    """Kill a process, if it is there and may be killed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _spawn(argv: list[str], env: dict[str, str], log: int) -> int:
    """Start a program in a session of its own; return its pid."""
    return os.posix_spawn(
        _found(argv[0], env.get("PATH", os.defpath)),
        argv,
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=_RESET,
    )


def _found(program: str, path: str) -> str:
    if "/" in program:
        return program
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, program)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)


def oom_kills() -> int:
    """Return how many processes the kernel has killed for want of memory since the machine started."""
    try:
        with open("/proc/vmstat", "rb", buffering=0) as file:
            count = file.readall().partition(b"\noom_kill ")[2]
    except OSError:
        return 0
    return int(count.split(None, 1)[0]) if count else 0

"""The guard: a small process that starts a tuner's local runs, ends them, and records how they ended.

It talks with the tuner over a socket, and outlives it until the last of its runs has ended. When it
gets SIGTERM, it looks into each run's folder for word to stop the program. One guard serves all
runs of a tuner, so that a run costs neither the start of a Python nor memory.
"""
# pathlib and the like stay out, so that the guard starts fast.
# ruff: noqa: PTH208

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import sys
import time

from hpo.launchers.process.folder import KILL, STOP, claim, is_asked, owner
from hpo.launchers.process.identity import children, identity
from hpo.launchers.process.run import Run, kill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from resource import struct_rusage

    from hpo.launchers.process.client import Request

_LONGEST_NAP = 3600.0  # seconds; poll(2) counts milliseconds in 31 bits
_RETRY_EVERY = 0.1  # seconds between attempts to clean up after a program and to record its end


class Guard:
    """Serves the tuner at the other end of a socket.

    A request is a line of JSON, and so is its answer: the request's number, and either the identity
    of the run's `guard`, or what the run is `waiting` for, or the `errno` and `path` of a failure.
    """

    def __init__(self, socket: int) -> None:
        self._identity = identity(os.getpid())
        self._socket = socket
        self._heard = b""
        self._running: dict[int, Run] = {}  # by the program's pid
        self._ending: list[Run] = []
        self._signals, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        self._poll = select.poll()
        self._poll.register(socket, select.POLLIN)
        self._poll.register(self._signals, select.POLLIN)

    def serve(self) -> None:
        """Do what there is to do, until the tuner is gone and no run or other child is left."""
        while self._socket >= 0 or self._running or self._ending or children():
            ready = {descriptor for descriptor, _ in self._poll.poll(self._patience())}
            signals = os.read(self._signals, 4096) if self._signals in ready else b""
            self._reap()
            if signal.SIGTERM in signals:
                self._obey()
            self._enforce()
            self._finish()
            if self._socket in ready:
                self._hear()

    def _patience(self) -> float | None:
        """Return the milliseconds until something must be looked at; None if nothing must."""
        first = min((run.deadline for run in self._running.values()), default=math.inf)
        if self._ending:
            first = min(first, time.monotonic() + _RETRY_EVERY)
        if first == math.inf:
            return None
        return 1000 * min(max(0.0, first - time.monotonic()), _LONGEST_NAP) + 1

    # -- what the tuner asks for

    def _hear(self) -> None:
        try:
            data = os.read(self._socket, 1 << 18)
        except ConnectionError:
            data = b""
        if not data:  # the tuner is gone
            self._poll.unregister(self._socket)
            self._socket = -1
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            self._handle(json.loads(line))

    def _handle(self, request: Request) -> None:
        gpu_locks: list[int] = []
        answer: dict[str, object]
        claimed = False
        try:
            claimed = self._claim(request, gpu_locks)
            answer = {"guard": self._identity if claimed else owner(request["folder"])}
        except BlockingIOError as error:
            answer = {"waiting": str(error)}
        except OSError as error:
            answer = {"errno": error.errno, "path": error.filename or request["folder"]}
        data = json.dumps({"number": request["number"], **answer}).encode() + b"\n"
        with contextlib.suppress(ConnectionError):  # the tuner is gone; the next one will find the run
            os.write(self._socket, data)
        if claimed:
            run = Run(request["folder"], grace=request["grace"], gpu_locks=gpu_locks)
            if run.start(request):
                self._running[run.program] = run
            else:
                self._ending.append(run)
                self._finish()
        else:
            for lock in gpu_locks:
                os.close(lock)

    def _claim(self, request: Request, gpu_locks: list[int]) -> bool:
        """Take the GPUs that the run needs, then the run; tell whether no guard had it yet."""
        if request["gpus_wanted"]:
            from hpo.launchers import gpus

            wanted, folder, name = request["gpus_wanted"], request["gpu_folder"], request["name"]
            taken, locks = gpus.take(request["gpus"], wanted, folder=folder, name=name)
            gpu_locks += locks
            request["env"][gpus.VISIBLE] = ",".join(taken)
        return claim(request, self._identity)

    def _obey(self) -> None:
        for run in self._running.values():
            if is_asked(run.folder, KILL):
                run.kill()
            elif is_asked(run.folder, STOP):
                run.stop()

    def _enforce(self) -> None:
        for run in self._running.values():
            if time.monotonic() >= run.deadline:
                run.kill()

    # -- what the programs do

    def _reap(self) -> None:
        """Take note of every child that ended: programs, and orphans of programs."""
        for pid, status, usage in _ended_children():
            if run := self._running.pop(pid, None):
                run.end(status, usage)
                self._ending.append(run)

    def _finish(self) -> None:
        """Kill what ended programs left behind, and record the runs of which nothing is left."""
        if self._running and not self._ending:
            return
        orphans = children() - self._running.keys()
        for run in tuple(self._ending):
            if run.clean_up(orphans) and run.record(self._identity):
                self._ending.remove(run)
        if not self._running:  # then nobody needs the others, either
            for pid in orphans:
                kill(pid)


def _ended_children() -> Iterator[tuple[int, int, struct_rusage]]:
    with contextlib.suppress(ChildProcessError):  # there are none at all
        while (ended := os.wait4(-1, os.WNOHANG))[0]:
            yield ended


def _close_inherited() -> None:
    """Close what the tuner was started with: whoever reads from a pipe of it must not wait for the guard."""
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the one by which they were listed
                os.close(int(name))


def _adopt_orphans() -> None:
    """Become the parent of all descendants whose parents end, where the system can do that."""
    if sys.platform == "linux":
        import ctypes

        set_child_subreaper = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def main() -> None:
    """Serve the tuner at the other end of the socket that is standard input."""
    _close_inherited()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _adopt_orphans()
    Guard(socket=0).serve()

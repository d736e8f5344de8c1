"""The tuner's end of the guard: asks it to start runs, and hears its answers."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, cast

from hpo.errors import LauncherError, NoCapacity

_PACKAGES = Path(__file__).parents[3]  # where the guard finds this package
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from hpo.launchers.process.guard import main; main()"

_guards: set[int] = set()  # pids of this process's guards whose end was not seen yet


class Request(TypedDict):
    """One run to start, as it travels to the guard."""

    number: int  # which request an answer belongs to
    name: str
    folder: str  # absolute; the guard makes it
    workdir: str
    argv: list[str]
    env: dict[str, str]  # beside what the tuner had in its environment when the guard was started
    grace: float  # seconds from SIGTERM to SIGKILL
    shared: list[str]  # folders beside the run's, for all runs of a trial
    folders: list[str]  # below the run's folder, parents first
    files: dict[str, str]  # path below the run's folder → text
    links: dict[str, str]  # path below the run's folder → target
    gpus: list[str]  # those to choose from
    gpus_wanted: int
    gpu_folder: str  # where the GPUs' locks lie


class GuardClient:
    """Has a guard, started when it is first needed, and another one if that was killed."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._connecting = asyncio.Lock()
        self._connection: _Connection | None = None

    async def start(self, request: Request) -> str:
        """Start a run, or find it started; return its guard's identity.

        Raises NoCapacity where it must wait, OSError where its folder cannot be made, and
        LauncherError where no guard can be had.
        """
        # A guard that was killed meanwhile may have started the run: another one then finds it.
        match await self._ask(request) or await self._ask(request):
            case {"guard": str(guard)}:
                return guard
            case {"waiting": str(why)}:
                raise NoCapacity(why)
            case {"errno": int(number), "path": str(path)}:
                raise OSError(number, os.strerror(number), path)
            case _:
                raise LauncherError(f"{request['name']} could not be started: its guard ended twice")

    async def close(self) -> None:
        """Let go of the guard; it ends when its last run has."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _ask(self, request: Request) -> Mapping[str, object]:
        request["number"] = next(self._numbers)
        async with self._connecting:
            if self._connection is not None and self._connection.lost.is_set():
                await self.close()
            if self._connection is None:
                self._connection = await _connect()
        return await self._connection.ask(request)


async def _connect() -> _Connection:
    _forget_ended_guards()
    here, there = socket.socketpair()
    with there:
        _guards.add(_spawn(there.fileno()))
    _, connection = await asyncio.get_running_loop().create_unix_connection(_Connection, sock=here)
    return connection


def _spawn(end: int) -> int:
    """Start a guard in a session of its own, with its end of the socket as standard input."""
    encoding = f"utf8={sys.flags.utf8_mode}"  # it must read and write names as this process does
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-X", encoding, "-c", _PROGRAM, str(_PACKAGES)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, end, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGCHLD),
    )


def _forget_ended_guards() -> None:
    """Let go of the guards that ended; those that still have runs outlive this process, if need be."""
    for pid in tuple(_guards):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended = pid
        if ended:
            _guards.remove(pid)


class _Connection(asyncio.Protocol):
    """The socket to a running guard."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Mapping[str, object]]] = {}
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand answers to those who wait for them."""
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            waiting = self._waiting.pop(answer["number"])
            if not waiting.done():
                waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """Let all know who wait that no answer will come."""
        self.lost.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result({})

    async def ask(self, request: Request) -> Mapping[str, object]:
        """Return the answer to a request, empty if the guard ended before it gave one."""
        waiting: asyncio.Future[Mapping[str, object]] = asyncio.get_running_loop().create_future()
        self._waiting[request["number"]] = waiting
        self._transport.write(json.dumps(request).encode() + b"\n")
        return await waiting

    async def close(self) -> None:
        """Close the socket."""
        self._transport.close()
        await self.lost.wait()
        _forget_ended_guards()

"""Processes of the command line that need not import it: each is forked from one that has.

What a start costs, mostly imports, is thus paid once and not by each of the many calls that tests make. A
process is otherwise as it always is: with arguments, environment, folder, output and exit status of its own.
Run as a program, this is the one that they are forked from.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

import hpo
from hpo.cli.main import main
from tests import services

_LONGEST = 1 << 20


def call(
    args: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    files: Sequence[IO[bytes]],
    patience: float,
) -> int:
    """Run `hpo ARGS` to its end, and return its exit status, negative after a signal.

    `files` are its standard input, output and error. Raises subprocess.TimeoutExpired, having killed it,
    after `patience` seconds.
    """
    mask = os.umask(0o022)
    os.umask(mask)
    request = {"args": list(args), "folder": str(folder), "environment": dict(environment), "umask": mask}
    here, there = socket.socketpair()
    with here, here.makefile("r") as answers:
        with there:
            ends = [*(file.fileno() for file in files), there.fileno()]
            socket.send_fds(_origin(), [json.dumps(request).encode()], ends)
        begun = answers.readline()  # after all imports, the first time
        assert begun, "the process that is forked for each call has died; `python -m tests.forked` says why"
        pid = int(begun)
        here.settimeout(patience)
        try:
            return int(answers.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["hpo", *args], patience) from None


@functools.cache
def _origin() -> socket.socket:
    """Start the process that the others are forked from, and return the way to it."""
    here, there = socket.socketpair(type=socket.SOCK_SEQPACKET)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST)
    with there:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            stdin=there.fileno(),
            stdout=subprocess.DEVNULL,
            cwd=Path(__file__).parents[1],
            env={**os.environ, "PYTHONWARNINGS": "error", "OPENBLAS_NUM_THREADS": "1"},
        )

    def close() -> None:
        here.close()
        process.wait()

    atexit.register(close)
    return here


def _serve(requests: socket.socket) -> None:
    """Fork a process for each request, and return in that process, as in a program that has just begun."""
    _import_all()
    gc.collect()
    gc.freeze()  # what is never looked at again need not be copied
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel takes those away that have ended
    while True:
        data, files, _, _ = socket.recv_fds(requests, _LONGEST, 4)
        if not data:
            requests.close()
            sys.exit()
        if not os.fork():
            break
        for file in files:
            os.close(file)
    requests.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    answer = socket.socket(fileno=files.pop())
    if pid := os.fork():
        with suppress(BrokenPipeError):
            answer.sendall(f"{pid}\n".encode())
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            answer.sendall(f"{status}\n".encode())
        os._exit(0)
    answer.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    request = json.loads(data)
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["hpo", *request["args"]]


def _import_all() -> None:
    """Import every module of hpo's that a command may need, and those that it needs only when it is used."""
    for module in pkgutil.walk_packages(hpo.__path__, "hpo."):
        if not module.name.startswith("hpo.testing") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("boto3", "botocore.config", "difflib", "docker", "optuna.storages", "s3transfer.manager"):
        importlib.import_module(name)
    _read_services()


def _read_services() -> None:
    """Read what AWS's services are like, which is long, once for all."""
    from boto3 import Session

    services.read_once()
    session = Session("nobody", "secret", region_name="us-east-1")
    for service in ("sagemaker", "s3", "logs", "sts"):
        session.client(service).close()


def _call() -> int:
    """Run the command line, and return the exit status."""
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1


def _end(status: int) -> NoReturn:
    """End as Python does, but leave what was imported to the system, which is far quicker."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve(socket.socket(fileno=0))
    _end(_call())

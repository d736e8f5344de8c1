"""The input channels of a job whose trials run on this machine: what is in S3 is downloaded, once."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

from hpo.errors import LauncherError, Preparing
from hpo.launchers import s3
from hpo.launchers.launcher import JobContext, Obstacle
from hpo.spec.paths import expanded

FOLDER = "inputs"
"""The folder, in a job's, of what was downloaded: one folder for each channel."""

_PATIENCE = 1.0
"""Seconds for which a launch waits for a download, before it says so and can be given up."""


def channel_paths(context: JobContext) -> dict[str, Path]:
    """Return where each channel's data lies on this machine, or will lie once it was downloaded."""
    return {
        channel: context.folder.absolute() / FOLDER / channel
        if given.startswith(s3.SCHEME)
        else (context.base / expanded(given)).absolute()
        for channel, given in context.inputs.items()
    }


def channel_obstacles(context: JobContext) -> Iterator[Obstacle]:
    """Yield what is wrong with each channel; S3 is asked once for each that is not here yet."""
    for channel, path in channel_paths(context).items():
        given = context.inputs[channel]
        if given.startswith(s3.SCHEME):
            problem = "" if path.exists() else _problem_in_s3(given, path)
        elif "://" in given:
            problem = f"trials on this machine cannot read {given}; copy it here and give the path"
        else:
            problem = "" if path.exists() else f"there is no {path}"
        if problem:
            yield Obstacle(("inputs", channel), problem)


def _problem_in_s3(given: str, path: Path) -> str:
    try:
        address = s3.Address.of(given)
        objects, are_all = s3.first_objects(address)
        s3.layout(address, objects)
    except LauncherError as error:
        return str(error)
    if are_all and not objects:
        return s3.nothing_at(address)
    needed, free = sum(stored.size for stored in objects), _free(path)
    if needed > free:
        why = _no_room(address, needed, free, path)
        return f"{why}; free some space, or set HPO_HOME to a folder on another disk"
    return ""


class Channels:
    """The channels of a job; those in S3 are downloaded into its folder before the first trial starts."""

    def __init__(self, context: JobContext) -> None:
        self.paths: Mapping[str, Path] = channel_paths(context)
        self._context = context
        self._in_s3 = {
            channel: given for channel, given in context.inputs.items() if given.startswith(s3.SCHEME)
        }
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="channels")
        self._turn = Lock()
        self._coming: Future[None] | None = None
        self._stopped = Event()

    @property
    def are_here(self) -> bool:
        """Whether there is nothing to wait for."""
        return all(self.paths[channel].exists() for channel in self._in_s3)

    def require(self) -> None:
        """See to it that all channels are here; waits for a moment.

        Raises Preparing while they are downloaded, CannotStart, LauncherError where it may do better
        later, and OSError.
        """
        with self._turn:
            if self.are_here:
                return
            if self._coming is None or self._coming.done():  # it failed, and may do better now
                self._coming = self._thread.submit(self._download)
            coming = self._coming
        wait([coming], timeout=_PATIENCE)
        if not coming.done():
            names = ", ".join(f"{channel} ({given})" for channel, given in self._in_s3.items())
            raise Preparing(f"its data is being downloaded: {names}")
        coming.result()

    def close(self) -> None:
        """Give up a download that is under way; another one goes on from there."""
        self._stopped.set()
        self._thread.shutdown(cancel_futures=True)

    def _download(self) -> None:
        folder = self._context.folder.absolute() / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / ".lock", self._stopped):
            for channel, given in self._in_s3.items():
                if not (path := self.paths[channel]).exists():
                    self._download_one(channel, s3.Address.of(given), path)

    def _download_one(self, channel: str, address: s3.Address, path: Path) -> None:
        def begin(amount: str, needed: int) -> None:
            if needed > (free := _free(path)):
                raise OSError(errno.ENOSPC, _no_room(address, needed, free, path))
            self._context.say(f"downloading {address} ({amount}) for the channel {channel}")

        try:
            # No channel's name begins with a dot.
            s3.download(address, path, path.with_name(f".{channel}"), begin=begin, stopped=self._stopped)
        except LauncherError as error:
            raise type(error)(f"inputs.{channel}: {error}") from error


def _free(path: Path) -> int:
    """Return the free bytes where a path lies, or is to lie."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def _no_room(address: s3.Address, needed: int, free: int, path: Path) -> str:
    return f"what is in {address} needs {s3.size_text(needed)}, and {s3.size_text(free)} are free for {path}"


@contextmanager
def _alone(path: Path, stopped: Event) -> Iterator[None]:
    """Let one process, or one launcher of it, at a time do what is in the block."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stopped.wait(0.1):
                    raise LauncherError("the download was stopped") from None
        yield
    finally:
        os.close(file)

"""What lies in the folder of a run in a container: its /opt/ml, its log, and the record of its end."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hpo.core.trial import checkpoints_place
from hpo.launchers.contract import FOLDERS
from hpo.launchers.end_record import End, made_up_id, read_end, write_end
from hpo.launchers.last_words import last_words

ID = "docker.id"
"""The file in a job's folder that tells this job from others of its name, wherever they are."""

_WRITTEN = tuple(name for name in FOLDERS if not name.startswith("input"))

_STOP = "stop"
_TURN = "start.lock"


def job_id(folder: Path) -> str:
    """Return what no other job has: made up once, and kept in the job's folder."""
    return made_up_id(folder / ID)


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log"
        self.ml = path / "ml"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, which the runs of a trial share, or those of each repeat."""
        link = self.path / "checkpoints"
        place = link.readlink().relative_to("..") if link.is_symlink() else link.name
        return self.path.parent / place

    def prepare(
        self, files: Mapping[str, str], channels: Mapping[str, Path], *, repeat: int, for_all: bool
    ) -> None:
        """Make the folder with the files of the contract, and a place to mount each channel at.

        `for_all` lets any user write what a run writes: its container has another one than the caller.
        Raises OSError.
        """
        if repeat > 1:  # a link, as all that is known of a run later is its folder
            self.path.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                (self.path / "checkpoints").symlink_to(f"../{checkpoints_place(repeat)}")
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        for name in (*FOLDERS, "checkpoints", *(f"input/data/{channel}" for channel in channels)):
            (self.ml / name).mkdir(parents=True, exist_ok=True)
        for channel, source in channels.items():
            if source.is_file():
                (self.ml / "input/data" / channel / source.name).touch()
        for name, text in files.items():
            path = self.ml / name
            if (
                not path.exists() or path.read_text(encoding="utf-8") != text
            ):  # a program may read it just now
                path.write_text(text, encoding="utf-8")
        if for_all:
            for path in (self.ml, *(self.ml / name for name in _WRITTEN), self.checkpoints):
                with contextlib.suppress(PermissionError):  # an earlier run's user has made it anew
                    path.chmod(0o777)
        self.log.touch()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let one launcher at a time start the run. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / _TURN, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def ask_to_stop(self) -> None:
        """Take note that the run is told to stop, so that its end is known for that. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / _STOP).touch()

    def was_asked_to_stop(self) -> bool:
        """Tell whether the run was told to stop."""
        return (self.path / _STOP).exists()

    def end(self) -> End | None:
        """Return how the run ended, once that is written down; native is its container."""
        return read_end(self.path)

    def write_end(self, end: End) -> None:
        """Write down how the run ended, after its log, so that its container is not needed any more.

        Raises OSError.
        """
        write_end(self.path, self.log, end)

    def last_words(self) -> str:
        """Return how "exit status 3" goes on."""
        return last_words(self.log, self.ml / "output" / "failure")

"""Files here that training jobs are to get: listed, and told apart by what is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from hpo.errors import CannotStart, LauncherError

_LENGTH = 16
"""Hexadecimal digits of a digest: two different contents never share 64 bits by chance."""

_AT_ONCE = 2**22


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file, and what tells whether it was changed."""

    path: Path
    name: str  # below its folder, with slashes
    size: int
    mode: int
    stamp: tuple[int, int, int]  # inode, changed, modified

    @classmethod
    def of(cls, path: Path, name: str) -> LocalFile:
        """Look at a file. Raises OSError."""
        found = path.stat()
        stamp = found.st_ino, found.st_ctime_ns, found.st_mtime_ns
        return cls(path, name, found.st_size, found.st_mode, stamp)

    @property
    def is_program(self) -> bool:
        """Whether its owner may execute it."""
        return bool(self.mode & 0o100)

    def check(self) -> None:
        """Raise LauncherError where it is not what it was when it was listed."""
        with suppress(FileNotFoundError):
            now = LocalFile.of(self.path, self.name)
            if (now.size, now.stamp) == (self.size, self.stamp):
                return
        raise LauncherError(f"{self.path} was changed while it was read; leave it alone until it is uploaded")


def _nothing(path: str, *, is_folder: bool) -> bool:  # noqa: ARG001 -- as `Ignored` is called
    return False


def files_below(path: Path, ignored: Callable[..., bool] = _nothing) -> list[LocalFile]:
    """Return the files of a folder and its folders, or the one file, by name; links are followed.

    `ignored(name, is_folder=…)` tells what is left out. Raises CannotStart for what cannot be uploaded.
    """
    try:
        if path.is_dir():
            found = _below(path, "", ignored, (path.resolve(),))
            return sorted(found, key=lambda file: file.name)
        return [LocalFile.of(path, path.name)]
    except OSError as error:
        raise CannotStart(f"{error.filename or path} cannot be read: {error.strerror or error}") from error


def _below(
    folder: Path, prefix: str, ignored: Callable[..., bool], around: tuple[Path, ...]
) -> Iterator[LocalFile]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name, path = f"{prefix}{entry.name}", Path(entry.path)
            is_folder = entry.is_dir()
            if ignored(name, is_folder=is_folder):
                continue
            if is_folder:
                real = path.resolve()
                if real in around:
                    raise CannotStart(f"{path} leads back to {real}, which it lies in; remove that link")
                yield from _below(path, f"{name}/", ignored, (*around, real))
            elif path.is_file():
                yield LocalFile.of(path, name)
            else:
                raise CannotStart(f"{path} is no file, or a link to nothing; move it elsewhere")


def stamp_of(files: Sequence[LocalFile]) -> str:
    """Return what changes when a file does, without reading any."""
    looks = [(file.name, str(file.path), file.size, file.mode, file.stamp) for file in files]
    return hashlib.sha256(repr(looks).encode(errors="surrogateescape")).hexdigest()


def digest_of(files: Sequence[LocalFile], stopped: Event) -> str:
    """Return what tells the files' names and contents from all others.

    Raises LauncherError where a file changes meanwhile or it is stopped, CannotStart for one that
    cannot be read.
    """
    whole = hashlib.sha256()
    for file in files:
        each = hashlib.sha256()
        try:
            with file.path.open("rb") as opened:
                while data := opened.read(_AT_ONCE):
                    each.update(data)
                    if stopped.is_set():
                        raise LauncherError("the upload was stopped")
        except OSError as error:
            raise CannotStart(f"{file.path} cannot be read: {error.strerror or error}") from error
        file.check()
        name = file.name.encode(errors="surrogateescape")
        whole.update(b"%d %d %s %s" % (len(name), file.is_program, name, each.digest()))
    return whole.hexdigest()[:_LENGTH]

"""A program's folder as SageMaker's training toolkit wants it: the same archive for the same files."""

from __future__ import annotations

import gzip
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from hpo.errors import CannotStart, LauncherError
from hpo.launchers import s3
from hpo.launchers.launcher import JobContext, Obstacle
from hpo.launchers.sagemaker.ignore import ALWAYS, FILE, Ignored
from hpo.launchers.sagemaker.local_files import LocalFile, files_below
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.spec.paths import expanded

NAME = "sourcedir.tar.gz"

_REQUIREMENTS = "requirements.txt"
"""What the toolkit installs before the program starts, where it is there."""

_TIME = 946684800
"""The first second of 2000, which every file bears: no wheel is built of files older than 1980."""


def source_files(context: JobContext, options: SageMakerOptions) -> list[LocalFile]:
    """Return the files that are packed, by name; none where the program is in S3, or in the image.

    Raises CannotStart for what cannot be packed.
    """
    if options.source_dir is None or options.source_dir.startswith(s3.SCHEME):
        return []
    folder = _local(context, options.source_dir)
    files = {file.name: file for file in files_below(folder, _left_out(folder, context))}
    if options.requirements is not None:
        [given] = files_below(_local(context, options.requirements))
        files[_REQUIREMENTS] = replace(given, name=_REQUIREMENTS)
    return sorted(files.values(), key=lambda file: file.name)


def pack(files: list[LocalFile], target: IO[bytes]) -> None:
    """Write the files as a sourcedir.tar.gz: owners and times are no part of it.

    Raises LauncherError where a file changes meanwhile, and OSError.
    """
    with (
        gzip.GzipFile("", "wb", fileobj=target, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in files:
            entry = tarfile.TarInfo(file.name)
            entry.size, entry.mtime, entry.mode = file.size, _TIME, 0o755 if file.is_program else 0o644
            with file.path.open("rb") as content:
                tar.addfile(entry, content)
            file.check()


def source_obstacles(context: JobContext, options: SageMakerOptions) -> Iterator[Obstacle]:
    """Yield what is wrong with the program of script mode, as far as it shows here."""
    if options.source_dir is None or options.entry_point is None:
        return
    at = ("launcher", "source_dir")
    if options.source_dir.startswith(s3.SCHEME):
        if not options.source_dir.endswith(".tar.gz"):
            yield Obstacle(at, f"in S3 it must be a packed folder: s3://BUCKET/…/{NAME}")
        if options.requirements is not None:
            text = "they are packed with a folder here; what is in S3 must have its own requirements.txt"
            yield Obstacle(("launcher", "requirements"), text)
        return
    folder = _local(context, options.source_dir)
    if not folder.is_dir():
        yield Obstacle(at, f"there is no folder {folder}")
        return
    if options.requirements is not None and not (path := _local(context, options.requirements)).is_file():
        yield Obstacle(("launcher", "requirements"), f"there is no file {path}")
        return
    try:
        names = {file.name for file in source_files(context, options)}
    except LauncherError as error:
        yield Obstacle(at, str(error))
        return
    program = posixpath.normpath(options.entry_point)
    if program not in names:
        there = (folder / program).is_file()
        why = f"{FILE} leaves it out" if there else f"there is no such file in {folder}"
        yield Obstacle(("launcher", "entry_point"), why)


def _local(context: JobContext, path: str) -> Path:
    return (context.base / expanded(path)).absolute()


def _left_out(folder: Path, context: JobContext) -> Callable[..., bool]:
    """Return what tells which files are no part of the program; hpo's own state never is."""
    try:
        written = (folder / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        written = []
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"{folder / FILE} cannot be read: {error}") from error
    ignored = Ignored([*ALWAYS, *written])
    state = context.state.resolve()

    def left_out(name: str, *, is_folder: bool) -> bool:
        return ignored(name, is_folder=is_folder) or (is_folder and (folder / name).resolve() == state)

    return left_out

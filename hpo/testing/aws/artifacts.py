"""What a training job leaves in S3: its model, its output and its checkpoints."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hpo.testing.aws.objects import Address, Objects
from hpo.testing.aws.request import JobRequest


def upload(objects: Objects, roots: Sequence[Path], request: JobRequest) -> str:
    """Have model and output of all hosts in S3, and return where the model is. Raises JobFailure."""
    place = request.output.below(request.name, "output")
    model = _upload(objects, [root / "model" for root in roots], place, "model", request=request)
    outputs = [root / "output/data" for root in roots]
    if any(any(output.iterdir()) for output in outputs):
        _upload(objects, outputs, place, "output", request=request)
    return model


def _upload(
    objects: Objects, folders: Sequence[Path], place: Address, name: str, *, request: JobRequest
) -> str:
    files = {
        str(file.relative_to(folder)): file
        for folder in reversed(folders)
        for file in sorted(folder.rglob("*"))
    }
    if not request.compresses:
        for path, file in files.items():
            if file.is_file():
                objects.upload(file, place.below(name, path))
        return f"{place.below(name)}/"
    packed = folders[0].parent / f".{name}.tar.gz"
    with tarfile.open(packed, "w:gz", compresslevel=1) as archive:
        for path, file in sorted(files.items()):
            archive.add(file, path, recursive=False)
    address = place.below(f"{name}.tar.gz")
    objects.upload(packed, address)
    return str(address)


class Checkpoints:
    """A host's folder of checkpoints, kept the same in S3."""

    def __init__(self, objects: Objects, folder: Path, address: Address) -> None:
        self._objects = objects
        self._folder = folder
        self._address = address
        self._seen: dict[str, tuple[int, int]] = {}

    def restore(self) -> None:
        """Have what is in S3 in the folder. Raises JobFailure."""
        start = self._address.key.rstrip("/")
        start = f"{start}/" if start else ""
        for key in self._objects.keys(Address(self._address.bucket, start)):
            path = key.removeprefix(start)
            self._objects.download(Address(self._address.bucket, key), self._folder / path)
            self._seen[path] = _mark(self._folder / path)

    def sync(self) -> None:
        """Have in S3 what is new or changed in the folder; what is gone stays in S3. Raises JobFailure."""
        for file in sorted(self._folder.rglob("*")):
            with suppress(FileNotFoundError, PermissionError):  # it may be taken away meanwhile, or be root's
                if not file.is_file() or file.is_symlink():
                    continue
                path, mark = str(file.relative_to(self._folder)), _mark(file)
                if self._seen.get(path) != mark and self._upload(file, path):
                    self._seen[path] = mark

    def _upload(self, file: Path, path: str) -> bool:
        """Have a file in S3 as it is now, and return whether it was left alone while it was read.

        It is read once: a body that changes while it is sent would be stored with a checksum of another.
        """
        before = _mark(file)
        with tempfile.NamedTemporaryFile() as copy:
            shutil.copyfile(file, copy.name)
            self._objects.upload(Path(copy.name), self._address.below(path))
        return _mark(file) == before


def _mark(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_mtime_ns, state.st_size

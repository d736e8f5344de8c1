"""A run's files on their way into a container and out of it, where an engine cannot mount them."""

from __future__ import annotations

import contextlib
import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hpo.launchers.docker import secret
from hpo.launchers.docker.engine import Engine
from hpo.launchers.docker.faults import ContainerGone
from hpo.launchers.docker.folder import RunFolder

_IN_MEMORY = 2**20


@contextmanager
def pack(folder: RunFolder, channels: Mapping[str, Path], secrets: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """Give a tar archive of what a run's container is to have below its root."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(folder.ml, "opt/ml", filter=_for_all)
            archive.add(folder.checkpoints, "opt/ml/checkpoints", filter=_for_all)
            for channel, source in channels.items():
                inside = f"opt/ml/input/data/{channel}"
                target = f"{inside}/{source.name}" if source.is_file() else inside
                archive.add(source.resolve(), target, filter=_for_all)
            if secrets:
                text = secret.assignments(secrets).encode(errors="surrogateescape")
                entry = tarfile.TarInfo(secret.INSIDE.lstrip("/"))
                entry.size, entry.mode = len(text), 0o444
                archive.addfile(entry, io.BytesIO(text))
        file.seek(0)
        yield file


def fetch(engine: Engine, container: str, folder: RunFolder) -> None:
    """Copy what a run has made out of its container, which has ended."""
    kept = folder.checkpoints.parent
    for name, target in (("model", folder.ml), ("output", folder.ml), ("checkpoints", kept)):
        with contextlib.suppress(ContainerGone):
            engine.get(container, f"/opt/ml/{name}", target)


def _for_all(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Let whichever user the container has read and write it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode |= 0o777 if entry.isdir() else 0o666
    return entry

"""Secrets on their way into a container, past `docker inspect`."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

INSIDE = "/run/hpo-secrets"
"""Where a container finds its secrets, as assignments for a shell."""

SHELL = "/bin/sh"
_READ = f'set -a; . {INSIDE}; set +a; exec "$@"'


def can_be_hidden(names: Iterable[str]) -> bool:
    """Tell whether a shell can take variables of these names."""
    return all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in names)


def reading(program: Sequence[str]) -> list[str]:
    """Return the entry point of a container that reads its secrets and becomes `program`."""
    return [SHELL, "-c", _READ, "sh", *program]


def assignments(secrets: Mapping[str, str]) -> str:
    """Return the secrets as the text of the file that the container reads."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in secrets.items())


def file_name(job_id: str, run: Path) -> str:
    """Return the name of the file with the secrets of a run, of which no other run has one."""
    return f"{job_id}-{run.parent.name}-{run.name}"


def write(name: str, secrets: Mapping[str, str], job: Path) -> Path:
    """Write a container's secrets where it can be given them from: in memory, else in the job's folder.

    The folder is open to nobody else; the file itself can be read by whichever user the container has.
    """
    folder = _folder(job)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8", errors="surrogateescape") as opened:
        os.fchmod(file, 0o644)  # whatever the caller's umask is
        opened.write(assignments(secrets))
    return path


def forget(name: str, job: Path) -> None:
    """Delete a container's secrets."""
    with contextlib.suppress(OSError):
        (_folder(job) / name).unlink()


def forget_all(job_id: str, job: Path) -> None:
    """Delete the secrets of all containers of a job."""
    for path in _folder(job).glob(f"{job_id}-*"):
        path.unlink(missing_ok=True)


def _folder(job: Path) -> Path:
    """Return a folder of this user's own: below /dev/shm, which is never on a disk, else the job's."""
    otherwise = job / "secrets"
    memory = Path("/dev/shm")  # noqa: S108 -- a folder of one's own in it, as the check below makes sure
    if not os.access(memory, os.W_OK):
        return otherwise
    folder = memory / f"hpo-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    owned = found.st_uid == os.getuid() and not found.st_mode & 0o077 and not folder.is_symlink()
    return folder if owned else otherwise

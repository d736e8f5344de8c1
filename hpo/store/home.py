"""The state folder: a folder for each job, found by the job's name."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpo.errors import JobExists, JobNotFound, UsageError

NAME = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,31}")
"""What a job's name looks like: letters, digits and inner hyphens, at most 32 in all."""

DATABASE = "job.db"
SPEC = "spec.yaml"


def state_folder() -> Path:
    """Return where all state lives: $HPO_HOME, or the user's state folder."""
    if home := os.environ.get("HPO_HOME"):
        return Path(home).expanduser().absolute()
    if sys.platform != "darwin" and (state := os.environ.get("XDG_STATE_HOME")):
        return Path(state) / "hpo"
    return Path.home() / ".local" / "state" / "hpo"


def job_folder(name: str) -> Path:
    """Return where the job of that name lies, or would lie.

    Raises UsageError where `name` cannot be a job's: it would otherwise become a path.
    """
    if len(name) > 32 or not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no job name (1 to 32 letters, digits, inner hyphens); see `hpo list`")
    return state_folder() / "jobs" / name


def existing_job(name: str) -> Path:
    """Return the folder of a job that exists. Raises JobNotFound, with the closest name there is."""
    folder = job_folder(name)
    if not (folder / DATABASE).exists():
        import difflib

        close = difflib.get_close_matches(name, job_names(), n=1)
        hint = f"; did you mean {close[0]}?" if close else "; `hpo list` shows the jobs here"
        raise JobNotFound(f"there is no job {name} in {folder.parent}{hint}")
    return folder


def job_names() -> list[str]:
    """Return the names of all jobs here, sorted."""
    jobs = state_folder() / "jobs"
    if not jobs.is_dir():
        return []
    return sorted(
        entry.name for entry in jobs.iterdir() if (entry / DATABASE).exists() and entry.name[0] != "."
    )


@contextmanager
def new_job(name: str) -> Iterator[Path]:
    """Give a folder to fill; it becomes the job's in one step when the block ends well.

    Raises JobExists where another one was quicker, or there before.
    """
    folder = job_folder(name)
    if folder.exists():
        raise _exists(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        try:
            draft.rename(folder)
        except OSError as error:
            if folder.exists():
                raise _exists(name) from error
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def delete_job(folder: Path) -> None:
    """Delete a job's folder; cut off half-way, what is left is no job any more."""
    doomed = folder.parent / f".{folder.name}.deleted"
    shutil.rmtree(doomed, ignore_errors=True)
    folder.rename(doomed)
    shutil.rmtree(doomed)


def _exists(name: str) -> JobExists:
    return JobExists(
        f"a job named {name} exists already. Go on with it: `hpo resume {name}` (or --or-resume); "
        f"start another one: --name OTHER; look at it: `hpo status {name}`; remove it: `hpo delete {name}`"
    )

"""The state folder: a folder for each job, found by the job's name."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpo.errors import JobExists, JobNotFound, UsageError
from hpo.spec.names import JOB_NAME
from hpo.spec.paths import expanded

DATABASE = "job.db"
SPEC = "spec.yaml"


def state_folder() -> Path:
    """Return where all state lives: $HPO_HOME, or the user's state folder.

    Raises UsageError where neither can be told.
    """
    if home := os.environ.get("HPO_HOME"):
        try:
            return expanded(home).absolute()
        except UsageError as error:
            raise UsageError(f"HPO_HOME is {home}: {error}") from None
    if sys.platform != "darwin" and (state := os.environ.get("XDG_STATE_HOME")):
        return Path(state) / "hpo"
    try:
        return expanded("~/.local/state/hpo")
    except UsageError:  # a container may run as a user that it does not know
        raise UsageError("this user has no home folder; set HPO_HOME to the folder for jobs") from None


def job_folder(name: str) -> Path:
    """Return where the job of that name lies, or would lie.

    Raises UsageError where `name` cannot be a job's: it would otherwise become a path.
    """
    if not JOB_NAME.fullmatch(name):
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
        entry.name
        for entry in jobs.iterdir()
        if JOB_NAME.fullmatch(entry.name) and (entry / DATABASE).exists()  # no other is a name to ask for
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

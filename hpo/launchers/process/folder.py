"""The folder of a local run, as its guard writes it and the launcher reads it."""
# The guard imports no pathlib, so that it starts fast.
# ruff: noqa: PTH102, PTH103, PTH104, PTH110, PTH112, PTH120, PTH123, PTH211

from __future__ import annotations

import errno
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo.launchers.process.client import Request

STATE = "run.jsonl"
"""The file with the guard's identity in its first line and, once the run has ended, how in its second."""
LOG = "log"
"""The file that the program's output goes to. Both are there as soon as the folder is."""
STOP = "stop"
"""The file that asks the guard to stop the program; there is one only where that was asked."""
KILL = "kill"
"""The same, without a grace period."""
MARKER = "HPO_RUN_FOLDER"
"""The variable that holds the run's folder in the environment of its processes, and of no others."""


class Place:
    """Where a run lies and whose it is: its folder, absolute, and the identity of its guard."""

    def __init__(self, folder: str, guard: str) -> None:
        self.folder = folder
        self.guard = guard


def claim(request: Request, own: str) -> bool:
    """Make the run's folder with everything in it; tell whether it was not there yet.

    The folder gets its name once it is complete, and only where nothing has that name: of any number
    of guards that want the run, whichever tuners they serve, exactly one gets it. Raises OSError.
    """
    folder = request["folder"]
    draft = f"{folder}.{own.replace(' ', '-')}"
    try:
        for name in request["shared"]:
            os.makedirs(f"{os.path.dirname(folder)}/{name}", exist_ok=True)
        os.mkdir(draft)
        for name in request["folders"]:
            os.mkdir(f"{draft}/{name}")
        for name, text in request["files"].items():
            _write(f"{draft}/{name}", text)
        for name, target in request["links"].items():
            os.symlink(target, f"{draft}/{name}")
        _write(f"{draft}/{STATE}", _line({"guard": own}))
        _write(f"{draft}/{LOG}", "")
        os.rename(draft, folder)
    except OSError as error:
        _remove(draft)
        if error.filename2 != folder or error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        return False
    return True


def record(folder: str, own: str, ending: Mapping[str, object]) -> None:
    """Write down how the run ended, in one write to a file that has its place on the disk already.

    A file that the program deleted is made again, and the folder with it, unless the whole job is
    gone. Raises OSError where there is no room; nothing is written then.
    """
    line = _line(ending)
    try:
        file = os.open(f"{folder}/{STATE}", os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        for path in (os.path.dirname(folder), folder):
            if not os.path.isdir(path):
                os.mkdir(path)
        _write(f"{folder}/{STATE}.new", _line({"guard": own}) + line)
        os.rename(f"{folder}/{STATE}.new", f"{folder}/{STATE}")
        return
    try:
        before = os.fstat(file).st_size
        if os.write(file, line.encode()) < len(line):
            os.ftruncate(file, before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)
    finally:
        os.close(file)


def state(folder: str) -> tuple[str, dict[str, object] | None]:
    """Return the identity of the run's guard, "" without one, and how the run ended, None while it runs.

    Raises ValueError where the file is damaged.
    """
    try:
        with open(f"{folder}/{STATE}", "rb", buffering=0) as file:
            lines = file.readall().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return "", None
    match [json.loads(line) for line in lines[:-1]]:
        case [{"guard": str(guard)}]:
            return guard, None
        case [{"guard": str(guard)}, {"ended": float()} as ending]:
            return guard, ending
        case _:
            raise ValueError(f"{folder}/{STATE} is damaged")


def ask(folder: str, what: str) -> None:
    """Leave word for the run's guard: STOP or KILL. Raises OSError."""
    os.makedirs(folder, exist_ok=True)  # it may be the program that deleted it
    _write(f"{folder}/{what}", "")


def is_asked(folder: str, what: str) -> bool:
    """Tell whether STOP or KILL was asked for."""
    return os.path.exists(f"{folder}/{what}")


def owner(folder: str) -> str:
    """Return the identity of the run's guard; "" where the run was never started."""
    try:
        return state(folder)[0]
    except ValueError:
        return "unknown"


def _line(values: Mapping[str, object]) -> str:
    return json.dumps(values) + "\n"


def _write(path: str, text: str) -> None:
    data = text.encode(errors="surrogateescape")
    with open(path, "wb", buffering=0) as file:
        if file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def _remove(draft: str) -> None:
    import shutil

    shutil.rmtree(draft, ignore_errors=True)

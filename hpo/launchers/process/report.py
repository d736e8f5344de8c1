"""How a local run ended, in the words that all launchers share."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from hpo.core.trial import Reason, RunReport, RunState
from hpo.launchers.last_words import last_words
from hpo.launchers.process.folder import LOG, MARKER, Place, state
from hpo.launchers.process.identity import all_pids, boot, has_variable, pid_of

FAILURE = "ml/output/failure"
"""Where a program may say, in the run's folder, why it failed."""


@dataclass(frozen=True, slots=True)
class Started:
    """What was started, for the words about what could not be."""

    program: str
    workdir: str


def report(place: Place, started: Started) -> RunReport | None:
    """Return how a run ended; None while nothing is written down of that."""
    try:
        _, ending = state(place.folder)
    except ValueError:
        return RunReport(RunState.LOST, Reason.LOST, f"what is written down in {place.folder} is damaged")
    if ending is None:
        return None
    began, ended = cast("float | None", ending.get("started")), cast("float", ending["ended"])
    return replace(_how(ending, place, started), started=began, ended=ended)


def _how(ending: Mapping[str, object], place: Place, started: Started) -> RunReport:
    match ending:
        case {"failed": str(failed), "errno": int(number)}:
            detail = _why_not(failed, number, started)
            return RunReport(RunState.FAILED, Reason.COULD_NOT_START, detail)
        case {"stopped": True}:
            return RunReport(RunState.STOPPED)
        case {"status": 0}:
            return RunReport(RunState.SUCCEEDED)
        case {"out_of_memory": True, "max_rss": int(peak)}:
            reason = Reason.OUT_OF_MEMORY
            what = f"the kernel killed it for want of memory; at its peak it held {peak / 2**20:,.0f} MiB"
        case {"signal": int(number)}:
            reason = Reason.SIGNAL
            what = f"killed by {_signal_name(number)}"
        case _:
            reason = Reason.EXIT_STATUS
            what = f"exit status {ending.get('status')}"
    words = last_words(Path(place.folder, LOG), Path(place.folder, FAILURE))
    return RunReport(RunState.FAILED, reason, f"{what}{words}")


def lost(place: Place) -> RunReport:
    """Return the report of a run that is gone without a record; what is left of it is killed."""
    if not place.guard or not Path(place.folder).is_dir():
        detail = f"there is nothing of it in {place.folder}"
    elif not place.guard.endswith(boot()):
        detail = "the machine was restarted while it ran, or it ran on another one"
    else:
        _end_leftovers(place.folder)
        detail = f"its guard, process {pid_of(place.guard)}, was killed; its exit status is unknown"
    return RunReport(RunState.LOST, Reason.LOST, detail, time.time())


def _end_leftovers(folder: str) -> None:
    """Kill every process of the run of this folder; what survives that for a second is left.

    It takes two looks: a process is not known for what it is while it starts another program.
    """
    looks_without = 0
    for _ in range(100):
        left = [pid for pid in all_pids() if pid != os.getpid() and has_variable(pid, MARKER, folder)]
        looks_without = 0 if left else looks_without + 1
        if looks_without == 2:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _why_not(failed: str, number: int, started: Started) -> str:
    why = os.strerror(number)
    if failed == "workdir":
        return f"the working directory {started.workdir} cannot be entered: {why}"
    match number:
        case errno.ENOENT:
            hint = "; it, or the interpreter that its first line names, does not exist"
        case errno.EACCES:
            hint = f"; `chmod +x {started.program}` makes it executable"
        case errno.ENOEXEC:
            hint = "; its first line must name an interpreter, as `#!/bin/sh` does"
        case errno.E2BIG:
            hint = "; its parameters and variables are too long for this system"
        case _:
            hint = ""
    return f"{started.program} cannot be started: {why}{hint}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"

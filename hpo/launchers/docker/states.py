"""How an engine's states and words read in those that all launchers share."""

from __future__ import annotations

import errno
import os
import re
import signal
from dataclasses import dataclass

from hpo.core.trial import Reason, RunReport, RunState
from hpo.errors import CannotStart, LauncherError
from hpo.launchers.docker.answers import Container

_INIT_FAILED = re.compile(r"^\[FATAL tini \(\d+\)\] exec (?P<program>.+) failed: (?P<why>.+)$", re.MULTILINE)
"""What the engine's init process prints where it cannot start the program."""

_SHELL_FAILED = re.compile(r"^sh: (?:line )?\d+: exec: (?P<program>.+): (?P<why>[^:]+)$", re.MULTILINE)
"""What the shell that has read a run's secrets prints where it cannot start the program."""

MISSING_SOURCE = "bind source path does not exist"
"""What an engine says where it should mount what its machine does not have."""

_BY_THE_ENGINE = frozenset({128 + signal.SIGTERM, 128 + signal.SIGKILL, 255})
"""The exit statuses of containers that an engine ended as it went down, or found dead as it came up."""

_HINTS = (
    (
        "could not select device driver",
        "this engine cannot give GPUs to containers; install the NVIDIA Container Toolkit there",
    ),
    ("executable file not found", "`command` or `entrypoint` names no program of the image"),
    ("no such file or directory", "`command`, `entrypoint` or `workdir` names nothing in the image"),
    ("permission denied", "the program is not executable for the container's user"),
    ("network", "`docker network ls` shows the networks there are"),
    ("unable to find user", "`user` is no user of the image; a number needs no entry there"),
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What must be known of a run besides how its container looks."""

    asked_to_stop: bool = False
    engine_was_away: bool = False  # while it ran
    memory: str = ""  # its limit, in words
    last_words: str = ""  # what the program said of its failure, or its last lines
    output_end: str = ""  # the end of its log


def report(container: Container, around: Circumstances) -> RunReport:
    """Return what it means for its run how a container ended: the one table of outcomes."""
    ended, status = container.ended, container.exit_status
    failed_start = None
    if status in {126, 127}:
        failed_start = _INIT_FAILED.search(around.output_end) or _SHELL_FAILED.search(around.output_end)
    match status:
        case _ if container.out_of_memory and status != 0:
            limit = around.memory or "that of the engine's machine"
            what, reason = (
                f"the kernel killed it for want of memory; its limit is {limit}",
                Reason.OUT_OF_MEMORY,
            )
        case _ if around.asked_to_stop:
            return RunReport(RunState.STOPPED, ended=ended)
        case 0:
            return RunReport(RunState.SUCCEEDED, ended=ended)
        case _ if around.engine_was_away and status in _BY_THE_ENGINE:
            return RunReport(
                RunState.LOST,
                Reason.LOST,
                f"the engine ended it as it went down (exit status {status})",
                ended,
            )
        case _ if failed_start is not None:
            text = f"{failed_start['program']} cannot be started in the image: {failed_start['why']}"
            return RunReport(RunState.FAILED, Reason.COULD_NOT_START, text, ended)
        case int() if 128 < status <= 128 + signal.NSIG:
            what, reason = f"killed by {_signal_name(status - 128)}", Reason.SIGNAL
        case _:
            what, reason = f"exit status {status}", Reason.EXIT_STATUS
    if container.error:
        what = f"{what} ({container.error})"
    return RunReport(RunState.FAILED, reason, f"{what}{around.last_words}", ended)


def gone(engine: str) -> RunReport:
    """Return the report of a run whose container is not there any more."""
    return RunReport(RunState.LOST, Reason.LOST, f"its container was removed from the engine at {engine}")


def why_not_started(words: str) -> str:
    """Return an engine's words on why a container cannot be started, with what to do."""
    hint = next((hint for part, hint in _HINTS if part in words.lower()), "")
    return f"the engine cannot start its container: {words}{f'; {hint}' if hint else ''}"


def refusal(error: LauncherError) -> Exception:
    """Return what an engine's refusal to create or start a container means for the run."""
    words = str(error)
    if "no space left on device" in words.lower():
        return OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} at the engine: {words}")
    if isinstance(error, CannotStart):
        return error
    return CannotStart(why_not_started(words))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"

"""Which process is which: a pid alone may be another process's by the time it is used."""
# The guard imports no pathlib, so that it starts fast.
# ruff: noqa: PTH112, PTH123, PTH208

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def identity(pid: int) -> str:
    """Return what tells this process from every other one: pid, start time, boot; "" if it has ended."""
    if sys.platform != "linux":
        return _identity_by_ps(pid)
    state, _, *fields = _stat(pid) or ["Z", ""]
    return "" if state in {"Z", "X"} else f"{pid} {fields[17]} {boot()}"


@functools.cache
def boot() -> str:
    """Return what tells this start of the machine from every other one; "" where identities do without."""
    if sys.platform != "linux":
        return ""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read(8)


def is_alive(who: str) -> bool:
    """Tell whether the process of this identity has not ended."""
    return bool(who) and identity(pid_of(who)) == who


def pid_of(who: str) -> int:
    """Return the pid of an identity; 0 where there is none in it."""
    pid = who.partition(" ")[0]
    return int(pid) if pid.isdigit() else 0


def open_pidfd(who: str) -> int:
    """Return a file descriptor that becomes readable when this process ends.

    Raises ProcessLookupError where it has ended, OSError where there are no such descriptors.
    """
    if sys.platform != "linux":
        raise OSError("this system has no pidfd")
    if pid := pid_of(who):
        descriptor = os.pidfd_open(pid)
        if is_alive(who):  # looked at after opening: what is alive now had this pid then, too
            return descriptor
        os.close(descriptor)
    raise ProcessLookupError(f"process {who} has ended")


def wake(who: str, number: signal.Signals) -> None:
    """Send a signal to the process of this identity and to no other; nothing if it has ended."""
    with contextlib.suppress(ProcessLookupError):
        try:
            descriptor = open_pidfd(who)
        except ProcessLookupError:
            return
        except OSError:  # then looking first must do
            if is_alive(who):
                os.kill(pid_of(who), number)
            return
        try:
            signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def children() -> set[int]:
    """Return the pids of this process's children, ended ones included; none without Linux's /proc."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
            return {int(pid) for pid in file.readall().split()}
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN, or no Linux
        own = str(os.getpid())
        return {pid for pid in all_pids() if (_stat(pid) or ["", ""])[1] == own}


def all_pids() -> Iterable[int]:
    """Return the pids of all processes; none without Linux's /proc."""
    if not os.path.isdir("/proc/self"):
        return ()
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def has_variable(pid: int, name: str, value: str) -> bool | None:
    """Tell whether a process was started with this variable in its environment.

    None where that cannot be seen: it has none, as for a moment while it starts another program; it
    has ended; it is another user's.
    """
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            environment = file.readall()
    except OSError:
        return None
    return os.fsencode(f"{name}={value}") in environment.split(b"\0") if environment else None


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat from the third, the state, on; none if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            stat = file.read(4096)
    except OSError:
        return []
    return stat[stat.rindex(b")") + 2 :].decode("ascii").split()


def _identity_by_ps(pid: int) -> str:
    import subprocess

    done = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        env={"LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        check=False,
        text=True,
    )
    state, _, started = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else f"{pid} {'-'.join(started.split())}".strip()

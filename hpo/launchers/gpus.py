"""The machine's GPUs as slots: each is used by one run at a time, whichever job it belongs to."""
# The guard imports no pathlib, so that it starts fast.
# ruff: noqa: PTH103

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable that says which GPUs a program may use."""


def candidates(environment: Mapping[str, str]) -> list[str]:
    """Return the GPUs to choose from: those of CUDA_VISIBLE_DEVICES if it is set, else all NVML knows."""
    if VISIBLE in environment:
        named = dict.fromkeys(name.strip() for name in environment[VISIBLE].split(","))  # each one once
        return [gpu for gpu in named if gpu not in {"", "-1"}]
    import pynvml

    try:
        pynvml.nvmlInit()
        try:
            return [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:  # no driver, or a broken one: no GPU
        return []


def too_few(gpus: Sequence[str], wanted: int) -> str:
    """Return what to say where a run wants more GPUs than there are to choose from."""
    found = f"only {', '.join(gpus)}" if gpus else "none"
    return f"a trial needs {wanted}, and {found} can be found here"


def numbering(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that makes CUDA number GPUs as NVML does, unless the user has numbered them."""
    order = "CUDA_DEVICE_ORDER"
    return {} if {VISIBLE, order} & environment.keys() else {order: "PCI_BUS_ID"}


def take(gpus: Sequence[str], wanted: int, *, folder: str, name: str) -> tuple[list[str], list[int]]:
    """Take `wanted` of the GPUs for the run of this name, or none; return them and their locks.

    A lock is a file descriptor: the GPU is free again when it is closed or its process has ended.
    Raises BlockingIOError, whose text says who uses the GPUs, where too few are free.
    """
    import fcntl

    os.makedirs(folder, exist_ok=True)
    turn = os.open(folder, os.O_RDONLY)
    taken: dict[str, int] = {}
    users = []
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)  # else two runs might take one GPU each and lack the other's
        for gpu in gpus:
            lock = os.open(f"{folder}/{gpu.replace('/', '-')}", os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                users.append(f"{gpu} is used by {os.pread(lock, 256, 0).decode(errors='replace')}")
                os.close(lock)
                continue
            taken[gpu] = lock
            if len(taken) == wanted:
                for mine in taken.values():
                    os.ftruncate(mine, 0)
                    os.pwrite(mine, name.encode(), 0)
                return list(taken), list(taken.values())
        for lock in taken.values():
            os.close(lock)
    finally:
        os.close(turn)
    raise BlockingIOError(f"waiting for a GPU: {', '.join(users)}")

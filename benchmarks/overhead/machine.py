"""The machine that was measured on, and how busy it was."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from importlib.metadata import version
from statistics import quantiles


def about(*packages: str) -> dict[str, str]:
    """Return the facts that figures depend on, with the versions of hpo and of these packages."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("hpo", *packages))
    return {
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores",
        "versions": f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}",
        "append and sync, alone": _sync(),
        "load average before": load(),
    }


def load() -> str:
    """Return the load averages over 1, 5 and 15 minutes."""
    return ", ".join(f"{average:.1f}" for average in os.getloadavg())


def _sync() -> str:
    """Say how long the disk takes to make 100 bytes durable."""
    took = []
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        for _ in range(100):
            file.write(b"0" * 100)
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    spread = quantiles(took, n=100)
    return f"{spread[49]:.1f} ms at p50, {spread[94]:.1f} ms at p95"

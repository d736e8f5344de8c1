"""What hpo costs beyond the training itself, beside a bare loop and its peers in the same run.

python -m benchmarks.overhead.run [--only ROW]… [--quick] [--write] [--syne-tune PYTHON]
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from statistics import quantiles

from benchmarks.overhead import finished_rows, lines, memory, trials
from benchmarks.overhead.contenders import HERE, Contender, syne_tune
from benchmarks.overhead.table import FULL, QUICK, Row, Size, markdown

ROWS: dict[str, Callable[[Size, Sequence[Contender]], Row]] = {
    "tiny": trials.tiny,
    "slots": trials.slots,
    "start": trials.start,
    "line": lines.line,
    "resume": finished_rows.resume,
    "log": lines.log,
    "memory": memory.memory,
    "commands": finished_rows.commands,
    "event": finished_rows.event,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", action="append", choices=ROWS, metavar="ROW", help=f"one of {', '.join(ROWS)}"
    )
    parser.add_argument("--quick", action="store_true", help="less of everything, to see that it works")
    parser.add_argument("--write", action="store_true", help="write results.md, too")
    parser.add_argument("--syne-tune", metavar="PYTHON", help="an interpreter that has syne-tune")
    given = parser.parse_args()
    # As pip does on installing: where Python may write no bytecode, each start would compile hpo anew.
    compileall.compile_dir(HERE.parents[1] / "hpo", quiet=1)
    others = [syne_tune(given.syne_tune)] if given.syne_tune else []
    facts = _facts()
    rows = []
    for name in given.only or ROWS:
        row = ROWS[name](QUICK if given.quick else FULL, others)
        for finding in row.findings:
            print(f"{name}: {finding.what}: {finding.measured} ({finding.goal})", file=sys.stderr)
        rows.append(row)
    facts["load average after"] = _load()
    text = markdown(rows, facts)
    print(text)
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def _facts() -> dict[str, str]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("hpo", "optuna"))
    return {
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores",
        "versions": f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}",
        "append and sync, alone": _sync(),
        "load average before": _load(),
    }


def _load() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())


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


if __name__ == "__main__":
    main()

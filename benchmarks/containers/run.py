"""What hpo adds to a container, beside the bare API and `docker run` in the same run.

python -m benchmarks.containers.run [--only ROW]… [--quick] [--write]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from docker.api.client import APIClient

from benchmarks.containers.rows import FULL, QUICK, Size, few, log, many
from benchmarks.overhead.command import compile_package, parser
from benchmarks.overhead.machine import about, load
from benchmarks.overhead.table import Row, markdown

HERE = Path(__file__).parent

ROWS: dict[str, Callable[[Size], Row]] = {"one": few(1), "four": few(4), "many": many, "log": log}


def main() -> None:
    given = parser(__doc__, ROWS).parse_args()
    compile_package()
    facts = {"engine": _engine(), **about("docker")}
    rows = []
    for name in given.only or ROWS:
        row = ROWS[name](QUICK if given.quick else FULL)
        for finding in row.findings:
            print(
                f"{name}: {finding.what}: {finding.measured} ({finding.goal or 'no goal'})", file=sys.stderr
            )
        rows.append(row)
    facts["load average after"] = load()
    text = markdown("Containers", rows, facts)
    print(text)
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


def _engine() -> str:
    client = APIClient(version="auto")
    try:
        said = client.info()
    finally:
        client.close()
    return f"Docker {said['ServerVersion']}, {said['Driver']}, cgroups {said['CgroupVersion']}"


if __name__ == "__main__":
    main()

"""What hpo costs beyond the training itself, beside a bare loop and its peers in the same run.

python -m benchmarks.overhead.run [--only ROW]… [--quick] [--write] [--syne-tune PYTHON]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks.overhead import finished_rows, freed, lines, memory, trials
from benchmarks.overhead.command import compile_package, parser
from benchmarks.overhead.contenders import HERE, Contender, syne_tune
from benchmarks.overhead.machine import about, load
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
    "freed": freed.freed,
}


def main() -> None:
    options = parser(__doc__, ROWS)
    options.add_argument("--syne-tune", metavar="PYTHON", help="an interpreter that has syne-tune")
    given = options.parse_args()
    compile_package()
    others = [syne_tune(given.syne_tune)] if given.syne_tune else []
    facts = about("optuna")
    rows = []
    for name in given.only or ROWS:
        row = ROWS[name](QUICK if given.quick else FULL, others)
        for finding in row.findings:
            print(f"{name}: {finding.what}: {finding.measured} ({finding.goal})", file=sys.stderr)
        rows.append(row)
    facts["load average after"] = load()
    text = markdown("Overhead", rows, facts)
    print(text)
    if given.write:
        (HERE / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

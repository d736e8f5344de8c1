"""What hpo costs beyond the training itself, beside a bare loop and its peers in the same run.

python -m benchmarks.overhead.run [--only ROW]… [--quick] [--write] [--syne-tune PYTHON]
"""

from __future__ import annotations

import argparse
import compileall
import sys
from collections.abc import Callable, Sequence

from benchmarks.overhead import finished_rows, freed, lines, memory, trials
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

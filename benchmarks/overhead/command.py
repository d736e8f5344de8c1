"""The command line that benchmarks of rows have in common."""

from __future__ import annotations

import argparse
import compileall
from collections.abc import Collection
from pathlib import Path


def parser(about: str | None, rows: Collection[str]) -> argparse.ArgumentParser:
    """Return a parser of what every such benchmark can be told."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument(
        "--only", action="append", choices=rows, metavar="ROW", help=f"one of {', '.join(rows)}"
    )
    made.add_argument("--quick", action="store_true", help="less of everything, to see that it works")
    made.add_argument("--write", action="store_true", help="write results.md, too")
    return made


def compile_package() -> None:
    """Compile hpo, as pip does on installing: where Python may write no bytecode, each start would anew."""
    compileall.compile_dir(Path(__file__).parents[2] / "hpo", quiet=1)

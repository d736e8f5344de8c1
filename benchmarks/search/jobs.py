"""Runs of many jobs, some at a time, which go on where they were cut short."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AnyKey = TypeVar("AnyKey", bound="DataclassInstance")
AnyRun = TypeVar("AnyRun", bound="DataclassInstance")

TOLD = 100
"""After so many runs each it is told how many are done."""


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the options that all benchmarks of jobs have."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--processes", type=int, default=2, help="runs at a time (default 2)")
    options.add_argument("--keep", type=Path, help="a file for runs; those that it has are not run again")
    options.add_argument("--write", action="store_true", help="write results.md")
    return options


def done(
    planned: Sequence[AnyKey],
    one: Callable[[AnyKey], AnyRun],
    run: type[AnyRun],
    *,
    keep: Path | None,
    processes: int,
) -> dict[AnyKey, AnyRun]:
    """Return all runs, in the order of the plan, by `one` in processes; new ones are added to the file."""
    found: dict[AnyKey, AnyRun] = {}
    if keep is not None and keep.exists():
        lines = keep.read_text(encoding="utf-8").splitlines()
        found = {type(planned[0])(**key): run(**each) for key, each in map(json.loads, lines)}
    missing = [key for key in planned if key not in found]
    with ProcessPoolExecutor(processes) as pool:
        for count, (key, new) in enumerate(zip(missing, pool.map(one, missing, chunksize=2), strict=True), 1):
            found[key] = new
            if keep is not None:
                with keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([asdict(key), asdict(new)]) + "\n")
            if count % TOLD == 0:
                print(f"{count} of {len(missing)} runs", file=sys.stderr, flush=True)
    return {key: found[key] for key in planned}

"""`hpo logs`: a trial's log, as its program wrote it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from hpo.cli.options import job_argument
from hpo.errors import HpoError
from hpo.report.data import trial_of, view
from hpo.store.home import existing_job

PIECE = 2**20
PAUSE = 0.1
"""Seconds between two looks at a log that is followed."""


@click.command("logs")
@job_argument
@click.argument("trial", type=int)
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows, until the trial has ended.")
@click.option("--run", "run_number", type=int, help="The log of an earlier run of the trial, from 1.")
def logs_command(name: str, trial: int, *, follow: bool, run_number: int | None) -> None:
    """Show what a trial's program printed, on either stream.

    \b
    Example:
      hpo logs digits-forest 7 -f
    """
    folder = existing_job(name)
    chosen = trial_of(view(folder, now=time.time()), trial)
    log = folder / "trials" / f"{trial:04d}" / f"run-{run_number or chosen.run.number}" / "log"
    if not follow and not log.exists():
        raise HpoError(
            f"trial {trial} of {name} has no log: it is {chosen.status.value}. {chosen.detail}".strip()
        )
    position = 0
    while True:
        ended = trial_of(view(folder, now=time.time()), trial).status.is_final
        position = _print_from(log, position)
        if not follow or ended:
            return
        time.sleep(PAUSE)


def _print_from(log: Path, position: int) -> int:
    try:
        with log.open("rb") as file:
            file.seek(position)
            while piece := file.read(PIECE):
                sys.stdout.buffer.write(piece)
                position += len(piece)
            sys.stdout.buffer.flush()
    except FileNotFoundError:
        pass
    return position

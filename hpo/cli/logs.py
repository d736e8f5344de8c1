"""`hpo logs`: a trial's log, as its program wrote it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from hpo.cli.options import job_argument
from hpo.core.trial import run_place
from hpo.errors import HpoError, NotFound
from hpo.report.data import trial_of
from hpo.store.home import existing_job

PIECE = 2**20
PAUSE = 0.1
"""Seconds between two looks at a log that is followed."""


@click.command("logs")
@job_argument
@click.argument("trial", type=int)
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows, until the trial has ended.")
@click.option(
    "--run",
    "run_number",
    type=click.IntRange(min=1),
    metavar="N",
    help="The log of an earlier run of the trial, from 1.",
)
def logs_command(name: str, trial: int, *, follow: bool, run_number: int | None) -> None:
    """Show what a trial's program printed, on either stream.

    Followed, a trial that is launched again is followed into its next run.

    \b
    Example:
      hpo logs digits-forest 7 -f
    """
    folder = existing_job(name)
    chosen = trial_of(folder, trial)
    run = run_number or chosen.run.number
    if run > chosen.run.number:
        count = f"{chosen.run.number} run{'s' if chosen.run.number > 1 else ''}"
        raise NotFound(f"trial {trial} of {name} has no run {run}: it has {count}")
    if not follow and not _log(folder, trial, run).exists():
        raise HpoError(
            f"trial {trial} of {name} has no log: it is {chosen.status.value}. {chosen.detail}".strip()
        )
    position = 0
    while True:
        chosen = trial_of(folder, trial)  # before the log, so that its last lines are there
        position = _print_from(_log(folder, trial, run), position)
        if not follow:
            return
        is_last = run >= chosen.run.number
        if not is_last and run_number is None:
            run, position = run + 1, 0
            before, now = chosen.runs[run - 2].repeat, chosen.runs[run - 1].repeat
            how = f"goes on with repeat {now}" if now > before else "is launched again"
            click.echo(f"trial {trial} {how}: run {run}", err=True)
        elif not is_last or chosen.status.is_final:
            return
        else:
            time.sleep(PAUSE)


def _log(folder: Path, trial: int, run: int) -> Path:
    return folder / run_place(trial, run) / "log"


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

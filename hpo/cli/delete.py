"""`hpo delete`: an ended job's folder, with everything in it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from hpo.cli.options import job_argument
from hpo.errors import HpoError, UsageError
from hpo.report.data import view
from hpo.store.home import delete_job, existing_job
from hpo.store.lease import Lease


@click.command("delete")
@job_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete_command(name: str, *, yes: bool) -> None:
    """Delete an ended job: its trials, logs and models.

    \b
    Example:
      hpo delete digits-forest --yes
    """
    folder = existing_job(name)
    job = view(folder, now=time.time())
    if job.status == "running":
        raise HpoError(f"job {name} is running; stop it first with `hpo stop {name}`")
    open_trials = sum(not trial.status.is_final for trial in job.trials)
    if open_trials:
        raise HpoError(
            f"job {name} was cut off with {open_trials} trials open, whose programs may still run; "
            f"stop them first with `hpo stop {name}`"
        )
    if not yes and not _agreed(f"Delete {name} with its {len(job.trials)} trials in {folder}?"):
        raise HpoError(f"{name} was not deleted")
    with Lease(folder, name):
        if job.record.launcher != "process":  # whose runs leave nothing elsewhere
            _remove_runs(folder)
        delete_job(folder)
    click.echo(f"deleted {name}", err=True)


def _agreed(question: str) -> bool:
    """Ask, and return the answer. Raises UsageError where nobody is there to give one."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():  # Ctrl-C
            raise
        click.echo(err=True)  # the end of the question's line
        raise UsageError("nothing was deleted, as nobody answered; without a terminal give --yes") from None


def _remove_runs(folder: Path) -> None:
    """Remove the job's containers and the like; where that is impossible now, say how to do it later."""
    from hpo.wiring.sessions import remove_runs

    try:
        remove_runs(folder)
    except HpoError as error:
        click.echo(f"what its trials left may still be there: {error}; later: hpo doctor --clean", err=True)

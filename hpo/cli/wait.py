"""`hpo wait`: until a job has ended."""

from __future__ import annotations

import time

import click

from hpo.cli.options import Gate, gate_option, job_argument
from hpo.errors import HpoError
from hpo.store.home import existing_job

POLL = 0.2
"""Seconds between two looks at the job."""


@click.command("wait")
@job_argument
@click.option("--timeout", type=float, metavar="SECONDS", help="Give up after so long, with status 1.")
@gate_option
def wait_command(name: str, *, timeout: float | None, gate: Gate | None) -> None:
    """Wait until a job has ended, and exit with its status: 0 where it completed with a best trial.

    \b
    Example:
      hpo wait digits-forest --timeout 3600 --fail-if 'best < 0.9'
    """
    from hpo.cli.running import exit_status
    from hpo.report.data import job_status, view

    folder = existing_job(name)
    if gate is not None:
        gate.refuse_unknown(view(folder, now=time.time()).record.settings.metrics)
    deadline = time.monotonic() + timeout if timeout is not None else None
    while job_status(folder) == "running":
        if deadline is not None and time.monotonic() >= deadline:
            raise HpoError(f"{name} still runs after {timeout:g} seconds")
        time.sleep(POLL)
    job = view(folder, now=time.time())
    detail = f": {job.record.end_detail}" if job.record.end_detail else ""
    click.echo(f"{name} {job.status}{detail}", err=True)
    raise SystemExit(exit_status(job, gate))

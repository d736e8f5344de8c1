"""Commands that act on a job that is there: resume, retry, stop."""

from __future__ import annotations

import time
from pathlib import Path

import click

from hpo.cli.options import Gate, gate_option, job_argument, json_option
from hpo.errors import HpoError
from hpo.store.home import DATABASE, existing_job

POLL = 0.1
"""Seconds between two looks at a job that was asked to stop."""

ASK_AGAIN = 5.0
"""Seconds after which it is asked again: a process that was only starting may have missed it."""


@click.command("resume")
@job_argument
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change it before, as `hpo edit` does: --set limits.max_jobs=100.",
)
@json_option
@click.option("--detach", is_flag=True, help="Run in the background, and return at once.")
@click.option("--leave-running", is_flag=True, help="On Ctrl-C leave the running trials to themselves.")
@gate_option
def resume_command(
    name: str,
    *,
    overrides: tuple[str, ...],
    as_json: bool,
    detach: bool,
    leave_running: bool,
    gate: Gate | None,
) -> None:
    """Go on with a job after a stop or a crash, or with other limits.

    Trials that still run are taken up, those that were cancelled are run again; ended ones stay as they are.

    \b
    Examples:
      hpo resume digits-forest
      hpo resume digits-forest --set limits.max_jobs=100
    """
    from hpo.cli.running import How, run_job, start_detached
    from hpo.wiring.sessions import Reopen

    folder = existing_job(name)
    how = How(as_json=as_json, leave_running=leave_running, gate=gate)
    if detach:
        how.refuse_detached()
        changes = [part for override in overrides for part in ("--set", override)]
        raise SystemExit(start_detached(name, folder, ["resume", name, *changes]))
    raise SystemExit(run_job(folder, reopen=Reopen.CANCELLED, overrides=overrides, how=how))


@click.command("retry")
@job_argument
@json_option
@gate_option
def retry_command(name: str, *, as_json: bool, gate: Gate | None) -> None:
    """Run a job's failed trials again with the same values, then go on with the job.

    \b
    Example:
      hpo retry digits-forest
    """
    from hpo.cli import render
    from hpo.cli.running import How, run_job
    from hpo.core.trial import TrialStatus
    from hpo.report.data import view
    from hpo.wiring.sessions import Reopen

    folder = existing_job(name)
    if not any(trial.status is TrialStatus.FAILED for trial in view(folder, now=time.time()).trials):
        render.say(f"no trial of {name} has failed")
    raise SystemExit(run_job(folder, reopen=Reopen.FAILED, how=How(as_json=as_json, gate=gate)))


@click.command("stop")
@job_argument
@click.option("--now", "at_once", is_flag=True, help="Give running trials no grace period.")
def stop_command(name: str, *, at_once: bool) -> None:
    """Stop a job from any terminal: launch no more, stop what runs; `hpo resume` goes on.

    Returns when everything has ended. Where the job's own process is gone, what it left running is stopped.

    \b
    Example:
      hpo stop digits-forest
    """
    from hpo.report.data import job_status, view

    folder = existing_job(name)
    kind = "stop at once" if at_once else "stop"
    acted, asked_at = False, -ASK_AGAIN
    while True:
        status = job_status(folder)
        if status == "running":
            if time.monotonic() - asked_at > ASK_AGAIN:
                _ask(folder, kind)
                asked_at = time.monotonic()
            time.sleep(POLL)
        elif any(not trial.status.is_final for trial in view(folder, now=time.time()).trials):
            _stop_remains(folder, at_once=at_once)  # also where its process died after it was asked
        else:
            _say_stopped(name, status, acted=acted)
            return
        acted = True


def _ask(folder: Path, kind: str) -> None:
    from hpo.store.sqlite import Store

    store = Store.open(folder / DATABASE)
    try:
        store.request(kind, at=time.time())
    finally:
        store.close()


def _stop_remains(folder: Path, *, at_once: bool) -> None:
    """Take the job up for as long as it takes to stop what a dead process left running."""
    import asyncio

    from hpo.core.trial import Reason
    from hpo.wiring.sessions import session

    with session(folder) as running:
        detail = "`hpo stop` after its process was gone"
        running.scheduler.request_stop(Reason.STOPPED, detail, at_once=at_once)
        asyncio.run(running.run())


def _say_stopped(name: str, status: str, *, acted: bool) -> None:
    if acted:
        click.echo(f"{name} is {status}; go on with `hpo resume {name}`", err=True)
    elif status == "interrupted":
        click.echo(
            f"{name} was interrupted, and nothing of it runs; go on with `hpo resume {name}`", err=True
        )
    else:
        raise HpoError(f"{name} is {status} already; nothing of it runs")

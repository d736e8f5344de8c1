"""`hpo edit`: other limits, other rules, narrower ranges, for a job that has begun."""

from __future__ import annotations

import click

from hpo.cli import render
from hpo.cli.options import job_argument, json_option
from hpo.store.home import existing_job


@click.command("edit")
@job_argument
@click.option(
    "--set",
    "overrides",
    multiple=True,
    required=True,
    metavar="KEY=VALUE",
    help="What to change: keys of limits, stop_when and retry, and ranges of parameters, narrower ones.",
)
@json_option
def edit_command(name: str, *, overrides: tuple[str, ...], as_json: bool) -> None:
    """Change a job that has begun, also while it runs: all of it or nothing.

    With fewer trials in parallel the running ones go on, and no other starts until there are fewer. What
    a narrowed range leaves outside stays a result, and is not tried any more. Trials that have begun
    keep their values.

    \b
    Examples:
      hpo edit digits-forest --set limits.max_jobs=100 --set limits.max_parallel_jobs=8
      hpo edit digits-forest --set parameters.learning-rate.max=0.1
    """
    from hpo.report.data import job_status
    from hpo.wiring.edits import edit

    folder = existing_job(name)
    what = edit(folder, overrides)
    status = job_status(folder)
    if as_json:
        click.echo(render.as_json({"job": name, "changed": bool(what), "what": what, "status": status}))
    elif not what:
        click.echo(f"{name} is like that already; nothing was changed", err=True)
    else:
        click.echo(f"edited {name}: {what}", err=True)
        if status != "running":
            click.echo(f"it is {status}; go on with `hpo resume {name}`", err=True)

"""`hpo run`: a spec to its best result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpo.cli import render
from hpo.cli.options import Gate, gate_option, json_option, spec_options

if TYPE_CHECKING:
    from hpo.wiring.prepared import Prepared


@click.command("run")
@spec_options
@click.option("--name", help="The job's name, instead of the spec's.")
@json_option
@click.option("--detach", is_flag=True, help="Run in the background, and return at once.")
@click.option("--or-resume", is_flag=True, help="Go on with the job of that name where its spec is the same.")
@click.option("--leave-running", is_flag=True, help="On Ctrl-C leave the running trials to themselves.")
@gate_option
def run_command(
    spec: Path,
    *,
    overlays: tuple[Path, ...],
    overrides: tuple[str, ...],
    name: str | None,
    as_json: bool,
    detach: bool,
    or_resume: bool,
    leave_running: bool,
    gate: Gate | None,
) -> None:
    """Run a tuning job to its end: SPEC is a YAML file.

    Ctrl-C stops it gracefully, a second one at once; `hpo resume` goes on.

    \b
    Examples:
      hpo run tune.yaml
      hpo run tune.yaml -c configs/docker.yaml --set limits.max_jobs=5
      hpo run tune.yaml --or-resume --fail-if 'best < 0.9'     for CI
    """
    from hpo.cli.running import How, run_job, start_detached
    from hpo.wiring.prepared import prepare
    from hpo.wiring.sessions import Reopen, has_begun

    how = How(as_json=as_json, leave_running=leave_running, gate=gate)
    if detach:
        how.refuse_detached()
    named = (*overrides, *([f"name={json.dumps(name, ensure_ascii=False)}"] if name is not None else []))
    is_begun = has_begun if or_resume else None
    prepared = prepare([spec, *overlays], overrides=named, is_begun=is_begun, say=render.say)
    how.refuse_unknown(prepared.settings(prepared.spec.name))
    _tell(prepared)
    folder = _begun(prepared, or_resume=or_resume)
    if detach:
        raise SystemExit(start_detached(folder.name, folder, ["resume", folder.name]))
    raise SystemExit(run_job(folder, prepared=prepared, reopen=Reopen.CANCELLED, how=how))


def _tell(prepared: Prepared) -> None:
    """Say what is to be known of a job before it begins: what is doubtful, and what was chosen for it."""
    from hpo.report.autotune import choices_of, chosen_line

    for warning in prepared.warnings():
        click.echo(f"warning: {warning}", err=True)
    if choices := choices_of({name: (part.chosen, part.space) for name, part in prepared.parts.items()}):
        click.echo(chosen_line(choices), err=True)


def _begun(prepared: Prepared, *, or_resume: bool) -> Path:
    """Return the folder of a new job, or with `or_resume` that of the one that is there."""
    from hpo.report.warm_start import warm_start_data, warm_start_lines
    from hpo.store.home import DATABASE, job_folder
    from hpo.wiring.sessions import create, refuse_another

    folder = job_folder(prepared.spec.name)
    if or_resume and (folder / DATABASE).exists():
        refuse_another(folder, prepared)
        return folder
    folder = create(prepared)
    for line in warm_start_lines(warm_start_data(prepared.priors)):
        click.echo(line, err=True)
    return folder

"""Commands about hpo itself: schema, doctor, completion."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from pathlib import Path

import click

from hpo.cli import render
from hpo.cli.options import json_option
from hpo.errors import HpoError, LauncherError, UsageError
from hpo.spec.paths import expanded
from hpo.store.home import job_names, state_folder

LITTLE_SPACE = 2**30
"""Bytes of free disk under which the doctor warns."""


@click.command("schema")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
def schema_command(*, output: Path | None) -> None:
    """Print the spec's JSON Schema, for editors that complete and check YAML.

    \b
    Example:
      hpo schema --output hpo.schema.json
      # then, as the first line of a spec:
      # yaml-language-server: $schema=hpo.schema.json
    """
    from hpo.wiring.schema import json_schema

    render.write(render.as_json(json_schema()), output)


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the shell code that completes hpo's commands, options and job names.

    \b
    Example:
      hpo completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    from hpo.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise HpoError(f"there is no completion for {shell}")
    click.echo(kind(cli, {}, "hpo", "_HPO_COMPLETE").source())


class Health(Enum):
    """What the doctor thinks of something."""

    GOOD = "ok"
    ABSENT = "-"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor looked at."""

    subject: str
    health: Health
    detail: str


@click.command("doctor")
@click.option("--clean", is_flag=True, help="Remove the containers that deleted jobs have left, first.")
@json_option
def doctor_command(*, clean: bool, as_json: bool) -> None:
    """Show what is set up here: the state folder, this machine's processors and GPUs, Docker, AWS.

    Exits with 1 where something is bad; what is merely absent is not needed for local processes.

    \b
    Example:
      hpo doctor
      hpo doctor --clean
    """
    if clean:
        from hpo.launchers import registry

        for removed in registry.clean():
            click.echo(f"removed {removed}", err=True)
    findings = list(_findings())
    if as_json:
        click.echo(
            render.as_json(
                [{"subject": f.subject, "health": f.health.value, "detail": f.detail} for f in findings]
            )
        )
    else:
        rows = [[finding.health.value, finding.subject, finding.detail] for finding in findings]
        click.echo(render.table(["", "what", "found"], rows))
    if any(finding.health is Health.BAD for finding in findings):
        raise SystemExit(1)


def _findings() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("hpo", Health.GOOD, f"{version('hpo')} on Python {python} ({sys.executable})")
    yield _state()
    yield from _processors()
    yield _gpus()
    yield _docker()
    configured = any(name in os.environ for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID"))
    with suppress(UsageError):  # this user has no home folder
        configured = configured or expanded("~/.aws").exists()
    if configured:
        yield Finding("AWS", Health.GOOD, "credentials are configured (not tried)")
    else:
        yield Finding("AWS", Health.ABSENT, "no credentials; only needed for SageMaker")


def _state() -> Finding:
    folder = state_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return Finding("state", Health.BAD, f"{folder} cannot be written; set HPO_HOME to another folder")
    free = shutil.disk_usage(existing).free
    detail = f"{folder}: {len(job_names())} jobs, {free / 2**30:.1f} GiB free"
    return Finding("state", Health.BAD if free < LITTLE_SPACE else Health.GOOD, detail)


def _processors() -> Iterator[Finding]:
    from hpo.launchers.environment import available_cpus

    yield Finding("processors", Health.GOOD, f"{available_cpus()} for trials of all jobs together")


def _gpus() -> Finding:
    from hpo.launchers.gpus import candidates

    gpus = candidates(os.environ)
    if not gpus:
        return Finding("GPUs", Health.ABSENT, "none found (neither by CUDA_VISIBLE_DEVICES nor by NVML)")
    return Finding("GPUs", Health.GOOD, ", ".join(gpus))


def _docker() -> Finding:
    from hpo.launchers.docker.engine import Engine

    try:
        with closing(Engine(None, connections=1)) as engine:
            machine = engine.machine()
    except LauncherError as error:
        return Finding("docker", Health.ABSENT, f"{error}; only needed for trials in containers")
    size = f"{machine.cpus} processors, {machine.memory / 2**30:.1f} GiB"
    return Finding("docker", Health.GOOD, f"the engine at {engine.address} answers: {size}")

"""The command group, the error boundary, and the exit statuses."""

from __future__ import annotations

import errno
import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from hpo.errors import HpoError

COMMANDS = {
    "run": "hpo.cli.run",
    "plan": "hpo.cli.plan",
    "try": "hpo.cli.rehearse",
    "metrics": "hpo.cli.rehearse",
    "status": "hpo.cli.look",
    "best": "hpo.cli.best",
    "trials": "hpo.cli.look",
    "logs": "hpo.cli.logs",
    "why": "hpo.cli.why",
    "list": "hpo.cli.look",
    "stop": "hpo.cli.resume",
    "resume": "hpo.cli.resume",
    "edit": "hpo.cli.edit",
    "retry": "hpo.cli.resume",
    "wait": "hpo.cli.wait",
    "delete": "hpo.cli.delete",
    "copy": "hpo.cli.copy",
    "narrow": "hpo.cli.narrow",
    "confirm": "hpo.cli.confirm",
    "schema": "hpo.cli.setup",
    "doctor": "hpo.cli.setup",
    "completion": "hpo.cli.setup",
}
"""Every command in the order of `hpo --help`, and the module that has it, imported when it is called."""

PLANNED = ("report", "export", "finish")
"""Commands that are not available yet."""

SUMMARIES = {
    "run": "Run a tuning job to its end.",
    "plan": "Show what would run, and start nothing.",
    "try": "Run one trial with mid-range values, and show the metrics it gave.",
    "metrics": "Try a spec's metrics on a log.",
    "status": "Show how a job stands.",
    "best": "Show the best trial and its values.",
    "trials": "Show every trial.",
    "logs": "Show a trial's log.",
    "why": "Show how a trial's values were chosen, and why it ended as it did.",
    "list": "List the jobs here.",
    "stop": "Stop a job: launch no more, and stop what runs.",
    "resume": "Go on with a job after a stop or a crash.",
    "edit": "Change a job that has begun, also while it runs.",
    "retry": "Run a job's failed trials again.",
    "wait": "Wait until a job has ended.",
    "delete": "Delete an ended job.",
    "copy": "Print a job's spec again, also of a tuning job of SageMaker's.",
    "narrow": "Print a job's spec again, with ranges around its best trials.",
    "confirm": "Run the best trials again, each with several seeds.",
    "schema": "Print the spec's JSON Schema, for editors.",
    "doctor": "Show what is set up here.",
    "completion": "Print the shell code that completes hpo's commands.",
}


class LazyGroup(click.Group):
    """Imports a command's module when the command is called, so that `hpo --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, importing it."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name]), f"{name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and name the closest one where there is none."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            if name in PLANNED:
                ctx.fail(f"`hpo {name}` is not available yet.")
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else "See `hpo --help`."
            ctx.fail(f"There is no command {name!r}. {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="hpo", message="hpo %(version)s")
def cli() -> None:
    """Tune the hyperparameters of any program, unattended.

    \b
    Example:
      hpo run tune.yaml          run the job that the spec describes
      hpo status digits-forest   see how it stands, from any terminal
      hpo best digits-forest     the best values found
    """


def main() -> NoReturn:
    """Run the command line and exit with its status; no mistake of a user's shows a traceback."""
    # Modules and trials stay. To look through them for cycles after every 700 new objects takes a fifth of
    # the time in which many trials are read, and 3% of a start.
    gc.set_threshold(50_000)
    try:
        status = cli.main(prog_name="hpo", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except HpoError as error:
        click.echo(f"hpo: {error}", err=True)
        status = error.exit_status
    except (click.Abort, KeyboardInterrupt):
        click.echo("hpo: interrupted", err=True)
        status = 130
    except BrokenPipeError:  # `hpo trials NAME | head`
        _drop_output()
        status = 141
    except OSError as error:  # a full disk, a folder that cannot be written
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"hpo: {where}{error.strerror or error}{_way_on(error)}", err=True)
        _drop_output()
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


def _way_on(error: OSError) -> str:
    """Return how to go on after an error of the disk; nothing where that is not known."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "; free some space, and try again"
    from hpo.store.home import state_folder

    path = Path(os.fsdecode(error.filename or ""))
    try:
        state = state_folder()
    except HpoError:
        return ""
    if state not in (path, *path.parents):
        return ""
    return f"; jobs are kept in {state}: make it writable, or set HPO_HOME to another folder"


def _drop_output() -> None:
    """Let what is not written of the output yet go nowhere, instead of failing again at the very end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

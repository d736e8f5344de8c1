"""Writes docs/commands.md from the commands' own help; `--check` fails where it is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hpo.cli.main import COMMANDS, cli

PAGE = Path(__file__).parent / "commands.md"

HEADING = """\
# Commands

<!-- Written by `make docs` from the commands' own help; edit that instead. -->

Results go to standard output, everything else to standard error. Exit statuses: 0 the job completed and
has a best trial; 1 it failed, was stopped, or has no result; 2 a mistake in usage or spec; 3 a gate was not
met (`--fail-if`); 4 no such job or trial; 130, 143, 129 after SIGINT, SIGTERM, SIGHUP.
"""


def page() -> str:
    """Return the page."""
    parts = [HEADING]
    group = click.Context(cli, info_name="hpo", terminal_width=98, **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(group, name)
        if command is None:
            raise LookupError(name)
        context = click.Context(command, info_name=name, parent=group)
        parts.append(f"## hpo {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page, or check it."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE} is not what the commands say of themselves; run `make docs`")


main()

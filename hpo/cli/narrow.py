"""`hpo narrow`: a job's spec for another round, with ranges around its best trials."""

from __future__ import annotations

import re
from pathlib import Path

import click

from hpo.cli import render
from hpo.cli.options import job_argument
from hpo.errors import UsageError
from hpo.spec.names import JOB_NAME
from hpo.store.home import existing_job, job_names

LONGEST = 32
"""Characters of a job's name."""


@click.command("narrow")
@job_argument
@click.option("--top", type=click.IntRange(min=2), metavar="K", help="Narrow around the best K trials.")
@click.option(
    "--fraction",
    type=click.FloatRange(min=0.0, max=0.5, min_open=True),
    show_default="0.2",
    metavar="F",
    help="Or around this share of the completed ones, but at least 3.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a new file; by default to standard output.",
)
@click.option("--name", "new_name", metavar="NEW", help="The next job's name; by default NAME-2, NAME-3, …")
@click.option("--warm-start", is_flag=True, help="Let the next job begin with this one's trials.")
def narrow_command(
    name: str,
    *,
    top: int | None,
    fraction: float | None,
    output: Path | None,
    new_name: str | None,
    warm_start: bool,
) -> None:
    """Print a job's spec for another round: ranges narrowed around its best trials.

    Where the best value lies on a bound, the range is widened there instead. Of several objectives the
    best trials are those of the Pareto front, and nothing is widened. Every change is written as a
    comment, old and new with the reason, and on standard error. Nothing is run: look at it, change it,
    then `hpo run` it. Relative paths stay right, as with `hpo copy`.

    \b
    Examples:
      hpo narrow digits-forest -o round-2.yaml
      hpo narrow digits-forest --top 8 --warm-start -o round-2.yaml
    """
    from hpo.cli.copy import checked
    from hpo.spec.moved import moved, renamed, without_passwords
    from hpo.wiring.narrow import next_round

    if new_name is not None and not JOB_NAME.fullmatch(new_name):
        raise UsageError(f"--name {new_name!r}: a name is 1 to 32 letters (a to z), digits and inner hyphens")
    if output is not None and output.exists():
        raise UsageError(f"{output} exists already, and is not overwritten; give another file with -o")
    proposed = next_round(existing_job(name), top=top, fraction=fraction, warm_start=warm_start)
    text = renamed(without_passwords(proposed.text), new_name or next_name(name, job_names()))
    place = Path.cwd() if output is None else output.absolute().parent
    if place.resolve() != proposed.base.resolve():
        text = moved(text, proposed.base)
    render.write(text.removesuffix("\n"), output)
    for remark in proposed.remarks:
        render.say(remark)
    checked(text, output)


def next_name(name: str, taken: list[str]) -> str:
    """Return the first free one of NAME-2, NAME-3, …; a name that ends in such a number counts on."""
    found = re.fullmatch(r"(.+)-(\d{1,4})", name)
    stem, number = (found[1], int(found[2])) if found else (name, 1)
    while True:
        number += 1
        candidate = f"{stem[: LONGEST - 1 - len(str(number))].rstrip('-')}-{number}"
        if candidate not in taken:
            return candidate

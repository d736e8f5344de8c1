"""`hpo copy`: a job's spec again, also that of a tuning job of SageMaker's."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpo.cli import render
from hpo.cli.options import JobName
from hpo.errors import HpoError, LauncherError, SpecError, UsageError
from hpo.spec.names import JOB_NAME

if TYPE_CHECKING:
    from hpo.amt.service import TuningJobs
    from hpo.amt.spec import CopiedSpec

_TABLES = (".csv", ".json")


@click.command("copy")
@click.argument("name", type=JobName())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a new file; by default to standard output.",
)
@click.option("--name", "new_name", metavar="NEW", help="Give the copy another name.")
@click.option("--region", help="The region of SageMaker's tuning job; by default as boto3 finds it.")
@click.option("--profile", help="The AWS profile to ask with; likewise.")
@click.option(
    "--definition", metavar="NAME", help="Only this algorithm of SageMaker's tuning job, of several."
)
@click.option(
    "--trials",
    "table",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the trials of SageMaker's tuning job to FILE.csv or FILE.json, too.",
)
def copy_command(
    name: str,
    *,
    output: Path | None,
    new_name: str | None,
    region: str | None,
    profile: str | None,
    definition: str | None,
    table: Path | None,
) -> None:
    """Print a job's spec again, or that of a tuning job of SageMaker's, to run it anew.

    Relative paths stay right: in another folder than the job's spec they are written as absolute ones.
    What a spec has no place for is written as a comment, and on standard error; where the copy cannot
    run as it is, that is said, and the exit status is 1.

    \b
    Examples:
      hpo copy digits-forest --name digits-forest-2 -o again.yaml
      hpo copy sagemaker:digits-xgboost --region eu-west-1 -o tune.yaml --trials trials.csv
    """
    from hpo.amt.service import name_of

    _refuse_mistakes(output, new_name)
    tuning_job = name_of(name)
    if tuning_job is None:
        foreign = {"--region": region, "--profile": profile, "--definition": definition, "--trials": table}
        _refuse_foreign([option for option, value in foreign.items() if value is not None])
        _write(_own_spec(name, output, new_name), output)
        return
    if table is not None and table.suffix not in _TABLES:
        raise UsageError(f"--trials {table}: the file's name must end in {' or '.join(_TABLES)}")
    from hpo.amt.service import TuningJobs

    with closing(TuningJobs(region=region, profile=profile)) as jobs:
        if table is not None:
            _write_trials(tuning_job, jobs, table)
        copied = _copied(tuning_job, jobs, new_name=new_name or "", definition=definition or "")
    _write_copied(copied, tuning_job, jobs.region, output)


def _refuse_mistakes(output: Path | None, new_name: str | None) -> None:
    if new_name is not None and not JOB_NAME.fullmatch(new_name):
        raise UsageError(f"--name {new_name!r}: a name is 1 to 32 letters (a to z), digits and inner hyphens")
    if output is not None and output.exists():
        raise UsageError(f"{output} exists already, and is not overwritten; give another file with -o")


def _refuse_foreign(options: list[str]) -> None:
    if options:
        raise UsageError(
            f"{', '.join(options)}: only for a tuning job of SageMaker's, `hpo copy sagemaker:NAME`; "
            "`hpo trials NAME` writes the trials of a job of hpo's"
        )


def _own_spec(name: str, output: Path | None, new_name: str | None) -> str:
    """Return the spec of a job of hpo's, for the folder that it is written to."""
    from hpo.spec.moved import moved, renamed, without_passwords
    from hpo.store.home import DATABASE, SPEC, existing_job
    from hpo.store.sqlite import Store

    folder = existing_job(name)
    with closing(Store.look(folder / DATABASE)) as store:
        base = Path(store.record().base)
    text = (folder / SPEC).read_text(encoding="utf-8")
    if new_name is not None:
        text = renamed(text, new_name)
    place = Path.cwd() if output is None else output.absolute().parent
    text = without_passwords(text)
    return text if place.resolve() == base.resolve() else moved(text, base)


def _copied(name: str, jobs: TuningJobs, *, new_name: str, definition: str) -> CopiedSpec:
    from hpo.amt.spec import copied_spec

    description = jobs.describe(name)
    untold = ""
    tags: dict[str, str] = {}
    try:
        tags = jobs.tags(name, description["HyperParameterTuningJobArn"])
    except LauncherError as error:
        untold = f"not carried over: tags; {error}"
    copied = copied_spec(description, tags=tags, name=new_name, definition=definition)
    return replace(copied, remarks=(*copied.remarks, ("launcher", untold))) if untold else copied


def _write_copied(copied: CopiedSpec, name: str, region: str, output: Path | None) -> None:
    """Write a tuning job's spec with what is to be said of it. Raises HpoError where it cannot run so."""
    from hpo.amt.page import page

    text, remarks = page(
        copied, heading=f"Copied from SageMaker's tuning job {name} in {region} by `hpo copy`."
    )
    _write(text, output)
    for remark in remarks:
        render.say(remark)
    checked(text, output)


def _write_trials(name: str, jobs: TuningJobs, table: Path) -> None:
    from hpo.amt.trials import as_csv, as_json, read_trials, rows

    found = rows(read_trials(name, jobs))
    render.write(as_json(found) if table.suffix == ".json" else as_csv(found), table)
    render.say(f"wrote {len(found)} trials to {table}")


def _write(text: str, output: Path | None) -> None:
    render.write(text.removesuffix("\n"), output)


def checked(text: str, output: Path | None) -> None:
    """Raise HpoError where a copy has to be completed before it can run."""
    from hpo.wiring.prepared import prepare

    with tempfile.TemporaryDirectory() as folder:
        path = output or Path(folder, "copy.yaml")
        if output is None:
            path.write_text(text, encoding="utf-8")
        try:
            prepare([path], check_launch=False)
        except SpecError as error:
            problems = "\n".join(map(str, error.problems)).replace(f"{folder}/", "")
            raise HpoError(f"the copy cannot run as it is:\n{problems}") from None

"""`hpo confirm`: the best trials again, each with several seeds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hpo.cli import render
from hpo.cli.options import job_argument, json_option
from hpo.errors import UsageError
from hpo.spec.names import JOB_NAME
from hpo.store.home import DATABASE, existing_job, job_folder

if TYPE_CHECKING:
    from pathlib import Path

    from hpo.report.confirmation import ComparisonData, ConfirmationData, RepeatedData
    from hpo.report.confirmed_front import ConfirmedFrontData, RepeatedFrontTrialData
    from hpo.wiring.prepared import Prepared


@click.command("confirm")
@job_argument
@click.option(
    "--top", type=click.IntRange(min=1), default=3, show_default=True, metavar="K", help="The best K trials."
)
@click.option(
    "--seeds", type=click.IntRange(min=1), default=5, show_default=True, metavar="N", help="Runs of each."
)
@click.option(
    "--seed-name",
    show_default="seed, or that of `repeats`",
    metavar="NAME",
    help="The parameter by which the program is given its seed: 1 to N.",
)
@click.option(
    "--name", "follow_up", metavar="NAME", help="The follow-up job's name; by default NAME-confirm."
)
@json_option
def confirm_command(
    name: str, *, top: int, seeds: int, seed_name: str | None, follow_up: str | None, as_json: bool
) -> None:
    """Run the best trials again with several seeds, and tell whether the first is really better.

    The runs are trials of a follow-up job, NAME-confirm, of the same spec, with the seed as one more
    parameter: `--seed 1` and so on. Called again, it goes on where it was cut off, and shows what it has
    found once all have run. Of several objectives K trials of the Pareto front are run again, from one
    end of it to the other.

    \b
    Examples:
      hpo confirm digits-forest
      hpo confirm digits-forest --top 2 --seeds 10 --seed-name random-state
    """
    from hpo.report.confirmation import confirmation
    from hpo.report.confirmed_front import confirmed_front
    from hpo.report.data import view
    from hpo.wiring import confirm

    if follow_up is not None and not JOB_NAME.fullmatch(follow_up):
        raise UsageError(
            f"--name {follow_up!r}: a name is 1 to 32 letters (a to z), digits and inner hyphens"
        )
    job = view(existing_job(name), now=time.time())
    best, seed_name = confirm.winners(job, top), seed_name or confirm.seed_name_of(job)
    chosen = follow_up or confirm.follow_up_name(name)
    prepared = confirm.follow_up(job, best, name=chosen, seeds=seeds, seed_name=seed_name, say=render.say)
    status = _run_to_its_end(job_folder(chosen), prepared)
    ran = view(job_folder(chosen), now=time.time())
    if job.record.settings.others:
        front = confirmed_front(job, ran, best, seed_name=seed_name)
        missing, text = _missing(front), render.as_json(front) if as_json else _front_text(front)
    else:
        found = confirmation(job, ran, best, seed_name=seed_name)
        missing, text = _missing(found), render.as_json(found) if as_json else _text(found)
    click.echo(text)
    if missing:
        click.echo(missing, err=True)
    raise SystemExit(status or int(bool(missing)))


def _run_to_its_end(folder: Path, prepared: Prepared) -> int:
    """Begin the follow-up job, or go on with it; return the status of an interrupt, 0 without one."""
    from hpo.cli.running import How, run_shown
    from hpo.core.job import JobStatus
    from hpo.report.data import job_status
    from hpo.wiring.confirm import refuse_another
    from hpo.wiring.sessions import Reopen, create

    if (folder / DATABASE).exists():
        refuse_another(folder, prepared)
    else:
        create(prepared)
    if job_status(folder) == JobStatus.COMPLETED.value:
        return 0
    _, interrupts = run_shown(folder, reopen=Reopen.CANCELLED, how=How())
    return interrupts.status or 0


def _missing(found: ConfirmationData | ConfirmedFrontData) -> str:
    """Return what keeps the answer from being a whole one, and what to do; nothing where it is."""
    chosen = found["confirmed_by"]
    if not any(trial["n"] for trial in found["trials"]):
        return f"no run completed; see `hpo trials {chosen}` and `hpo logs {chosen} 1`"
    if found["status"] != "completed":
        return f"{chosen} is {found['status']}; the same `hpo confirm` once more goes on with it"
    return ""


def _text(found: ConfirmationData) -> str:
    header = ["trial", "at first", "mean", "spread", "n", "failed", "least", "greatest"]
    rows = [_row(trial) for trial in found["trials"]]
    if any(trial["algorithm"] is not None for trial in found["trials"]):
        header.append("algorithm")
        rows = [[*row, trial["algorithm"] or ""] for row, trial in zip(rows, found["trials"], strict=True)]
    what = f"{found['metric']} of the best trials of {found['job']}, with several seeds each"
    lines = [
        f"{what} (runs: {found['confirmed_by']})",
        render.table(header, rows, right=frozenset(range(8))),
    ]
    if found["comparison"] is not None:
        lines.append(_verdict(found["comparison"]))
    return "\n".join([*lines, *_remarks(found)])


def _front_text(found: ConfirmedFrontData) -> str:
    header = ["trial"]
    for metric in found["goals"]:
        header += [f"{metric} at first", "mean", "spread"]
    header += ["n", "failed", "front"]
    rows = [_front_row(trial) for trial in found["trials"]]
    numbers = frozenset(range(len(header) - 1))
    if any(trial["algorithm"] is not None for trial in found["trials"]):
        header.append("algorithm")
        rows = [[*row, trial["algorithm"] or ""] for row, trial in zip(rows, found["trials"], strict=True)]
    goals = " and ".join(f"{metric} ({goal})" for metric, goal in found["goals"].items())
    on_front = [str(trial["trial"]) for trial in found["trials"] if trial["on_front"]]
    what = f"{goals} of trials of the front of {found['job']}, with several seeds each"
    lines = [
        f"{what} (runs: {found['confirmed_by']})",
        render.table(header, rows, right=numbers),
        f"by their means {len(on_front)} of {len(rows)} are on the front: {', '.join(on_front) or 'none'}",
    ]
    return "\n".join([*lines, *_remarks(found)])


def _front_row(trial: RepeatedFrontTrialData) -> list[str]:
    row = [str(trial["trial"])]
    for each in trial["values"].values():
        row += [render.short_number(each[key]) for key in ("value", "mean", "spread")]
    return [*row, str(trial["n"]), str(trial["failed"]), "*" if trial["on_front"] else ""]


def _remarks(found: ConfirmationData | ConfirmedFrontData) -> Iterator[str]:
    if found["seeds_matter"] is False:
        yield f"every seed gave the same value: does the program read `--{found['seed_name']}`? (--seed-name)"
    if failed := sum(trial["failed"] for trial in found["trials"]):
        runs = "1 run" if failed == 1 else f"{failed} runs"
        yield f"{runs} failed and are in no mean; again: hpo retry {found['confirmed_by']}"


def _row(trial: RepeatedData) -> list[str]:
    return [
        str(trial["trial"]),
        render.short_number(trial["value"]),
        render.short_number(trial["mean"]),
        render.short_number(trial["spread"]),
        str(trial["n"]),
        str(trial["failed"]),
        render.short_number(trial["least"]),
        render.short_number(trial["greatest"]),
    ]


def _verdict(comparison: ComparisonData) -> str:
    pair = f"trial {comparison['first']} and trial {comparison['second']}"
    differ = f"they differ by {abs(comparison['difference']):.6g} in the mean"
    if comparison["p_value"] is None:
        return f"{pair}: {differ}; a test needs two values of each, and some spread"
    told = "can" if comparison["can_be_told_apart"] else "cannot"
    return f"{pair} {told} be told apart: {differ}, p = {comparison['p_value']:.2g} ({comparison['test']})"

"""A job's status for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hpo.cli import render
from hpo.launchers.last_words import in_one_line
from hpo.report.counts import counts_text, ended_of
from hpo.report.repeats import repeats_text
from hpo.report.warm_start import warm_start_lines

if TYPE_CHECKING:
    from hpo.report.data import StatusData, WaitingData
    from hpo.report.front import FrontData


def status_text(status: StatusData) -> str:
    """Return a job's status for people."""
    counts = status["counts"]
    heading = f"{status['job']}: {status['status']}"
    lines = [f"{heading} ({status['reason']})" if status["reason"] else heading]
    lines.append(f"trials    {ended_of(counts)} of {status['max_jobs']} ended: {counts_text(counts)}")
    if status["repeats"] is not None:
        done = f"{status['repeats']['completed']} of {status['repeats']['runs']} have given a value"
        lines.append(f"runs      {done}: {repeats_text(status['repeats'])}")
    lines.append(f"strategy  {status['strategy']}, seed {status['seed']}")
    if status["chosen_by"]:
        lines.append(f"chosen by {', '.join(f'{count} {by}' for by, count in status['chosen_by'].items())}")
    lines += warm_start_lines(status["warm_start"])
    lines.append(f"elapsed   {render.duration(status['elapsed_seconds'])}")
    if status["remaining_seconds"] is not None:
        lines.append(f"remaining about {render.duration(status['remaining_seconds'])}")
    lines += [f"waiting   {line}" for line in _waiting_lines(status["waiting"])]
    if edits := status["edits"]:
        count = "1 time" if len(edits) == 1 else f"{len(edits)} times"
        lines.append(render.printable(f"edited    {count}, last at {edits[-1]['at']}: {edits[-1]['what']}"))
    lines += render.money_lines(status) + render.saved_lines(status) + render.require_lines(status)
    best, front = status["best"], status["front"]
    if front is not None:
        lines.append(f"front     {render.front_text(front)}{_reference_text(front)}")
    elif best is None:
        lines.append("best      none yet")
    else:
        lines.append(f"best      {best['metric']} = {best['value']!r} ({render.origin_text(best)})")
        lines.append(render.parameter_lines(best["parameters"]))
    lines += map(render.algorithm_line, status["algorithms"])
    if status["status"] in {"interrupted", "stopped"}:
        lines.append(f"go on with `hpo resume {status['job']}`")
    return "\n".join(lines)


def _reference_text(front: FrontData) -> str:
    """Return from where a front's hypervolume is measured; nothing where that is not known."""
    worst = (f"{metric} {render.short_number(value)}" for metric, value in front["reference"].items())
    return "" if front["hypervolume"] is None else f" from the worst values, {', '.join(worst)}"


def _waiting_lines(waiting: Sequence[WaitingData]) -> Iterator[str]:
    """Yield what trials wait for, with those that wait for the same in one line."""
    for reason in dict.fromkeys(each["reason"] for each in waiting):
        numbers = [str(each["trial"]) for each in waiting if each["reason"] == reason]
        trials = f"trial{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"
        yield render.printable(f"{trials}: {render.shortened(in_one_line(reason), render.LONGEST)}")

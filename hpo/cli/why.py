"""`hpo why`: how a trial's values were chosen, and why it ended as it did."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import click

from hpo.cli import render
from hpo.cli.options import job_argument, json_option
from hpo.core.trial import TrialStatus
from hpo.errors import HpoError
from hpo.report.data import trial_of, view
from hpo.report.feasibility import violation_text
from hpo.report.why import BestTrialData, ComparedData, DecisionData, RunData, WhyData, why_data
from hpo.search.stopping import Decision
from hpo.store.home import existing_job

SHOWN = 8
"""Trials of a comparison that are shown; JSON has all of them."""

LEAST_WAIT = 0.1
"""Seconds from which on it is told that a run waited to start."""


@click.command("why")
@job_argument
@click.argument("trial", type=int)
@json_option
def why_command(name: str, trial: int, *, as_json: bool) -> None:
    """Show how a trial's values were chosen, and why it ended as it did.

    \b
    Example:
      hpo why digits-forest 7
    """
    folder = existing_job(name)
    trial_of(folder, trial)
    job = view(folder, now=time.time())
    chosen = next(known for known in job.trials if known.number == trial)
    decisions: Sequence[Decision] = ()
    if job.record.settings.stops_early:
        from hpo.wiring.decided import decisions as decided

        try:
            decisions = decided(folder, trial)
        except HpoError as error:
            render.say(f"hpo: its comparisons cannot be told: {error}")
    data = why_data(job, chosen, decisions)
    click.echo(render.as_json(data) if as_json else render.printable(_text(data)))


def _text(why: WhyData) -> str:
    return "\n".join(
        [
            *_end(why),
            *_choice(why),
            *_values(why),
            *_decisions(why),
            *_runs(why["runs"]),
        ]
    )


def _end(why: WhyData) -> Iterator[str]:
    value = "" if why["value"] is None else f", {why['value']!r}"
    if why["values"] is not None:
        value = "".join(
            f", {metric} = {each!r}" for metric, each in why["values"].items() if each is not None
        )
    value += "" if why["spread"] is None else f" with a spread of {render.short_number(why['spread'])}"
    algorithm = f", {why['algorithm']}" if why["algorithm"] is not None else ""
    yield f"trial {why['trial']} of {why['job']}{algorithm}: {why['status']}{value}"
    if why["reason"] and why["reason"] != why["status"]:
        yield f"reason    {why['reason']}"
    if why["detail"]:
        yield f"because   {_indented(why['detail'])}"
    if why["on_front"] is not None and why["status"] == TrialStatus.COMPLETED.value:
        yield f"front     {'on it' if why['on_front'] else 'not on it'}"
    if why["feasible"]:
        yield "require   met"
    for violation in why["violations"]:
        yield f"require   {violation_text(violation)}"


def _choice(why: WhyData) -> Iterator[str]:
    evidence = why["evidence"]
    known = ", ".join(f"{count} {status}" for status, count in evidence.items() if count)
    yield f"chosen by {why['proposed_by']}"
    yield f"then were {known or 'no other trials'}"


def _values(why: WhyData) -> Iterator[str]:
    best, rows = why["best"], why["parameters"]
    of_its = f" of {why['algorithm']}" if why["algorithm"] is not None else ""
    is_best = best is not None and (best["origin"], best["trial"]) == (why["job"], why["trial"])
    if best is None or is_best:
        yield "values" + (f"    it is the best trial{of_its}" if is_best else "")
        yield render.parameter_lines({name: row["value"] for name, row in rows.items()})
        return
    yield render.table(
        ["values", f"trial {why['trial']}", _best(why, best)],
        [
            [name, render.value_text(row["value"]), render.value_text(row["best"])]
            for name, row in rows.items()
        ],
    )


def _best(why: WhyData, best: BestTrialData) -> str:
    origin = "" if best["origin"] == why["job"] else f" of {best['origin']}"
    return f"best: trial {best['trial']}{origin}, {best['value']!r}"


def _decisions(why: WhyData) -> Iterator[str]:
    for decision in why["decisions"]:
        yield f"{'stopped' if decision['stopped'] else 'went on'}   {decision['why']}"
        if decision["against"]:
            yield f"          compared: {_compared(decision)}"


def _compared(decision: DecisionData) -> str:
    """Return the values of a comparison, of many those around the threshold's place."""
    against = decision["against"]
    shown = against if len(against) <= SHOWN else [*against[: SHOWN // 2], *against[-SHOWN // 2 :]]
    texts = [_one(entry) for entry in shown]
    if len(against) > SHOWN:
        texts.insert(SHOWN // 2, f"… {len(against) - SHOWN} more …")
    return ", ".join(texts)


def _one(entry: ComparedData) -> str:
    value = "no number" if entry["value"] is None else render.short_number(entry["value"])
    return f"trial {entry['trial']} {value}"


def _runs(runs: Sequence[RunData]) -> Iterator[str]:
    for run in runs:
        parts = [*_course(run), *_bill(run)]
        yield f"run {run['run']:<5} {_indented(', '.join(parts))}"


def _course(run: RunData) -> Iterator[str]:
    waited = run["waited_seconds"] or 0.0
    if run["repeat"] is not None:
        yield f"repeat {run['repeat']} with seed {run['seed']}"
    yield (
        run["state"] if run["seconds"] is None else f"{run['state']} after {render.duration(run['seconds'])}"
    )
    if run["repeat"] is not None and run["value"] is not None:
        yield repr(run["value"])
    if why := ": ".join(filter(None, [run["reason"], run["detail"]])):
        yield why
    if waited >= LEAST_WAIT:
        yield f"waited {render.duration(waited)} to start"
    if run["waiting"]:
        yield f"waits: {run['waiting']}"


def _bill(run: RunData) -> Iterator[str]:
    if run["machine"]:
        yield f"on {run['machine']}"
    if run["billable_seconds"] is not None:
        yield f"{render.duration(run['billable_seconds'])} billed"
    if run["interruptions"]:
        yield f"interrupted {run['interruptions']} times"
    if run["cost"] is not None:
        yield render.money(run["cost"])


def _indented(text: str) -> str:
    return text.replace("\n", "\n          ")

"""What `hpo run` shows while a job runs: a live picture, plain lines, or JSON lines of events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol, assert_never

import click

from hpo.cli import render
from hpo.core.apply import Change
from hpo.core.conclude import values_of
from hpo.core.events import (
    Abandoned,
    Deferred,
    Edited,
    Event,
    Exhausted,
    Launched,
    LaunchFailed,
    Observed,
    Proposed,
    Pruned,
    StopRequested,
    StopSent,
    Ticked,
)
from hpo.core.job import Job
from hpo.core.prior import PriorTrial
from hpo.core.trial import Run, Trial, TrialStatus
from hpo.report.data import timestamp, trial_data
from hpo.report.feasibility import missed_text, values_data
from hpo.report.repeats import RepeatData, repeats_of, seconds, span


class View(Protocol):
    """Shows events as they are written down."""

    def show(self, event: Event, change: Change) -> None:
        """Take in an event."""


class Waiting:
    """What trials wait for, told once."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def news(self, change: Change) -> Iterator[tuple[int, str]]:
        """Yield the number of each trial that has begun to wait for something else, and for what."""
        for trial in change.trials:
            number, why = trial.number, "" if trial.status.is_final else trial.run.waiting
            if why and self._known.get(number) != why:
                self._known[number] = why
                yield number, why
            elif not why and trial.run.handle is not None:  # a queued run may go on waiting for the same
                self._known.pop(number, None)


class PlainView:
    """A line on standard error for each trial that ends, and for what needs attention."""

    def __init__(
        self, max_jobs: int, write: Callable[[str], None], inherited: PriorTrial | None = None
    ) -> None:
        self._write = write
        self._inherited = inherited  # the best of those that the job began with
        self._width = len(str(max_jobs))
        self._waiting = Waiting()
        self._stops: set[tuple[str, bool]] = set()

    def show(self, event: Event, change: Change) -> None:
        """Print what the event calls for."""
        for number, why in self._waiting.news(change):
            self._line(f"trial {number} waits: {why}")
        match event:
            case StopRequested(detail=detail) if (detail, event.at_once) not in self._stops:
                self._stops.add((detail, event.at_once))
                again = "leaves them to themselves" if event.at_once else "stops them at once"
                count = len(change.job.open)
                trials = "1 trial" if count == 1 else f"{count} trials"
                self._line(f"stopping ({detail}): waiting for {trials}; Ctrl-C {again}")
            case Edited():
                self._line(f"edited: {event.what}")
            case Pruned() | Observed() | LaunchFailed() | Abandoned():
                for trial in change.trials:
                    if trial.status.is_final:
                        self._line(self.ended(trial, change.job))
                    elif trial.number == event.trial and trial.run.number > event.run:
                        self._tell_run(trial, trial.runs[-2], change.job)
            case Proposed() | Exhausted() | Launched() | Deferred() | StopSent() | Ticked() | StopRequested():
                pass
            case _:
                assert_never(event)

    def _tell_run(self, trial: Trial, run: Run, job: Job) -> None:
        """Tell of a run whose trial has another one to come: it was a repeat, or is launched again."""
        if run.value is not None:
            found = zip(job.settings.metrics, values_of(job.settings, run), strict=True)
            values = "  ".join(f"{metric} = {render.short_number(value)}" for metric, value in found)
            of, took = f"repeat {run.repeat} of {job.settings.repeats.count}", render.duration(span(run))
            self._line(f"trial {trial.number}  {of}  {values}  {took}")
        elif not run.found_no_capacity:  # else what it waits for is told above
            why = f": {run.detail}" if run.detail else ""
            self._line(f"trial {trial.number} is launched again{why}")

    def ended(self, trial: Trial, job: Job) -> str:
        """Return the line for an ended trial."""
        place = f"{job.tally.ended:>{self._width}}/{job.settings.max_jobs}"
        longest = max(map(len, job.settings.algorithms), default=0)
        algorithm = f"  {trial.algorithm:<{longest}}" if trial.algorithm is not None else ""
        text = f"{place}  trial {trial.number:<{self._width}}{algorithm}  {trial.status.value:<9}"
        for metric, value in values_data(job.settings, trial).items():
            if value is not None:
                text += f"  {metric} = {render.short_number(value)}"
        if (span := seconds(trial)) is not None:
            text += f"  {render.duration(span)}"
        if job.tally.best is trial and not job.settings.others and beats(trial, self._inherited, job):
            text += "  best so far"
        if missed := missed_text(job.settings, trial):
            text += f"  {missed}"
        if trial.status in {TrialStatus.FAILED, TrialStatus.PRUNED}:
            text += f"  {render.why(trial)}"
        return text

    def _line(self, text: str) -> None:
        self._write(render.printable(text))


def beats(trial: Trial, inherited: PriorTrial | None, job: Job) -> bool:
    """Tell whether a trial with a value is better than the best of those that its job began with."""
    if inherited is None or trial.value is None:
        return inherited is None
    return job.settings.objective.goal.is_better(trial.value, inherited.past.value)


class JsonView:
    """A JSON object a line on standard output for each event that matters to a script."""

    def __init__(self, metrics: Collection[str]) -> None:
        self._metrics = metrics
        self._waiting = Waiting()
        self._stops: set[tuple[str, bool]] = set()

    def show(self, event: Event, change: Change) -> None:
        """Print the trials that the event changed, and new points of the objectives."""
        self._show_news(change)
        match event:
            case Observed() if repeat := _repeat_of(event, change):
                self._line("repeat", trial=event.trial, **repeat)
                changed = []
            case Observed() | Ticked() | StopSent():
                changed = [trial for trial in change.trials if trial.status.is_final]
            case Deferred():
                changed = []
            case Edited():
                changed = [trial for trial in change.trials if trial.status.is_final]
                self._line("edited", what=event.what)
            case StopRequested(detail=detail):
                changed = []
                if (detail, event.at_once) not in self._stops:
                    self._stops.add((detail, event.at_once))
                    self._line("stopping", reason=detail)
            case Proposed() | Exhausted() | Launched() | LaunchFailed() | Abandoned() | Pruned():
                changed = list(change.trials)
            case _:
                assert_never(event)
        for trial in changed:
            self._line("trial", **trial_data(trial, change.job.settings))

    def _show_news(self, change: Change) -> None:
        for point in change.points:
            if point.metric in self._metrics:
                value = repr_safe(point.value)
                told = {"run": point.run, "metric": point.metric, "step": point.step, "value": value}
                self._line("metric", trial=point.trial, **told)
        for number, why in self._waiting.news(change):
            self._line("waiting", trial=number, reason=why)

    def _line(self, event: str, **fields: object) -> None:
        click.echo(event_line(event, **fields))


def _repeat_of(event: Observed, change: Change) -> RepeatData | None:
    """Return the repeat that has ended with this event while its trial goes on; None where none has."""
    for trial in change.trials:
        if trial.number == event.trial and trial.run.number > event.run and trial.runs[-2].value is not None:
            return repeats_of(change.job.settings, trial)[-2]
    return None


def event_line(event: str, **fields: object) -> str:
    """Return an event of now as a line of JSON."""
    return json.dumps({"event": event, "time": timestamp(time.time()), **fields}, ensure_ascii=False)


def repr_safe(value: float) -> float | None:
    """Return the value, or None for NaN and infinity, which JSON has not."""
    return value if value - value == 0 else None


@contextmanager
def chosen_view(
    job: Job, *, as_json: bool, strategy: str, elapsed: float, inherited: PriorTrial | None
) -> Iterator[View]:
    """Give the view that fits: JSON lines if asked for, a live picture on a terminal, else plain lines.

    `inherited` is the best of the trials that the job began with, where they count as results.
    """
    if as_json:
        yield JsonView(job.settings.metrics)
    elif render.wants_live():
        from hpo.cli.live import LiveView

        with LiveView(job, strategy=strategy, elapsed=elapsed, inherited=inherited) as view:
            yield view
    else:
        yield PlainView(job.settings.max_jobs, partial(click.echo, err=True), inherited)

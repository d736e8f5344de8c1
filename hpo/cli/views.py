"""What `hpo run` shows while a job runs: a live picture, plain lines, or JSON lines of events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol, assert_never

import click

from hpo.cli import render
from hpo.core.apply import Change
from hpo.core.events import (
    Abandoned,
    Deferred,
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
from hpo.core.trial import Trial, TrialStatus
from hpo.report.data import seconds, timestamp, trial_data


class View(Protocol):
    """Shows events as they are written down."""

    def show(self, event: Event, change: Change) -> None:
        """Take in an event."""


class PlainView:
    """A line on standard error for each trial that ends, and for what needs attention."""

    def __init__(self, metric: str, max_jobs: int, write: Callable[[str], None]) -> None:
        self._metric = metric
        self._write = write
        self._width = len(str(max_jobs))
        self._max_jobs = max_jobs
        self._waiting: dict[int, str] = {}

    def show(self, event: Event, change: Change) -> None:
        """Print what the event calls for."""
        match event:
            case Deferred(trial=number, why=why):
                if self._waiting.get(number) != why:
                    self._waiting[number] = why
                    self._line(f"trial {number} waits: {why}")
            case StopRequested(detail=detail):
                hurry = "" if event.at_once else "; Ctrl-C stops them at once"
                count = len(change.job.open)
                trials = "1 trial" if count == 1 else f"{count} trials"
                self._line(f"stopping ({detail}): waiting for {trials}{hurry}")
            case Pruned() | Observed() | LaunchFailed() | Abandoned():
                for trial in change.trials:
                    if trial.status.is_final:
                        self._line(self.ended(trial, change.job))
                    elif trial.status is TrialStatus.PROPOSED:
                        self._line(f"trial {trial.number} is launched again: {trial.runs[-2].detail}")
            case Proposed() | Exhausted() | Launched() | StopSent() | Ticked():
                pass
            case _:
                assert_never(event)

    def ended(self, trial: Trial, job: Job) -> str:
        """Return the line for an ended trial."""
        place = f"{job.tally.ended:>{self._width}}/{self._max_jobs}"
        text = f"{place}  trial {trial.number:<{self._width}}  {trial.status.value:<9}"
        if trial.value is not None:
            text += f"  {self._metric} = {render.short_number(trial.value)}"
        if (span := seconds(trial)) is not None:
            text += f"  {render.duration(span)}"
        if job.tally.best is trial:
            text += "  best so far"
        if trial.status is TrialStatus.FAILED:
            text += f"  {why(trial)}"
        return text

    def _line(self, text: str) -> None:
        self._write(render.printable(text))


class JsonView:
    """A JSON object a line on standard output for each event that matters to a script."""

    def __init__(self, metric: str) -> None:
        self._metric = metric

    def show(self, event: Event, change: Change) -> None:
        """Print the trials that the event changed, and new points of the objective."""
        for point in change.points:
            if point.metric == self._metric:
                self._line("metric", trial=point.trial, step=point.step, value=repr_safe(point.value))
        match event:
            case Observed() | Ticked() | StopSent():
                changed = [trial for trial in change.trials if trial.status.is_final]
            case Deferred(trial=number, why=why):
                self._line("waiting", trial=number, reason=why)
                return
            case StopRequested(detail=detail):
                self._line("stopping", reason=detail)
                return
            case Proposed() | Exhausted() | Launched() | LaunchFailed() | Abandoned() | Pruned():
                changed = list(change.trials)
            case _:
                assert_never(event)
        for trial in changed:
            self._line("trial", **trial_data(trial))

    def _line(self, event: str, **fields: object) -> None:
        click.echo(event_line(event, **fields))


def event_line(event: str, **fields: object) -> str:
    """Return an event of now as a line of JSON."""
    return json.dumps({"event": event, "time": timestamp(time.time()), **fields}, ensure_ascii=False)


def repr_safe(value: float) -> float | None:
    """Return the value, or None for NaN and infinity, which JSON has not."""
    return value if value - value == 0 else None


def why(trial: Trial) -> str:
    """Return in one line why a trial ended: its reason, and the detail where that says more."""
    line = trial.detail.partition("\n")[0]
    line = line if len(line) <= 160 else line[:159] + "…"
    reason = trial.reason.value if trial.reason else ""
    return line if line.startswith(reason) else f"{reason}: {line}"


@contextmanager
def chosen_view(job: Job, *, as_json: bool, strategy: str, elapsed: float) -> Iterator[View]:
    """Give the view that fits: JSON lines if asked for, a live picture on a terminal, else plain lines."""
    objective = job.settings.objective
    if as_json:
        yield JsonView(objective.metric)
    elif render.wants_live():
        from hpo.cli.live import LiveView

        with LiveView(job, strategy=strategy, elapsed=elapsed) as view:
            yield view
    else:
        yield PlainView(objective.metric, job.settings.max_jobs, partial(click.echo, err=True))

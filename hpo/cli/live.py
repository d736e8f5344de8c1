"""The live picture of a running job, on a terminal."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hpo.cli import render
from hpo.cli.views import PlainView, beats
from hpo.core.apply import Change
from hpo.core.events import Event
from hpo.core.job import Job
from hpo.core.prior import PriorTrial
from hpo.core.trial import Trial, TrialStatus
from hpo.report.repeats import seconds
from hpo.spec.space import Values

SHOWN = 8
"""Running trials that are shown; of more only the number."""


class LiveView:
    """Draws progress, counts, running trials, the best and the last failure, four times a second."""

    def __init__(self, job: Job, *, strategy: str, elapsed: float, inherited: PriorTrial | None) -> None:
        self._job = job
        self._inherited = inherited  # the best of those that the job began with
        self._strategy = strategy
        self._began = time.time() - elapsed
        self._failure: Trial | None = None
        self._spans = (0, 0.0)  # ended trials and their seconds, for the estimate
        self._console = Console(stderr=True, highlight=False)
        self._plain = PlainView(job.settings.max_jobs, self._print, inherited)
        self._live = Live(
            console=self._console, get_renderable=self._picture, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> LiveView:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, event: Event, change: Change) -> None:
        """Take in an event; what ended or needs attention is also printed above the picture."""
        self._job = change.job
        for trial in change.trials:
            if trial.status.is_final:
                self._note(trial)
        self._plain.show(event, change)

    def _print(self, text: str) -> None:
        self._console.print(Text(text))

    def _note(self, trial: Trial) -> None:
        if trial.status is TrialStatus.FAILED:
            self._failure = trial
        if (span := seconds(trial)) is not None:
            self._spans = (self._spans[0] + 1, self._spans[1] + span)

    def _picture(self) -> RenderableType:
        job = self._job
        parts: list[RenderableType] = [self._progress(job), self._running(job)]
        best, inherited = job.tally.best, self._inherited
        if inherited is not None and (best is None or not beats(best, inherited, job)):
            whose = f"trial {inherited.past.number} of {inherited.past.job}, a parent"
            parts.append(self._best(inherited.past.value, whose, inherited.params or {}))
        elif best is not None:
            whose = f"trial {best.number}" + (f", {best.algorithm}" if best.algorithm is not None else "")
            parts.append(self._best(best.value, whose, best.params))
        if self._failure is not None:
            text = f"last failure: trial {self._failure.number}, {render.why(self._failure)}"
            parts.append(Text(text, style="red", no_wrap=True, overflow="ellipsis"))
        return Group(*parts)

    def _progress(self, job: Job) -> RenderableType:
        ended, total = job.tally.ended, job.settings.max_jobs
        counts = ", ".join(f"{count} {status.value}" for status, count in job.tally.counts.items())
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(job.settings.job, style="bold"),
            Text(self._strategy),
            ProgressBar(total=total, completed=ended, width=24),
            f"{ended}/{total}",
            f"{render.duration(time.time() - self._began)} elapsed{self._remaining(job)}",
            Text("finishing" if job.is_finishing else "stopping", style="yellow") if job.ending else "",
        )
        return Group(line, Text(counts or "no trial has ended yet", style="dim"))

    def _remaining(self, job: Job) -> str:
        count, total = self._spans
        if not count:
            return ""
        rest = (job.settings.max_jobs - job.tally.ended) * total / count
        return f", about {render.duration(rest / job.settings.max_parallel_jobs)} left"

    def _running(self, job: Job) -> RenderableType:
        rows = Table.grid(padding=(0, 2))
        metric = job.settings.objective.metric
        for trial in list(job.open.values())[:SHOWN]:
            run = trial.run
            span = render.duration(time.time() - run.started) if run.started else ""
            latest = run.progress.latest.get(metric)
            state = f"{metric} = {render.short_number(latest)}" if latest is not None else ""
            state = f"waits: {run.waiting}" if run.waiting else state
            count = job.settings.repeats.count
            name = f"trial {trial.number}" + (f", repeat {run.repeat} of {count}" if count > 1 else "")
            rows.add_row(
                Text(name),
                *([trial.algorithm] if trial.algorithm is not None else []),
                trial.status.value,
                span,
                Text(render.printable(state)),
            )
        hidden = len(job.open) - SHOWN
        return Group(rows, Text(f"and {hidden} more")) if hidden > 0 else rows

    def _best(self, value: float | None, whose: str, params: Values) -> RenderableType:
        values = "  ".join(f"{name}={render.value_text(value)}" for name, value in params.items())
        settings = self._job.settings
        what = f"best {settings.objective.metric}" if settings.others else "best"
        text = Text(f"{what}: {render.short_number(value)} ({whose})  ", style="green")
        return text.append(render.printable(values), style="default")

"""How long a job will still take."""

from __future__ import annotations

from collections.abc import Sequence

from hpo.core.settings import Settings
from hpo.core.trial import Trial
from hpo.report.repeats import seconds, span


def remaining_seconds(settings: Settings, trials: Sequence[Trial], now: float) -> float | None:
    """Estimate the seconds that the rest will take, from the mean of the trials that have ended."""
    spans = [span for trial in trials if trial.status.is_final and (span := seconds(trial)) is not None]
    if not spans:
        return None
    mean = sum(spans) / len(spans)
    open_trials = [trial for trial in trials if not trial.status.is_final]
    under_way = sum(min(mean, _so_far(trial, now)) for trial in open_trials)
    rest = mean * (settings.max_jobs - len(trials) + len(open_trials)) - under_way
    return round(max(0.0, rest / min(settings.max_parallel_jobs, settings.max_jobs)), 3)


def _so_far(trial: Trial, now: float) -> float:
    """Return for how many seconds an open trial has run: its current run, and its earlier repeats."""
    earlier = sum(span(run) or 0.0 for run in trial.repeats[:-1])
    return earlier + (max(0.0, now - trial.run.started) if trial.run.started else 0.0)

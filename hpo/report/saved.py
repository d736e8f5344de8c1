"""What early stopping has spared, and whether it could do anything at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

from hpo.core.settings import Objective, Settings
from hpo.core.trial import Progress, Trial, TrialStatus
from hpo.report.repeats import span


class SavedData(TypedDict):
    """How many trials were stopped early, and about what that has saved.

    An estimate: how much shorter they were than completed trials are in the mean.
    """

    trials: int
    seconds: float
    steps: float


def saved_by_early_stopping(settings: Settings, trials: Sequence[Trial]) -> SavedData | None:
    """Return what stopped trials have saved; None in a job that stops none."""
    completed = [trial for trial in trials if trial.status is TrialStatus.COMPLETED]
    pruned = [trial for trial in trials if trial.status is TrialStatus.PRUNED]
    if not (settings.stops_early or pruned):
        return None
    return SavedData(
        trials=len(pruned),
        seconds=_shorter(list(map(_seconds, pruned)), than=list(map(_seconds, completed))),
        steps=_shorter(
            [steps_of(settings.objective, trial) for trial in pruned],
            than=[steps_of(settings.objective, trial) for trial in completed],
        ),
    )


def idle_early_stopping(settings: Settings, trials: Sequence[Trial]) -> str:
    """Return that early stopping could do nothing, as no trial gave its objective twice; else ""."""
    metric = settings.objective.metric
    counts = [trial.run.progress.counts.get(metric, 0) for trial in trials]
    if not settings.stops_early or max(counts, default=0) > 1:
        return ""
    if not any(trial.status is TrialStatus.COMPLETED for trial in trials):
        return ""
    return (
        f"early stopping did nothing: no trial gave {metric} more than once; "
        "print it after every epoch, or do without early stopping, and without Hyperband"
    )


def steps_of(objective: Objective, trial: Trial) -> float:
    """Return how many steps the trial's last run, or its repeats, made: of the step metric, or its values."""
    return sum(_steps(objective, run.progress) for run in trial.repeats)


def _steps(objective: Objective, progress: Progress) -> float:
    if objective.step is not None:
        step = progress.latest.get(objective.step)
        if step is not None and math.isfinite(step):
            return step
    return progress.counts.get(objective.metric, 0)


def _seconds(trial: Trial) -> float:
    return sum(span(run) or 0.0 for run in trial.repeats)


def _shorter(spans: Sequence[float], *, than: Sequence[float]) -> float:
    mean = sum(than) / len(than) if than else 0.0
    return round(sum(max(0.0, mean - span) for span in spans), 3)

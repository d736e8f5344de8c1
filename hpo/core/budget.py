"""What runs cost, and whether `max_cost` allows another: what was spent and what is still owed together."""

from __future__ import annotations

from collections.abc import Iterable

from hpo.core.settings import Settings
from hpo.core.trial import Run, Trial

ROUNDING = 1e-9
"""By this part a sum of costs may be above a limit: three times 0.1 is within 0.3."""


def spent_on(settings: Settings, runs: Iterable[Run]) -> float:
    """Return what ended runs cost; one that ran and did not tell counts as what it can cost at the most."""
    return sum(_charge(settings, run) for run in runs)


def owed_for(settings: Settings, run: Run) -> float:
    """Return what a run that goes on must be reckoned with: the worst, or what it told if that is more."""
    told = _told(run)
    worst = settings.worst_cost or 0.0
    return worst if told is None else max(worst, told)


def owed_for_trial(settings: Settings, trial: Trial) -> float:
    """Return what an open trial must be reckoned with: its current run, and the repeats after that."""
    to_come = runs_left(settings, trial) - 1
    return owed_for(settings, trial.run) + to_come * (settings.worst_cost or 0.0)


def runs_left(settings: Settings, trial: Trial) -> int:
    """Return how many runs an open trial takes until it is complete, the current one included."""
    return settings.repeats.count - trial.run.repeat + 1


def spent_on_open(settings: Settings, trials: Iterable[Trial]) -> float:
    """Return what the earlier runs of open trials cost."""
    return sum(spent_on(settings, trial.runs[:-1]) for trial in trials)


def fits(limit: float, cost: float) -> bool:
    """Tell whether a sum of costs is within a limit."""
    return cost <= limit * (1.0 + ROUNDING)


def _charge(settings: Settings, run: Run) -> float:
    if run.handle is None:
        return 0.0
    told = _told(run)
    if told is not None:
        return told
    return 0.0 if run.found_no_capacity else settings.worst_cost or 0.0


def _told(run: Run) -> float | None:
    return run.usage.cost if run.usage is not None else None

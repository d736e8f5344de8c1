"""What a job's runs cost, and what was saved by spot machines, early stopping and machines kept ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from hpo.core.trial import Trial, TrialStatus
from hpo.core.usage import Usage

CURRENCY = "USD"
"""Of all prices."""


class CostData(TypedDict):
    """What was charged so far, as reported, and what was not; nothing that had no price is in here."""

    spent: float
    currency: str
    saved_by_spot: float
    saved_by_early_stopping: float


class WarmPoolData(TypedDict):
    """How many of the runs got a machine that an earlier one had left ready, and the starting time saved."""

    reused: int
    runs: int
    saved_seconds: float


def cost_data(trials: Sequence[Trial]) -> CostData | None:
    """Return what all runs of these trials cost so far; None where that is not known of any."""
    usages = list(_usages(trials))
    spent = [usage.cost for usage in usages if usage.cost is not None]
    if not spent:
        return None
    return CostData(
        spent=_rounded(sum(spent)),
        currency=CURRENCY,
        saved_by_spot=_rounded(sum(usage.saved_by_spot or 0.0 for usage in usages)),
        saved_by_early_stopping=_rounded(_saved_by_early_stopping(trials)),
    )


def warm_pool_data(trials: Sequence[Trial]) -> WarmPoolData | None:
    """Return what machines that were kept ready have spared; None where no run told of its machine.

    A warm start saves what it was shorter than the mean of the cold ones.
    """
    usages = list(_usages(trials))
    if not usages:
        return None
    started = [usage for usage in usages if usage.start_seconds > 0.0]  # others have not, so far
    cold = [usage.start_seconds for usage in started if not usage.is_warm]
    mean = sum(cold) / len(cold) if cold else 0.0
    saved = sum(max(0.0, mean - usage.start_seconds) for usage in started if usage.is_warm)
    reused = sum(usage.is_warm for usage in usages)
    return WarmPoolData(reused=reused, runs=len(usages), saved_seconds=round(saved, 3))


def interruptions(trials: Iterable[Trial]) -> int:
    """Return how often a machine was taken away from a run that went on later."""
    return sum(usage.interruptions for usage in _usages(trials))


def cost_of(trial: Trial) -> float | None:
    """Return what all runs of a trial cost so far; None where that is not known of any."""
    known = [usage.cost for usage in _usages([trial]) if usage.cost is not None]
    return _rounded(sum(known)) if known else None


def machine_of(trial: Trial) -> str | None:
    """Return the kind of machine of a trial's last run that told of it."""
    return next((usage.machine for usage in reversed(list(_usages([trial])))), None)


def billable_seconds_of(trial: Trial) -> float | None:
    """Return for how long all runs of a trial were charged, on each of their machines; None where unknown."""
    known = [usage.billable_seconds for usage in _usages([trial])]
    return round(sum(known), 3) if known else None


def _usages(trials: Iterable[Trial]) -> Iterator[Usage]:
    for trial in trials:
        for run in trial.runs:
            if run.usage is not None:
                yield run.usage


def _saved_by_early_stopping(trials: Sequence[Trial]) -> float:
    """Return what pruned trials were cheaper than if they had run as long as completed ones do."""
    whole = [
        sum(run.usage.billable_seconds for run in trial.repeats if run.usage is not None)
        for trial in trials
        if trial.status is TrialStatus.COMPLETED and trial.run.usage is not None
    ]
    if not whole:
        return 0.0
    mean = sum(whole) / len(whole)
    pruned = [trial.run.usage for trial in trials if trial.status is TrialStatus.PRUNED]
    return sum(
        usage.priced(max(0.0, mean - usage.billable_seconds)) or 0.0 for usage in pruned if usage is not None
    )


def _rounded(money: float) -> float:
    """Return money to a hundredth of a cent, so that sums show no noise."""
    return round(money, 4)

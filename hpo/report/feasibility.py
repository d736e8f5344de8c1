"""Which trials meet what a job requires of their metrics, and how far the others miss it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypedDict

from hpo.core.feasibility import violations_of
from hpo.core.settings import Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.spec.requirement import Violation
from hpo.spec.space import Scalar


class ViolationData(TypedDict):
    """A requirement that a trial misses; `by` is in the metric's unit, null where that cannot be told."""

    requirement: str
    by: float | None
    why: str


class NearestData(TypedDict):
    """The completed trial that is nearest to what is required, where none meets it."""

    trial: int
    values: dict[str, float | None]
    violations: list[ViolationData]
    parameters: dict[str, Scalar]


class RequireData(TypedDict):
    """How many completed trials meet everything, and how many miss each requirement.

    `nearest` is null where one meets everything, or none has completed.
    """

    completed: int
    met: int
    missed: dict[str, int]
    nearest: NearestData | None


def feasible(settings: Settings, trial: Trial) -> bool | None:
    """Return whether a completed trial meets what is required; None for another, or where nothing is."""
    if not settings.require or trial.status is not TrialStatus.COMPLETED:
        return None
    return trial.is_result


def violations_data(settings: Settings, trial: Trial) -> list[ViolationData]:
    """Return the requirements that a completed trial misses."""
    return [violation_data(found) for found in _violations(settings, trial)]


def violation_data(found: Violation) -> ViolationData:
    """Return one violation as data."""
    by = found.by if math.isfinite(found.by) else None
    return ViolationData(requirement=found.requirement, by=by, why=found.why)


def missed_text(settings: Settings, trial: Trial) -> str:
    """Return what a completed trial misses, in words; "" where it misses nothing."""
    return "; ".join(violation_text(data) for data in violations_data(settings, trial))


def violation_text(data: ViolationData) -> str:
    """Return one violation in words."""
    by = "" if data["by"] is None else f" by {data['by']:.6g}"
    return f"misses {data['requirement']}{by}: {data['why']}"


def require_data(settings: Settings, trials: Sequence[Trial]) -> RequireData | None:
    """Return how the completed trials stand to what is required; None where nothing is."""
    if not settings.require:
        return None
    completed = [trial for trial in trials if trial.status is TrialStatus.COMPLETED]
    met = sum(trial.is_result for trial in completed)
    missed = Counter(found.requirement for trial in completed for found in _violations(settings, trial))
    return RequireData(
        completed=len(completed),
        met=met,
        missed={each.text: missed[each.text] for each in settings.require},
        nearest=None if met else _nearest(settings, completed),
    )


def unread_metrics(settings: Settings, trials: Iterable[Trial]) -> list[str]:
    """Return a warning for each required metric that no completed trial's log has given."""
    completed = [trial for trial in trials if trial.status is TrialStatus.COMPLETED]
    if not completed:
        return []
    given = {metric for trial in completed for metric in trial.run.progress.counts}
    named = {metric: each.text for each in settings.require for metric in each.metrics}
    return [
        f"require: no completed trial's log gave {metric}, so that none meets `{text}`; try its regex with "
        "`hpo metrics SPEC --log FILE`"
        for metric, text in named.items()
        if metric not in given
    ]


def values_data(settings: Settings, trial: Trial) -> dict[str, float | None]:
    """Return a trial's value of each objective; null where it has none."""
    values = (*trial.values, *[None] * len(settings.objectives))
    return {each.metric: value for each, value in zip(settings.objectives, values, strict=False)}


def _nearest(settings: Settings, completed: Sequence[Trial]) -> NearestData | None:
    def distance(trial: Trial) -> tuple[int, float, int]:
        """Return what of it is unknown first: a trial that misses one metric is nearer than one of two."""
        missed = [found.relative for found in _violations(settings, trial)]
        return missed.count(math.inf), sum(filter(math.isfinite, missed)), trial.place or 0

    trial = min(completed, key=distance, default=None)
    if trial is None:
        return None
    return NearestData(
        trial=trial.number,
        values=values_data(settings, trial),
        violations=violations_data(settings, trial),
        parameters=dict(trial.params),
    )


def _violations(settings: Settings, trial: Trial) -> list[Violation]:
    is_judged = trial.status is TrialStatus.COMPLETED and trial.violation > 0.0
    return violations_of(settings, trial.repeats) if is_judged else []

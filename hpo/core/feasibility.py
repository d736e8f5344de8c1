"""Whether a trial meets what its job requires of its metrics, and by how much it does not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from math import isfinite

from hpo.core.conclude import value_for
from hpo.core.settings import Required, Settings
from hpo.core.trial import Run
from hpo.spec.requirement import Requirement, Violation


def violations_of(settings: Settings, repeats: Sequence[Run]) -> list[Violation]:
    """Return which requirements a trial of these runs, which have ended, misses; none where it meets all.

    An objective counts with the value that `take` says, any other metric with its last one; of repeats it is
    the score of theirs, where each has given the metric.
    """
    if not settings.require:
        return []
    each = [_known(settings, run) for run in repeats]
    known = {
        metric: _score(settings, [values[metric] for values in each])
        for metric in each[0]
        if all(metric in values for values in each)
    }
    found = (_requirement(required).violation(known) for required in settings.require)
    return [violation for violation in found if violation is not None]


def violation_of(settings: Settings, repeats: Sequence[Run]) -> float:
    """Return the sum of the relative violations of a trial of these runs: 0 where it meets everything."""
    return sum((violation.relative for violation in violations_of(settings, repeats)), 0.0)


def required(text: str, metrics: Collection[str]) -> Required:
    """Return a requirement as settings have it, from its text and all metrics; raises ExpressionError."""
    return Required(text, tuple(sorted(Requirement.of(text, metrics).metrics)))


def _known(settings: Settings, run: Run) -> dict[str, float]:
    known = dict(run.progress.latest)
    for objective in settings.objectives:
        value = value_for(settings, objective, run)
        if value is not None:
            known[objective.metric] = value
    return known


def _score(settings: Settings, values: Sequence[float]) -> float:
    """Return the score of a metric's values; of those that are not finite the first one."""
    strange = [value for value in values if not isfinite(value)]
    return strange[0] if strange else settings.repeats.score.of(values)


@lru_cache(maxsize=64)
def _requirement(required: Required) -> Requirement:
    return Requirement.of(required.text, required.metrics)

"""Whether a trial meets what its job requires of its metrics, and by how much it does not."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from hpo.core.conclude import value_for
from hpo.core.settings import Required, Settings
from hpo.core.trial import Run
from hpo.spec.requirement import Requirement, Violation


def violations_of(settings: Settings, run: Run) -> list[Violation]:
    """Return which requirements a run that has ended misses; none where it meets all.

    An objective counts with the value that `take` says, any other metric with its last one.
    """
    if not settings.require:
        return []
    known = dict(run.progress.latest)
    for objective in settings.objectives:
        value = value_for(settings, objective, run)
        if value is not None:
            known[objective.metric] = value
    found = (_requirement(required).violation(known) for required in settings.require)
    return [violation for violation in found if violation is not None]


def violation_of(settings: Settings, run: Run) -> float:
    """Return the sum of a run's relative violations: 0 where it meets everything."""
    return sum((violation.relative for violation in violations_of(settings, run)), 0.0)


def required(text: str, metrics: Collection[str]) -> Required:
    """Return a requirement as settings have it, from its text and all metrics; raises ExpressionError."""
    return Required(text, tuple(sorted(Requirement.of(text, metrics).metrics)))


@lru_cache(maxsize=64)
def _requirement(required: Required) -> Requirement:
    return Requirement.of(required.text, required.metrics)

"""What is allowed of a search space, but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpo.spec.feasible import survey
from hpo.spec.limits import Limits
from hpo.spec.models import Spec
from hpo.spec.space import Space
from hpo.spec.tuned import first_configurations

FEW = 0.01
"""Share of the configurations that should keep to the constraints."""


def space_warnings(limits: Limits, parts: Mapping[str | None, tuple[Space, Spec]]) -> Iterator[str]:
    """Yield what is probably not meant of each algorithm's space, or the only one, as sentences."""
    counts = [space.cardinality for space, _ in parts.values()]
    count, most = sum(count or 0 for count in counts), limits.max_jobs
    if None not in counts and count < most:
        has = "the space has" if len(counts) == 1 else "the spaces have together"
        yield (
            f"limits.max_jobs is {most}, but {has} {count} configurations: the job ends when each was tried"
        )
    first = sum(len(first_configurations(space, spec.initial)) for space, spec in parts.values())
    if first > most:
        yield f"limits.max_jobs is {most}, but {first} trials are to be tried first: the last ones never are"
    for name, (space, _) in parts.items():
        if space.constraints:
            found = survey(space)
            if found.fitting < FEW * found.of:
                at = "constraints" if name is None else f"algorithms.{name}.constraints"
                yield f"{at}: only {found.text}"

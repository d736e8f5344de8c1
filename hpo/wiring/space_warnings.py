"""What is allowed of a search space, but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from hpo.spec.feasible import survey
from hpo.spec.models import Spec
from hpo.spec.space import Space
from hpo.spec.tuned import first_configurations

FEW = 0.01
"""Share of the configurations that should keep to the constraints."""


def space_warnings(space: Space, spec: Spec) -> Iterator[str]:
    """Yield what is probably not meant, each as a sentence that begins with the section."""
    count, most = space.cardinality, spec.limits.max_jobs
    if count is not None and count < most:
        yield (
            f"limits.max_jobs is {most}, but the space has {count} configurations: "
            "the job ends when each was tried"
        )
    first = len(first_configurations(space, spec.initial))
    if first > most:
        yield f"limits.max_jobs is {most}, but {first} trials are to be tried first: the last ones never are"
    if space.constraints:
        found = survey(space)
        if found.fitting < FEW * found.of:
            yield f"constraints: only {found.text}"

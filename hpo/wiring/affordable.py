"""Whether `limits.max_cost` pays a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo.core.budget import fits
from hpo.errors import UsageError

if TYPE_CHECKING:
    from hpo.wiring.prepared import Prepared


def worst_cost_within(prepared: Prepared) -> float | None:
    """Return what one run can cost at the most; None where the spec has no `max_cost`, which needs that.

    Raises UsageError where it is not known, or one trial can cost more, and LauncherError.
    """
    limit = prepared.spec.limits.max_cost
    if limit is None:
        return None
    worst = prepared.ask_worst_cost()
    if worst is None:
        way = "give the price of its machines an hour under `launcher.prices`, or "
        way = way if "prices" in type(prepared.options).model_fields else ""
        raise UsageError(
            f"it is {limit:g}, but what a run costs is not known to the {prepared.spec.launcher.kind} "
            f"launcher: {way}leave max_cost out"
        )
    count = prepared.repeats.count
    if not fits(limit, count * worst):
        runs = "one run" if count == 1 else f"the {count} runs of one trial"
        longest = prepared.spec.limits.max_job_runtime
        given = "which is not given" if longest is None else f"which is {longest:g} seconds"
        raise UsageError(
            f"it is {limit:g}, but {runs} can cost {count * worst:.2f}: raise it, or let runs take less "
            f"time with `limits.max_job_runtime`, {given}"
        )
    return worst

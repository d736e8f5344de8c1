"""How much a job, or a trial, may take, and how often what was lost is launched."""

from __future__ import annotations

from typing import cast

from pydantic import ConfigDict, Field

from hpo.spec.section import Duration, Section


class Limits(Section):
    """When the job, or a trial, has taken enough."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required"))

    max_jobs: int = Field(ge=1, description="trials in all; for grid by default the number of combinations")
    max_parallel_jobs: int = Field(default=1, ge=1, description="trials at the same time")
    max_runtime: Duration | None = Field(default=None, description="of the whole job: 90, 90s, 15m, 2h or 1d")
    max_job_runtime: Duration | None = Field(
        default=None, description="of one trial, of each of its repeats: 90, 90s, 15m, 2h or 1d"
    )
    max_cost: float | None = Field(default=None, gt=0, description="of all trials together, in USD")
    max_failures: int | None = Field(
        default=None,
        ge=1,
        description="failed trials after which the job fails; by default it fails if the first three all do",
    )


def no_limits() -> Limits:
    """Return what stands for a spec without limits: it is validated, and right for a grid alone."""
    return cast("Limits", {})


class Retry(Section):
    """What to do about failures of the infrastructure; a program's own failures are never retried."""

    attempts: int = Field(
        default=2,
        ge=1,
        le=30,
        description="launches of one trial, of each of its repeats, the first one included",
    )

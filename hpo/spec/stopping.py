"""What ends a job before its limits, and what ends single trials early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from hpo.spec.section import Section, mistake


class StopWhen(Section):
    """Any one of these ends the job."""

    target: float | None = Field(default=None, description="a value of the objective that is good enough")
    not_improving_for: int | None = Field(default=None, ge=1, description="trials without a better value")
    converged: bool = Field(default=False, description="whether a best value that hardly gains ends the job")
    running: Literal["stop", "finish"] = Field(
        default="stop", description="stop or finish: what then becomes of the trials that run"
    )


class MedianStopping(Section):
    """Stops a trial whose objective is worse than the median of the others' running averages."""

    rule: Literal["median"] = Field(description="median: as automatic model tuning does")
    min_trials: int = Field(default=3, ge=1, description="completed trials before which none is stopped")
    min_steps: int = Field(default=2, ge=1, description="steps before which a trial is not stopped")


EarlyStopping = Literal["off", "median"] | MedianStopping
"""A rule's name alone, or with its options."""


def median_rule(early_stopping: EarlyStopping) -> MedianStopping | None:
    """Return the rule with its options; None where trials run to their end."""
    match early_stopping:
        case "off":
            return None
        case "median":
            return MedianStopping(rule="median")
        case _:
            return early_stopping


def stopped_twice(spec: object) -> Iterator[PydanticCustomError]:
    """Yield that two rules would stop trials, which automatic model tuning refuses, too."""
    match spec:
        case {
            "early_stopping": "median" | {"rule": "median"},
            "strategy": "hyperband" | {"name": "hyperband"},
        }:
            text = "the strategy hyperband stops trials early by itself"
            yield mistake(text, hint="leave it out, or take another strategy", at=("early_stopping",))
        case _:
            return

"""What ends a job before its limits, and what ends single trials early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from hpo.spec.section import Section, mistake

MIN_TRIALS = 3
"""Completed trials before which none is stopped, by default."""

MIN_STEPS = 2
"""Steps before which a trial is not stopped, by default."""

PERCENTILE = 33.0
"""The share of the completed trials that a trial must be among, in percent, by default."""


class StopWhen(Section):
    """Any one of these ends the job."""

    target: float | None = Field(default=None, description="a value of the objective that is good enough")
    not_improving_for: int | None = Field(default=None, ge=1, description="trials without a better value")
    converged: bool = Field(default=False, description="whether a best value that hardly gains ends the job")
    running: Literal["stop", "finish"] = Field(
        default="stop", description="stop or finish: what then becomes of the trials that run"
    )


class EarlyStoppingRule(Section):
    """Stops a trial whose objective is worse than what others had shown by the same step."""

    rule: Literal["median", "percentile"] = Field(
        description="median: worse than the median of the others' running averages, as in automatic model "
        "tuning; percentile: its best value is not among the best ones that the others had by then"
    )
    min_trials: int = Field(
        default=MIN_TRIALS, ge=1, description="completed trials before which none is stopped"
    )
    min_steps: int = Field(default=MIN_STEPS, ge=1, description="steps before which a trial is not stopped")
    percentile: float = Field(
        default=PERCENTILE,
        gt=0.0,
        lt=100.0,
        description="of the rule percentile: how many of 100 trials go on",
    )


EarlyStopping = Literal["off", "median", "percentile"] | EarlyStoppingRule
"""A rule's name alone, or with its options."""


def stopping_rule(early_stopping: EarlyStopping) -> EarlyStoppingRule | None:
    """Return the rule with its options; None where trials run to their end."""
    match early_stopping:
        case "off":
            return None
        case "median" | "percentile":
            return EarlyStoppingRule(rule=early_stopping)
        case _:
            return early_stopping


def percentile_without_its_rule(spec: object) -> Iterator[PydanticCustomError]:
    """Yield that the median rule has no percentile but its own."""
    match spec:
        case {"early_stopping": {"rule": "median", "percentile": _}}:
            text = "`percentile` belongs to the rule percentile; that of the median is 50"
            yield mistake(
                text, hint="write `rule: percentile`, or leave it out", at=("early_stopping", "percentile")
            )
        case _:
            return


def stopped_twice(spec: object) -> Iterator[PydanticCustomError]:
    """Yield that two rules would stop trials, which automatic model tuning refuses, too."""
    match spec:
        case {
            "early_stopping": "median" | "percentile" | {"rule": "median" | "percentile"},
            "strategy": "hyperband" | {"name": "hyperband"},
        }:
            text = "the strategy hyperband stops trials early by itself"
            yield mistake(text, hint="leave it out, or take another strategy", at=("early_stopping",))
        case _:
            return

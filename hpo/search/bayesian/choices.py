"""The engine's choices that were measured, so that each can be measured again: benchmarks/search."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outputs(StrEnum):
    """The scale on which losses are modelled."""

    TAIL_COMPRESSED = "tail-compressed"
    PLAIN = "plain"


class Pending(StrEnum):
    """What is assumed of the trials that run: draws of what they may give, or nothing."""

    FANTASIES = "fantasies"
    IGNORED = "ignored"


class Incumbent(StrEnum):
    """What is to be improved on: the best of draws of the values, of means, or of the values observed."""

    DRAWN = "drawn"
    MEAN = "mean"
    OBSERVED = "observed"


class ImprovementPer(StrEnum):
    """What improvement is to be had for: a trial, however long it takes, or a second of a trial."""

    TRIAL = "trial"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Choices:
    """How the engine decides; the defaults are what measured best, in equally many trials."""

    outputs: Outputs = Outputs.TAIL_COMPRESSED
    pending: Pending = Pending.FANTASIES
    incumbent: Incumbent = Incumbent.DRAWN
    failures: bool = True  # whether a model of failures keeps proposals from where trials fail
    pull: bool = True  # towards where good trials are, while there are few
    companions: int = 3  # see `Engine`; 0 is plain expected improvement
    improvement_per: ImprovementPer = ImprovementPer.TRIAL

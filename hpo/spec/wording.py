"""What expressions and their names are called where they cannot be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for an expression, for a name in it, and an example."""

    whole: str
    name: str
    example: str


CONSTRAINT = Wording("constraint", "parameter", "a constraint compares numbers, as in depth * width <= 4096")
REQUIREMENT = Wording("requirement", "metric", "a requirement bounds a metric, as in latency < 50")

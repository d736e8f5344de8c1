"""Why a trial is stopped early."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """A stopping rule's comparison of one trial at one step: in words, and in numbers where it has some.

    `value` is the trial's there, None for one that is no number; `threshold` is what it had to reach, and
    `rank` its place among the `compared` values, where those are ranked with it. `after` is the `place` of
    the last trial that had ended by then, so that what it was compared with can be told later.
    """

    why: str
    rule: str = ""
    step: float | None = None
    value: float | None = None
    threshold: float | None = None
    rank: int | None = None
    compared: int = 0
    after: int = 0

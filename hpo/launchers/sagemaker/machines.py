"""Which kind of machine a run is to have, where some are short."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

QUOTA_PAUSE = 30.0
"""Seconds for which machines are not asked for again after a quota said no, unless one of ours ends."""

CAPACITY_PAUSE = 600.0
"""Seconds for which another kind is tried first after AWS had none of one."""


@dataclass(frozen=True, slots=True)
class _Shortage:
    until: float
    why: str


class Machines:
    """The kinds of machines a job may have, in order of preference; those that are short come last."""

    def __init__(self, kinds: Sequence[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kinds = kinds
        self._clock = clock
        self._scarce: dict[str, float] = {}  # until when another kind is tried first
        self._refused: dict[str, _Shortage] = {}  # by a quota

    def order(self) -> list[str]:
        """Return the kinds to try, the best first; none while a quota forbids all."""
        now = self._clock()
        allowed = [
            kind for kind in self._kinds if kind not in self._refused or self._refused[kind].until <= now
        ]
        return sorted(allowed, key=lambda kind: max(0.0, self._scarce.get(kind, 0.0) - now))

    def had_none(self, kind: str) -> None:
        """Take note that AWS had no machine of this kind."""
        self._scarce[kind] = self._clock() + CAPACITY_PAUSE

    def refuse(self, kind: str, why: str) -> None:
        """Take note that a quota allows no more machines of this kind."""
        self._refused[kind] = _Shortage(self._clock() + QUOTA_PAUSE, why)

    def returned(self) -> None:
        """Take note that a machine of this job was given back: a quota may allow another one."""
        self._refused.clear()

    @property
    def why_refused(self) -> str:
        """What the quotas said."""
        return "; ".join(dict.fromkeys(shortage.why for shortage in self._refused.values()))

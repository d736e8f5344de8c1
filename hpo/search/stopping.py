"""What a rule of early stopping has decided of a trial, to be explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hpo.core.history import History
from hpo.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """One comparison of a trial, and with which trials' values; `stops` where it was not good enough."""

    verdict: Verdict
    stops: bool
    against: tuple[tuple[int, float], ...]  # (trial, value), the best first


@runtime_checkable
class Explains(Protocol):
    """A strategy that can tell by which comparisons a trial went on, or was stopped."""

    def decisions(self, history: History, number: int) -> Sequence[Decision]:
        """Return the comparisons of the trial's last run in their order, as far as the history tells them."""

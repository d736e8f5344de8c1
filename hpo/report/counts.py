"""How many trials there are of each kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TypedDict

from hpo.core.trial import Trial, TrialStatus

_CHOSEN_BY = {"TPE": "model", "": "strategy"}
"""What the first word of a proposal's `proposed_by` is called, where that is not the word itself.

TPE chose in jobs of several objectives that an older hpo began.
"""


class Counts(TypedDict):
    """How many trials are in each state; `running` counts all that have not ended."""

    completed: int
    running: int
    failed: int
    pruned: int
    cancelled: int


def counts_of(trials: Iterable[Trial]) -> Counts:
    """Count trials by status."""
    counts = Counts(completed=0, running=0, failed=0, pruned=0, cancelled=0)
    for trial in trials:
        match trial.status:
            case TrialStatus.COMPLETED:
                counts["completed"] += 1
            case TrialStatus.FAILED:
                counts["failed"] += 1
            case TrialStatus.PRUNED:
                counts["pruned"] += 1
            case TrialStatus.CANCELLED:
                counts["cancelled"] += 1
            case TrialStatus.PROPOSED | TrialStatus.RUNNING | TrialStatus.STOPPING:
                counts["running"] += 1
    return counts


def chosen_by(trials: Iterable[Trial]) -> dict[str, int]:
    """Count trials by what chose their values: random, grid, hyperband, model, or a strategy's own word."""
    words = (re.match(r"\w*", trial.proposed_by) for trial in trials)
    return dict(Counter(_CHOSEN_BY.get(word[0], word[0]) for word in words if word))


def ended_of(counts: Counts) -> int:
    """Return how many of the counted trials have ended."""
    return counts["completed"] + counts["failed"] + counts["pruned"] + counts["cancelled"]


def counts_text(counts: Counts) -> str:
    """Return the counts that are not zero, for people."""
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "none yet"

"""When the best value counts as converged."""

from __future__ import annotations

from dataclasses import dataclass

from hpo.core.settings import Goal

LEAST_GAIN = 0.01
"""Share of a best value by which a better one must differ from it to count as a gain.

From the API reference of Amazon SageMaker, ConvergenceDetected: no significant improvement is 1% or less.
When it counts as lasting is not published there; the two bounds below are hpo's own.
"""

LEAST_TRIALS = 10
SHARE_OF_TRIALS = 0.5
"""Trials without a gain that are enough: so many, and this share of the completed and pruned."""


@dataclass(frozen=True, slots=True)
class Gain:
    """The last best value that was a gain over the one before it, and how many trials have ended since."""

    value: float | None = None
    trials: int = 0  # completed and pruned ones in all
    since: int = 0  # of them after the one with the value

    def add(self, better: float | None, goal: Goal) -> Gain:
        """Take in one more trial; `better` is its value if that is the best so far."""
        if better is not None and (self.value is None or _is_gain(better, self.value, goal)):
            return Gain(better, self.trials + 1, 0)
        return Gain(self.value, self.trials + 1, self.since + 1)

    @property
    def has_converged(self) -> bool:
        """Whether there was no gain for so long that none is to be expected."""
        return self.value is not None and self.since >= max(LEAST_TRIALS, SHARE_OF_TRIALS * self.trials)

    @property
    def words(self) -> str:
        """Return why that counts as converged."""
        return f"in the last {self.since} trials the best value gained no more than {LEAST_GAIN:.0%}"


def _is_gain(value: float, than: float, goal: Goal) -> bool:
    margin = LEAST_GAIN * abs(than)
    return goal.is_better(value, than + margin if goal is Goal.MAXIMIZE else than - margin)

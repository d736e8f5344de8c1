"""Several objectives made into one, for each trial otherwise.

By the augmented Chebyshev function of ParEGO (Knowles, ParEGO: A Hybrid Algorithm With On-line Landscape
Approximation for Expensive Multiobjective Optimization Problems, 2006) of the weighed losses, each from the
best one on and in a unit of its own. Every point of a Pareto front is the best under some weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hpo.search.attained import Attained, Losses, moderate

AUGMENTED = 0.05
"""What the sum of the weighed losses counts beside the greatest one, as in ParEGO."""

ROUNDS = 60
"""Steps of an iteration that has long converged by then."""


def weights(objectives: int, number: int) -> Losses:
    """Return how much each objective weighs for trial `number`; all together 1.

    They are spread evenly over all that there are: the trials' numbers in a sequence of low discrepancy
    (Roberts, The Unreasonable Effectiveness of Quasirandom Sequences, 2018), made uniform on the simplex.
    """
    if objectives == 1:
        return (1.0,)
    root = 2.0
    for _ in range(ROUNDS):  # x^(m + 1) = x + 1, whose root is the golden ratio's generalization
        root = (1.0 + root) ** (1.0 / (objectives + 1))
    parts = [-math.log1p(-((0.5 + number / root ** (each + 1)) % 1.0)) for each in range(objectives)]
    return tuple(part / (sum(parts) or 1.0) for part in parts)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Makes one loss of several: weighed, from the best of each on, in its own unit."""

    weights: Losses
    best: Losses
    units: Losses

    def loss(self, losses: Losses) -> float:
        """Return the loss that the losses come to."""
        parts = [
            weight * (loss - best) / unit
            for weight, loss, best, unit in zip(
                self.weights, moderate(losses), self.best, self.units, strict=True
            )
        ]
        return max(parts) + AUGMENTED * sum(parts)

    @classmethod
    def of_front(cls, attained: Attained, weights: Losses) -> Weighed:
        """Return it with the extent of a front as unit of each objective; there is at least one result.

        Where that is none, as of a single point, it is the distance from the best loss to the median, or to
        the worst.
        """
        best = attained.least
        ends = (map(max, zip(*attained.front, strict=True)), attained.median, attained.greatest)
        units = tuple(
            next((end - low for end in of_one if end > low), 1.0)
            for low, *of_one in zip(best, *ends, strict=True)
        )
        return cls(weights, best, units)

"""What a search-quality benchmark's task is, and all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hpo.spec.space import Space, Values

Loss = Callable[[Values], float]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A loss to be minimized, what is seen of it, and where trials fail."""

    name: str
    space: Space
    loss: Loss
    optimum: float
    noise: float = 0.0  # standard deviation of what is observed
    fails: Callable[[Values], bool] | None = None  # a region in which every trial fails
    mishaps: float = 0.0  # share of the trials that fail wherever they are

    @property
    def has_failures(self) -> bool:
        """Whether trials can fail."""
        return self.fails is not None or self.mishaps > 0.0

    def observe(self, values: Values, random: np.random.Generator) -> float | None:
        """Return what a trial reports; None for a failed one. The draws don't depend on the values."""
        mishap, error = random.random() < self.mishaps, self.noise * random.standard_normal()
        if mishap or (self.fails is not None and self.fails(values)):
            return None
        return self.loss(values) + error


def tasks() -> dict[str, Task]:
    """Return all tasks by name; tables that are not there yet are made."""
    from benchmarks.search.synthetic import SYNTHETIC
    from benchmarks.search.trained import trained

    return {task.name: task for task in (*SYNTHETIC, *trained())}

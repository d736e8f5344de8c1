"""Uniform draws that were not tried before and are away from the trials that run, beside a model."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial

from hpo.core.history import History
from hpo.search.coordinates import PendingPoints
from hpo.search.strategy import Proposal
from hpo.search.uniform import UniformDraws
from hpo.spec.space import Space, Values

DRAWS = 16
"""How often something is drawn that is not near a pending trial."""


class OpenDraws:
    """Tells which configurations are still open, and draws from them where no model chooses."""

    def __init__(self, space: Space, seed: int, *, tried: Iterable[Values] = ()) -> None:
        """Take what was `tried` before the job began, too."""
        self._draws = UniformDraws(space, seed, tried=tried)
        self._pending = lru_cache(maxsize=1)(partial(PendingPoints, space))

    def are_open(self, history: History, values: Values) -> bool:
        """Tell whether a configuration was not tried before, and is not near a pending one."""
        return self._draws.is_new(history, values) and not self._pending(history).are_near(values)

    def propose(self, history: History, number: int, why: str) -> Proposal | None:
        """Return a draw, near a pending trial only where there is no other; None where all are tried."""
        values = self._draws.draw(history, number)
        for again in range(1, DRAWS):
            if values is None or not self._pending(history).are_near(values):
                break
            values = self._draws.draw(history, number, again)
        return None if values is None else Proposal(values, why)

    def several(self, history: History, number: int, count: int) -> list[Values]:
        """Return that many draws for trial `number`, or as many as there are."""
        draws = (self._draws.draw(history, number, again) for again in range(count))
        return [values for values in draws if values is not None]

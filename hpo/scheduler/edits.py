"""Changes to a running job, as its loop takes them in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hpo.core.events import Edited
from hpo.search.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that was found right; `commit` writes it down in one transaction before it counts."""

    event: Edited
    strategy: Strategy
    commit: Callable[[], None]


class Editor(Protocol):
    """Judges what other processes ask to have changed."""

    def edit(self, request: int) -> Edit | None:
        """Return the edit that a request leads to; None where it was refused, which is its answer.

        Takes as long as it takes to read a spec, and to ask for prices; called in a thread, one at a time.
        """

"""What a job's strategy has decided of a trial, worked out again from its store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hpo.core.history import History
from hpo.search.stopping import Decision, Explains
from hpo.store.home import DATABASE, SPEC
from hpo.store.sqlite import Store
from hpo.wiring.prepared import prepare


def decisions(folder: Path, number: int) -> Sequence[Decision]:
    """Return the comparisons by which a trial went on, or was stopped early.

    Raises HpoError where the job's spec cannot be read.
    """
    with closing(Store.look(folder / DATABASE)) as store:
        record = store.record()
        objective = record.settings.objective
        history = History.of(objective, store.trials(), store.points(metric=objective.metric))
    prepared = prepare([folder / SPEC], base=Path(record.base), check_launch=False)
    strategy = prepared.strategy(record.seed)
    return strategy.decisions(history, number) if isinstance(strategy, Explains) else ()

"""What of a spec's metrics and strategy is allowed, but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from hpo.metrics.regex import pattern_warnings
from hpo.spec.models import Spec
from hpo.spec.strategies import OtherStrategy


def regex_warnings(spec: Spec) -> Iterator[str]:
    """Yield what its regexes, and those of its algorithms, may read otherwise than meant."""
    patterns = {f"metrics.{name}": regex for name, regex in spec.metrics.items()} | {
        f"algorithms.{algorithm}.metrics.{name}": regex
        for algorithm, own in spec.algorithms.items()
        for name, regex in own.metrics.items()
    }
    for at, regex in patterns.items():
        yield from (f"{at}: {warning}" for warning in pattern_warnings(regex))


def strategy_warnings(spec: Spec) -> Iterator[str]:
    """Yield what its strategy may not look at."""
    if spec.objectives and isinstance(spec.strategy, OtherStrategy):
        of = f"strategy: {spec.strategy.name}, of another package,"
        yield f"{of} may tune for the first objective, {spec.objective.metric}, alone"

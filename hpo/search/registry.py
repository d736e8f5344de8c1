"""Strategies by name, each imported when it is built."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import cast

from hpo.core.prior import NO_PRIOR, Prior
from hpo.core.settings import Objective
from hpo.errors import UsageError
from hpo.plugins import instead, load, offered
from hpo.search.initial import Initial
from hpo.search.strategy import SearchContext, Strategy
from hpo.spec.space import Space, Values

GROUP = "hpo.strategies"
"""Entry points of this group are strategies of other packages: called with a SearchContext, and with
the options as keyword arguments, they return a Strategy."""

_BUILT_IN = {
    "bayesian": "hpo.search.bayesian:Bayesian",
    "random": "hpo.search.random_search:RandomSearch",
    "grid": "hpo.search.grid_search:GridSearch",
    "hyperband": "hpo.search.hyperband:Hyperband",
}


def names() -> list[str]:
    """Return the names of all strategies, hpo's own first.

    Raises HpoError where another package takes the name of one that is there already.
    """
    return list(_entries())


def build(
    name: str,
    *,
    space: Space,
    seed: int,
    objective: Objective,
    max_jobs: int,
    options: Mapping[str, object] | None = None,
    prior: Prior = NO_PRIOR,
    initial: Sequence[Values] = (),
    others: Sequence[Objective] = (),
) -> Strategy:
    """Build a strategy from its name and options; `initial` is what it proposes first.

    `others` are the objectives beside the first one.

    Raises UsageError for an unknown name, and for options that the strategy doesn't take.
    """
    entries = _entries()
    if name not in entries:
        raise UsageError(f"there is no strategy `{name}`; {instead(name, list(entries))}")
    given = dict(options or {})
    factory = _factory(entries[name])
    for problem in _refused(name, factory, given).values():
        raise UsageError(problem)
    context = SearchContext(space, seed, objective, max_jobs, prior, tuple(initial), tuple(others))
    strategy = factory(context, **given)
    return Initial(strategy, initial) if initial else strategy


def refused(name: str, options: Mapping[str, object]) -> dict[str, str]:
    """Return what is wrong with a known strategy's options: by their names, "" where some are missing."""
    return _refused(name, _factory(_entries()[name]), options)


def _factory(entry: EntryPoint) -> Callable[..., Strategy]:
    return cast("Callable[..., Strategy]", load(entry, what="strategy"))


def _entries() -> dict[str, EntryPoint]:
    return offered(GROUP, _BUILT_IN, what="strategies")


def _refused(name: str, factory: Callable[..., Strategy], given: Mapping[str, object]) -> dict[str, str]:
    parameters = list(inspect.signature(factory).parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return {}
    known = [parameter.name for parameter in parameters]
    problems = {
        option: f"the strategy {name} has no option `{option}`; {instead(option, known)}"
        for option in given
        if option not in known
    }
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in given]
    return problems | ({"": f"the strategy {name} needs {' and '.join(missing)}"} if missing else {})

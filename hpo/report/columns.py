"""The parameters of a job's trials as columns: each trial has values for those that were active in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpo.spec.space import Scalar


def parameter_names(configurations: Iterable[Mapping[str, Scalar]]) -> list[str]:
    """Return every parameter that a configuration has, each once, in the order of the spec.

    Each configuration has its own in that order; one that it does not share comes after the one before it.
    """
    names: list[str] = []
    known: set[str] = set()
    for values in configurations:
        if known.issuperset(values):
            continue
        place = 0
        for name in values:
            if name in known:
                place = names.index(name) + 1
            else:
                names.insert(place, name)
                known.add(name)
                place += 1
    return names

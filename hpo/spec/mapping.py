"""A mapping of Python's as a spec's nodes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from hpo.errors import Problem
from hpo.spec.nodes import Entry, ListNode, MappingNode, Node, Place, ScalarNode, dotted
from hpo.spec.reader import MAX_DEPTH, Unreadable
from hpo.spec.scalars import fits, unusable
from hpo.spec.space import Scalar

PLACE = Place("the given mapping")
"""Where everything in it stands: it has no lines."""

_TAKEN = "a spec holds texts, numbers, true, false and null, and lists and mappings of them"


def read_mapping(mapping: Mapping[str, object]) -> tuple[MappingNode, list[Problem]]:
    """Return a mapping's nodes and its mistakes; raises Unreadable for one that has no end.

    Tuples are lists, paths are texts, and numbers of other libraries are Python's own.
    """
    reader = _Reader()
    return reader.mapping(mapping, ()), reader.problems


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def mapping(self, mapping: Mapping[Any, object], path: tuple[str, ...]) -> MappingNode:
        if len(path) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} levels lie within one another"
            raise Unreadable(Problem(message, dotted(path), PLACE.file))
        entries: dict[str, Entry] = {}
        for key, value in mapping.items():
            if not isinstance(key, str):
                self._report(f"the key {key!r} is of the type {type(key).__name__}; keys are texts", path)
            elif why := unusable(key):
                self._report(why, path)
            else:
                entries[key] = Entry(PLACE, self._node(value, (*path, key)))
        return MappingNode(PLACE, entries)

    def _node(self, value: object, path: tuple[str, ...]) -> Node:
        if isinstance(value, Mapping):
            return self.mapping(value, path)
        if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
            # as a mapping's the depth counts, and so do the numbers of the items
            items = self.mapping({str(index): item for index, item in enumerate(value)}, path)
            return ListNode(PLACE, tuple(entry.node for entry in items.entries.values()))
        return ScalarNode(PLACE, self._scalar(value, path))

    def _scalar(self, value: object, path: tuple[str, ...]) -> Scalar:
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        match value:
            case None | bool():
                return value
            case str():
                if why := unusable(value):
                    self._report(why, path)
                return str.__str__(value)  # also of an enumeration's member
            case Integral():
                if not fits(int(value)):
                    self._report(f"{value} does not fit into 64 bits", path)
                return int(value)
            case Real():
                return float(value)
            case _:
                kind = type(value).__name__
                self._report(f"`{dotted(path)}` is a value of the type {kind}", path, _TAKEN)
                return None

    def _report(self, message: str, path: tuple[str, ...], hint: str = "") -> None:
        self.problems.append(Problem(message, dotted(path), PLACE.file, hint=hint))

"""A spec file as a tree in which every key and every value knows where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from hpo.spec.space import Scalar

Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"
"""A value without places, as models and dumpers take it."""

Keys = Sequence[str | int]
"""The way from the root to a node: keys of mappings, numbers of list items from 0."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column from 1, or 0 where the source has none (`--set`)."""

    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value; `plain` where it was written without quotes."""

    place: Place
    value: Scalar
    plain: bool = False

    def child(self, _key: str | int) -> None:
        """Return None: a scalar has no parts."""


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    place: Place
    items: tuple[Node, ...]

    def child(self, key: str | int) -> Entry | None:
        """Return item number `key`, from 0, or None."""
        number = int(key) if str(key).isdecimal() else len(self.items)
        if number >= len(self.items):
            return None
        return Entry(self.items[number].place, self.items[number])


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping, in the order of the file."""

    place: Place
    entries: Mapping[str, Entry]

    def child(self, key: str | int) -> Entry | None:
        """Return what stands under `key`, or None."""
        return self.entries.get(str(key))


Node = ScalarNode | ListNode | MappingNode


@dataclass(frozen=True, slots=True)
class Entry:
    """A node, and the place of its key (for a list item, its own)."""

    key: Place
    node: Node


@dataclass(frozen=True, slots=True)
class _Switch:
    """A mapping of which one key decides what the others mean."""

    key: str
    default: str
    kept: frozenset[str] = frozenset()  # what outlives another value of that key


_SWITCHES = {
    "launcher": _Switch("kind", "process", frozenset({"command", "env", "env_from", "workdir"})),
    "strategy": _Switch("name", "bayesian"),
}


def merge(base: MappingNode, overlay: MappingNode) -> MappingNode:
    """Return `base` with `overlay` laid over it: mappings key by key, everything else replaced.

    Another `launcher.kind` drops the base's options of the former kind, but for those that every
    kind has; another `strategy.name` drops those of the former strategy.
    """
    entries = dict(base.entries)
    for key, entry in overlay.entries.items():
        under = entries.get(key)
        match under.node if under else None, entry.node:
            case MappingNode() as below, MappingNode() as above:
                if switch := _SWITCHES.get(key):
                    below = _switched(switch, below, above)
                entries[key] = Entry(entry.key, merge(below, above))
            case _:
                entries[key] = entry
    return replace(base, entries=entries)


def _switched(switch: _Switch, base: MappingNode, overlay: MappingNode) -> MappingNode:
    old, new = base.child(switch.key), overlay.child(switch.key)
    if new is None or plain(new.node) == (plain(old.node) if old else switch.default):
        return base
    return replace(base, entries={k: entry for k, entry in base.entries.items() if k in switch.kept})


def find(node: Node, path: Keys) -> Node | None:
    """Return the node at a path below `node`; None where nothing is."""
    for key in path:
        entry = node.child(key)
        if entry is None:
            return None
        node = entry.node
    return node


def put(root: MappingNode, path: Sequence[str], node: Node) -> MappingNode:
    """Return the mapping with a node in place of what stands at a path, or after all else where nothing does.

    What is no mapping on the way there is replaced by one.
    """
    first, *inner = path
    old = root.child(first)
    if inner:
        under = old.node if old and isinstance(old.node, MappingNode) else MappingNode(node.place, {})
        node = put(under, inner, node)
    return replace(root, entries={**root.entries, first: Entry(old.key if old else node.place, node)})


def plain(node: Node) -> Plain:
    """Return the node's value without places."""
    match node:
        case ScalarNode():
            return node.value
        case ListNode():
            return [plain(item) for item in node.items]
        case MappingNode():
            return {key: plain(entry.node) for key, entry in node.entries.items()}


def dotted(keys: Keys) -> str:
    """Return the path in the notation of `--set`: limits.max_jobs; a key with a dot is put in quotes."""
    return ".".join(f'"{key}"' if re.search(r"[.=]", str(key)) else str(key) for key in keys)


def undotted(path: str) -> tuple[str, ...]:
    """Return the keys of a path in the notation of `--set`."""
    return tuple(key.strip('"') for key in re.findall(r'"[^"]*"|[^."]+', path))

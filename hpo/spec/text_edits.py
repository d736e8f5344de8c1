"""Edits of a spec's text that leave everything else in it, comments too, as it is written."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from hpo.errors import UsageError
from hpo.spec.nodes import Plain
from hpo.spec.scalars import dump

TextEdit = tuple[int, int, str]
"""From where to where in the text, and what stands there instead."""


def composed(text: str) -> yaml.MappingNode:
    """Return a spec's text as nodes. Raises UsageError for a text that cannot be read."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UsageError(f"the spec cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(root, yaml.MappingNode):
        raise UsageError("the spec cannot be read: it is no mapping")
    return root


def child(node: yaml.Node, key: str) -> yaml.Node | None:
    """Return what stands under a mapping's key; None where nothing does, or the node is no mapping."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def replaced(node: yaml.ScalarNode, value: str) -> list[TextEdit]:
    """Write another text in a scalar's place; nothing where it is that already."""
    if value == node.value:
        return []
    return [(node.start_mark.index, node.end_mark.index, inline(value))]


def added(node: yaml.MappingNode, key: str, value: Plain) -> TextEdit:
    """Add an entry as a mapping's first."""
    entry = f"{key}: {inline(value)}"
    if node.flow_style:
        at = node.start_mark.index + 1
        return at, at, f"{entry}, " if node.value else entry
    first = node.value[0][0].start_mark
    return first.index, first.index, f"{entry}\n{' ' * first.column}"


def inline(value: Plain) -> str:
    """Return a value as YAML that may stand anywhere, in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{inline(key)}: {inline(each)}' for key, each in value.items())}}}"
    return dump([value]).strip()[1:-1]


def put(mapping: yaml.MappingNode, key: str, value: Plain) -> TextEdit:
    """Write a value in the place of the one under a mapping's key, or add it as the first entry."""
    for name, node in mapping.value:
        if name.value == key:  # with its key: a block would begin on a line of its own
            return name.start_mark.index, _end(node), f"{inline(key)}: {inline(value)}"
    return added(mapping, key, value)


def commented(root: yaml.MappingNode, path: Sequence[str], lines: Sequence[str]) -> TextEdit:
    """Put comments before a path's key: above the innermost key on the way that begins a line."""
    at, column, mapping = 0, 0, root
    for key in path:
        if mapping.flow_style:
            break
        name = next(name for name, _ in mapping.value if name.value == key)
        at, column = name.start_mark.index, name.start_mark.column
        below = child(mapping, key)
        if not isinstance(below, yaml.MappingNode):
            break
        mapping = below
    return at, at, "".join(f"# {line}\n{' ' * column}" for line in lines)


def edited(text: str, edits: Sequence[TextEdit]) -> str:
    """Return the text with edits that do not overlap."""
    for start, end, value in sorted(edits, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _end(node: yaml.Node) -> int:
    """Return where a node's own text ends: PyYAML's end of a block is where the next one begins."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)

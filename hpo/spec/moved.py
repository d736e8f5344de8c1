"""A spec's text for another folder, or under another name: everything else in it stays as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from hpo.errors import UsageError
from hpo.spec.environment import escape
from hpo.spec.scalars import dump, resolve

_PATHS: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (("inputs", "*"), ("launcher", "env_from", "*", "file")),
    "process": (("launcher", "workdir"),),
    "docker": (
        ("launcher", "build"),
        ("launcher", "build", "folder"),
        ("launcher", "build", "dockerfile"),
    ),
    "sagemaker": (("launcher", "source_dir"), ("launcher", "requirements")),
}
"""Where a spec has paths that count from its folder, by the launcher's kind; those of "" with any kind.

`*` is any key.
"""

_MOUNTS = (("launcher", "mounts", "*"), ("launcher", "mounts", "*", "source"))

_Edit = tuple[int, int, str]
"""From where to where in the text, and what stands there instead."""


def moved(text: str, base: Path) -> str:
    """Return the spec with its relative paths made absolute: they count from `base`.

    The program of the process launcher runs in the spec's folder: `workdir` says so where it did not.
    Raises UsageError for a text that cannot be read.
    """
    root = _composed(text)
    kind = _value(root, ("launcher", "kind")) or "process"
    edits: list[_Edit] = []
    for pattern in (*_PATHS[""], *_PATHS.get(kind, ())):
        for node in _matching(root, pattern):
            edits += _replaced(node, _absolute(node.value, base))
    if kind == "docker":
        for pattern in _MOUNTS:
            for node in _matching(root, pattern):
                edits += _replaced(node, _mount(node.value, base))
    launcher = _child(root, "launcher")
    if kind == "process" and isinstance(launcher, yaml.MappingNode):
        edits += _workdir_given(launcher, escape(str(base)))
    return _edited(text, edits)


def renamed(text: str, name: str) -> str:
    """Return the spec with another name. Raises UsageError for a text that cannot be read."""
    root = _composed(text)
    node = _child(root, "name")
    if isinstance(node, yaml.ScalarNode):
        return _edited(text, _replaced(node, name))
    return _edited(text, [_added(root, "name", name)])


def _workdir_given(launcher: yaml.MappingNode, base: str) -> list[_Edit]:
    match _child(launcher, "workdir"):
        case None:
            return [_added(launcher, "workdir", base)]
        case yaml.ScalarNode() as node if not _is_text(node):  # null
            return _replaced(node, base)
        case _:
            return []


def _composed(text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UsageError(f"the spec cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(root, yaml.MappingNode):
        raise UsageError("the spec cannot be read: it is no mapping")
    return root


def _child(node: yaml.Node, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _value(node: yaml.Node, path: Sequence[str]) -> str:
    """Return the text at a path; "" where there is none."""
    found = next(_matching(node, path), None)
    return str(found.value) if found is not None else ""


def _matching(node: yaml.Node, path: Sequence[str]) -> Iterator[yaml.ScalarNode]:
    """Yield the texts at a path."""
    if not path:
        if isinstance(node, yaml.ScalarNode) and _is_text(node):
            yield node
        return
    key, *rest = path
    below: list[yaml.Node | None] = []
    if key != "*":
        below = [_child(node, key)]
    elif isinstance(node, yaml.MappingNode):
        below = [value for _, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        below = list(node.value)
    for each in below:
        if each is not None:
            yield from _matching(each, rest)


def _is_text(node: yaml.ScalarNode) -> bool:
    return node.style is not None or isinstance(resolve(node.value), str)


def _absolute(given: str, base: Path) -> str:
    """Return a path as it counts from any folder; an address, and what begins with ~, does already."""
    if not given or "://" in given or given.startswith("~") or Path(given).is_absolute():
        return given
    return escape(str(base)) if given in {".", "./"} else escape(f"{base}/") + str(Path(given))


def _mount(given: str, base: Path) -> str:
    """Return SOURCE:TARGET[:ro] likewise; a source without a slash is a volume."""
    source, colon, rest = given.partition(":")
    is_path = "/" in source or source in {".", ".."}
    return f"{_absolute(source, base)}{colon}{rest}" if is_path else given


def _replaced(node: yaml.ScalarNode, value: str) -> list[_Edit]:
    if value == node.value:
        return []
    return [(node.start_mark.index, node.end_mark.index, _scalar(value))]


def _added(node: yaml.MappingNode, key: str, value: str) -> _Edit:
    """Add an entry as a mapping's first."""
    entry = f"{key}: {_scalar(value)}"
    if node.flow_style:
        at = node.start_mark.index + 1
        return at, at, f"{entry}, " if node.value else entry
    first = node.value[0][0].start_mark
    return first.index, first.index, f"{entry}\n{' ' * first.column}"


def _scalar(value: str) -> str:
    return dump([value]).strip()[1:-1]  # as it may stand anywhere


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    for start, end, value in sorted(edits, reverse=True):
        text = text[:start] + value + text[end:]
    return text

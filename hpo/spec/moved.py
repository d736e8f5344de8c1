"""A spec's text for another folder, or under another name: everything else in it stays as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import yaml

from hpo.passwords import without_password
from hpo.spec.algorithms import SECTION
from hpo.spec.environment import escape
from hpo.spec.scalars import resolve
from hpo.spec.text_edits import TextEdit, added, child, composed, edited, put, replaced
from hpo.spec.warm_start import parent_from

_PATHS: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (("inputs", "*"), ("launcher", "env_from", "*", "file")),  # and parents, of which not all are paths
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


def moved(text: str, base: Path) -> str:
    """Return the spec with its relative paths made absolute: they count from `base`.

    The program of the process launcher runs in the spec's folder: `workdir` says so where it did not.
    Raises UsageError for a text that cannot be read.
    """
    root = composed(text)
    kind = _value(root, ("launcher", "kind")) or "process"
    edits: list[TextEdit] = []
    for pattern in _everywhere((*_PATHS[""], *_PATHS.get(kind, ()))):
        for node in _matching(root, pattern):
            edits += replaced(node, _absolute(node.value, base))
    for pattern in _everywhere((("warm_start", "parents", "*"),)):
        for node in _matching(root, pattern):
            edits += replaced(node, parent_from(node.value, partial(_absolute, base=base)))
    if kind == "docker":
        for pattern in _everywhere(_MOUNTS):
            for node in _matching(root, pattern):
                edits += replaced(node, _mount(node.value, base))
    launcher = child(root, "launcher")
    if kind == "process" and isinstance(launcher, yaml.MappingNode):
        edits += _workdir_given(launcher, escape(str(base)))
    elif kind == "process" and child(root, SECTION) is not None:
        edits.append(put(root, "launcher", {"workdir": escape(str(base))}))
    return edited(text, edits)


def without_passwords(text: str) -> str:
    """Return the spec without the passwords of its parents' addresses, which an older hpo took.

    Raises UsageError for a text that cannot be read.
    """
    root = composed(text)
    edits: list[TextEdit] = []
    for pattern in _everywhere((("warm_start", "parents", "*"),)):
        for node in _matching(root, pattern):
            if (shown := without_password(node.value)) != node.value:
                edits += replaced(node, shown)
    return edited(text, edits)


def renamed(text: str, name: str) -> str:
    """Return the spec with another name. Raises UsageError for a text that cannot be read."""
    root = composed(text)
    node = child(root, "name")
    if isinstance(node, yaml.ScalarNode):
        return edited(text, replaced(node, name))
    return edited(text, [added(root, "name", name)])


def _everywhere(patterns: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield the patterns of the job's sections, and of those that its algorithms have over them."""
    for pattern in patterns:
        yield from (pattern, (SECTION, "*", *pattern))


def _workdir_given(launcher: yaml.MappingNode, base: str) -> list[TextEdit]:
    match child(launcher, "workdir"):
        case None:
            return [added(launcher, "workdir", base)]
        case yaml.ScalarNode() as node if not _is_text(node):  # null
            return replaced(node, base)
        case _:
            return []


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
        below = [child(node, key)]
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

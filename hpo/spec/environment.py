"""References to environment variables in a spec's values.

`${NAME}` is the variable's value and `${NAME:-default}` the default where it is unset or empty;
`$${` stands for `${` itself. Keys are left alone, and what a variable holds is never expanded again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from hpo.spec.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from hpo.spec.scalars import resolve, unusable
from hpo.spec.space import Scalar

Report = Callable[[tuple[str | int, ...], str, str], None]
"""Takes a path, a message and a hint."""

_REFERENCE = re.compile(
    r"\$\$\{"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>(?:(?!\$\{)[^}])*))?\}"
    r"|(?P<malformed>\$\{(?:(?!\$\{)[^}])*\}?)"
)


def expand(
    mapping: MappingNode, environment: Mapping[str, str], report: Report, path: tuple[str | int, ...] = ()
) -> MappingNode:
    """Return the mapping with every reference replaced; what cannot be is reported and becomes null."""
    entries = {
        key: Entry(entry.key, _expanded_node(entry.node, environment, report, (*path, key)))
        for key, entry in mapping.entries.items()
    }
    return MappingNode(mapping.place, entries)


def _expanded_node(
    node: Node, environment: Mapping[str, str], report: Report, path: tuple[str | int, ...]
) -> Node:
    match node:
        case ScalarNode(value=str() as text) if "${" in text:
            try:
                return replace(node, value=_expanded(text, environment, retype=node.plain))
            except ValueError as error:
                report(path, *error.args)
                return replace(node, value=None)
        case ScalarNode():
            return node
        case ListNode(place, items):
            expanded = (_expanded_node(item, environment, report, (*path, i)) for i, item in enumerate(items))
            return ListNode(place, tuple(expanded))
        case MappingNode():
            return expand(node, environment, report, path)


def escape(text: str) -> str:
    """Return text that expands to `text`."""
    return text.replace("${", "$${")


def _expanded(text: str, environment: Mapping[str, str], *, retype: bool) -> Scalar:
    """Expand one text; a lone unquoted reference gets the type its value has in YAML.

    Raises ValueError with a message and a hint.
    """
    result = _REFERENCE.sub(lambda match: _replacement(match, environment), text)
    alone = _REFERENCE.fullmatch(text)
    try:
        value = resolve(result) if retype and alone and alone["name"] else result
    except ValueError as error:
        raise ValueError(f"{error} (the value of `{text}`)", "") from None
    if why := unusable(result):
        raise ValueError(f"{why} (the value of `{text}`)", "")
    return value


def _replacement(match: re.Match[str], environment: Mapping[str, str]) -> str:
    if match["malformed"]:
        raise ValueError(
            f"`{match['malformed']}` is no reference to an environment variable",
            "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself",
        )
    if match["name"] is None:
        return "${"
    value, default = environment.get(match["name"]), match["default"]
    if default is not None:
        return value or default
    if value is None:
        raise ValueError(
            f"the environment variable {match['name']} is not set",
            f"set it, or give a default: ${{{match['name']}:-default}}; $${{ stands for ${{ itself",
        )
    return value

"""What hpo and other packages offer by name: built-ins and entry points, imported when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from hpo.errors import HpoError


def offered(group: str, built_in: Mapping[str, str], *, what: str) -> dict[str, EntryPoint]:
    """Return everything of a group by name, hpo's own first; `built_in` gives each one's `module:object`.

    Raises HpoError where another package takes the name of one that is there already.
    """
    entries = {name: EntryPoint(name, place, group) for name, place in built_in.items()}
    for entry in entry_points(group=group):
        if entry.name in entries:
            raise HpoError(
                f"two {what} are called `{entry.name}`: {entries[entry.name].value} and {entry.value}; "
                "uninstall the package of one of them"
            )
        entries[entry.name] = entry
    return entries


def instead(name: str, known: list[str]) -> str:
    """Return what a user who wrote `name` may have meant, or what there is."""
    if not known:
        return "there are none"
    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(known)}"

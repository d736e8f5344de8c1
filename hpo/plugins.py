"""What hpo and other packages offer by name: built-ins and entry points, imported when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
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


def load(entry: EntryPoint, *, what: str) -> object:
    """Import what an entry point names. Raises HpoError where another package's cannot be imported."""
    try:
        return entry.load()
    except Exception as error:  # a package's import may raise anything
        if entry.dist is None:  # hpo's own
            raise
        raise HpoError(
            f"the {what} `{entry.name}` of the package {entry.dist.name} cannot be imported from "
            f"{entry.value}: {type(error).__name__}: {error}; mend or uninstall that package"
        ) from error


def instead(name: str, known: list[str]) -> str:
    """Return what a user who wrote `name` may have meant, or what there is."""
    if not known:
        return "there are none"
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(known)}"

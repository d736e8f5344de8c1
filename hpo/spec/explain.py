"""What pydantic's errors mean, in plain words: what is wrong, where, and what is allowed."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hpo.spec.nodes import Keys, ListNode, MappingNode, Node, Plain, ScalarNode, dotted, plain
from hpo.spec.scalars import dump, resolve
from hpo.spec.shape import Path, Shape
from hpo.spec.space import Scalar


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake, by its path."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False  # the key is wrong rather than its value


_NEEDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "is_instance_of": "a list",  # of an abstract type, as Sequence
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "none_required": "empty",
    "finite_number": "a finite number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "string_too_short": "text of {min_length} or more characters",
    "string_too_long": "text of {max_length} or fewer characters",
    "too_short": "{min_length} or more of them",
    "too_long": "{max_length} or fewer of them",
    "string_pattern_mismatch": "text that matches {pattern}",
}
_CHOICES = {"literal_error": "expected", "enum": "expected", "union_tag_invalid": "expected_tags"}


def findings(error: ValidationError, model: type[BaseModel], node: Node, at: Keys) -> Iterator[Finding]:
    """Yield the mistakes for which `model` refused `node`, which stands at the path `at`."""
    root = Shape.of(model, node)
    errors = [_located(root, details) for details in error.errors(include_url=False)]
    unfit: dict[tuple[Path, bool], list[_Error]] = {}
    for refusal in _likeliest(errors):
        match refusal.details["type"]:
            case "extra_forbidden":
                yield _unknown_key(refusal, at)
            case "missing" | "union_tag_not_found":
                yield _missing(refusal, root, at)
            case "mistake":
                context = refusal.details["ctx"]
                yield _finding(refusal, at, context["text"], context["hint"])
            case "value_error" | "assertion_error":
                yield _finding(refusal, at, str(refusal.details["ctx"]["error"]))
            case _:
                unfit.setdefault((refusal.path, refusal.at_key), []).append(refusal)
    for members in unfit.values():  # the members of a union make one mistake together
        yield _unfit(members, at)


def closest(name: str, names: Sequence[str]) -> str:
    """Return the name most like `name`, or "" where none is like it."""
    folded = {candidate.casefold().replace("-", "_"): candidate for candidate in names}
    wanted = name.casefold().replace("-", "_")
    alike = difflib.get_close_matches(wanted, folded, n=1)
    alike += [candidate for candidate in folded if len(wanted) > 1 and candidate.startswith(wanted)]
    return folded[alike[0]] if alike else ""


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Return "; did you mean …?" with the name most like `name`, or "" where none is like it."""
    guess = closest(name, names)
    return f"; did you mean `{guess}`?" if guess else ""


@dataclass(frozen=True, slots=True)
class _Error:
    """One of pydantic's errors, and where it is in the spec."""

    details: ErrorDetails
    path: Path
    shape: Shape  # at the path; for an unknown key, around it
    at_key: bool = False


def _located(root: Shape, details: ErrorDetails) -> _Error:
    location = details["loc"]
    match details["type"]:
        case "extra_forbidden":
            around = root.follow(location[:-1])
            return _Error(details, (*around.path, location[-1]), around, at_key=True)
        case "union_tag_not_found":
            location = (*location, _discriminator(details))
        case "union_tag_invalid" if isinstance(root.follow(location).node, MappingNode):
            location = (*location, _discriminator(details))
        case "mistake":
            location = details["ctx"]["at"] or location
        case _:
            pass
    at_key = location[-1:] == ("[key]",)
    shape = root.follow(location[:-1] if at_key else location)
    return _Error(details, shape.path, shape, at_key)


def _discriminator(details: ErrorDetails) -> str:
    return str(details["ctx"]["discriminator"]).strip("'")


def _likeliest(errors: list[_Error]) -> list[_Error]:
    """Leave out what the members of unions say that were hardly meant: all but the one with fewest errors.

    A member that takes another kind of value altogether was not meant where one takes this kind.
    """
    for union in sorted({path for error in errors for path in error.shape.tried}, key=len):
        within = Counter(error.shape.tried.get(union) for error in errors if len(error.path) > len(union))
        counts = {member: count for member, count in within.items() if member is not None}
        if counts:
            meant = min(counts, key=lambda member: counts[member])
            errors = [error for error in errors if error.shape.tried.get(union, meant) == meant]
    return errors


def _unknown_key(error: _Error, at: Keys) -> Finding:
    shape, name = error.shape, str(error.path[-1])
    section, keys = (*at, *shape.path), shape.keys
    where = f" in `{dotted(section)}`" if section else ""
    hint = f"allowed here: {', '.join(keys)}"
    if homes := shape.homes(name):
        hint = f"it belongs to {' and '.join(f'`{home}`' for home in homes)}; {hint}"
    message = f"unknown key `{name}`{where}{did_you_mean(name, keys)}"
    return Finding((*section, name), message, hint, at_key=True)


def _missing(error: _Error, root: Shape, at: Keys) -> Finding:
    path, choices = (*at, *error.path), error.shape.choices
    verb = "has no value" if error.shape.node else "is missing"
    section, guess = root.follow(error.path[:-1]), ""
    if error.details["type"] == "union_tag_not_found" and isinstance(section.node, MappingNode):
        unknown = [key for key in section.node.entries if key not in section.keys]
        guess = closest(str(path[-1]), unknown)  # no member was tried that would tell unknown keys
    hint = f"it must be {_listed(choices)}" if choices[1:] else error.shape.description
    return Finding(path, f"`{dotted(path)}` {verb}{f'; is it `{guess}`?' if guess else ''}", hint)


def _unfit(members: Sequence[_Error], at: Keys) -> Finding:
    needs, choices = [], []
    for member in members:
        kind, context = member.details["type"], member.details.get("ctx", {})
        if kind in _CHOICES:
            choices += re.findall(r"'([^']*)'", context[_CHOICES[kind]]) or [context[_CHOICES[kind]]]
        else:
            needs.append(_NEEDS[kind].format_map(context) if kind in _NEEDS else member.details["msg"])
    first, wanted = members[0], _listed(list(dict.fromkeys([*choices, *needs])))
    value = plain(first.shape.node) if first.shape.node and not first.at_key else None
    guess = did_you_mean(value, choices) if isinstance(value, str) else ""
    hint = _type_hint(value, {member.details["type"] for member in members})
    return _finding(first, at, f"it must be {wanted}{guess}", hint)


def _finding(error: _Error, at: Keys, text: str, hint: str = "") -> Finding:
    """Return a mistake whose text follows the path and, where that is short to say, its value."""
    path = (*at, *error.path)
    match error.shape.node:
        case _ if error.at_key:
            subject = f"the name `{path[-1]}`:"
        case ScalarNode(value=value):
            subject = f"`{dotted(path)}` is {_shown(value)};"
        case ListNode() if text.startswith("it must"):
            subject = f"`{dotted(path)}` is a list;"
        case MappingNode() if text.startswith("it must"):
            subject = f"`{dotted(path)}` is a mapping;"
        case _:
            subject = f"`{dotted(path)}`:"
    return Finding(path, f"{subject} {text}", hint, at_key=error.at_key)


def _type_hint(value: Plain, errors: set[str]) -> str:
    """Return how the value would get the type that is asked for."""
    match value:
        case str() if errors & {"int_type", "float_type", "bool_type"} and not _is_text(value):
            return f"in quotes it is text: write {value}"
        case bool() | int() | float() if "string_type" in errors:
            return f"text that looks like this goes in quotes: '{_written(value)}'"
        case float() if value.is_integer() and errors & {"int_type", "int_from_float"}:
            return f"write {int(value)}"
        case _:
            return ""


def _is_text(text: str) -> bool:
    try:
        return resolve(text) is None or isinstance(resolve(text), str)
    except ValueError:
        return False


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if words[1:] else "".join(words)


def _shown(value: Scalar) -> str:
    match value:
        case None:
            return "empty"
        case "":
            return "an empty text"
        case str():
            return f"`{value if len(value) <= 60 else f'{value[:57]}…'}`"
        case _:
            return _written(value)


def _written(value: Scalar) -> str:
    """Return the value as YAML has it."""
    return dump(value).split("\n")[0]

"""Values against botocore's service model: what botocore itself leaves to the service to check."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from hpo.testing.aws.errors import ApiError, invalid

_KINDS: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str, datetime),
}


@functools.cache
def model(service: str) -> Any:
    """Return the service's model, as botocore has it."""
    from botocore.session import get_session

    return get_session().get_service_model(service)


def check_request(service: str, operation: str, request: Any) -> None:
    """Refuse a request that the model does not allow, with every violation. Raises ApiError."""
    shape = model(service).operation_model(operation).input_shape
    if shape is None:
        return
    if found := list(_violations(shape, request, "")):
        plural = "s" * (len(found) != 1)
        raise invalid(f"{len(found)} validation error{plural} detected: {'; '.join(found)}")


def wire(shape: Any, value: Any, path: str = "") -> Any:
    """Return a value as an answer has it: times as seconds since the epoch.

    Raises ValueError where the shape does not allow it.
    """
    where = path or shape.name
    if not _is_of(shape, value):
        raise ValueError(f"{where}: {value!r} is no {shape.type_name}")
    match shape.type_name:
        case "structure":
            if unknown := sorted(value.keys() - shape.members.keys()):
                raise ValueError(f"{where} has no member {unknown[0]}; it has {', '.join(shape.members)}")
            if missing := sorted(set(shape.required_members) - value.keys()):
                raise ValueError(f"{where}: {missing[0]} is missing")
            return {name: wire(shape.members[name], each, f"{where}.{name}") for name, each in value.items()}
        case "map":
            return {name: wire(shape.value, each, f"{where}.{name}") for name, each in value.items()}
        case "list":
            return [wire(shape.member, each, f"{where}[{index}]") for index, each in enumerate(value)]
        case "timestamp":
            return value.timestamp() if isinstance(value, datetime) else value
        case "string" if shape.enum and value not in shape.enum:
            raise ValueError(f"{where}: {value!r} is none of {', '.join(shape.enum)}")
        case _:
            return value


def _is_of(shape: Any, value: Any) -> bool:
    if isinstance(value, bool) and shape.type_name != "boolean":
        return False
    return shape.type_name not in _KINDS or isinstance(value, _KINDS[shape.type_name])


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not _is_of(shape, value):
        # The service cannot even read such a request: it stops at the first.
        raise ApiError("SerializationException", f"{path or 'the request'} must be a {shape.type_name}")
    match shape.type_name:
        case "structure":
            yield from _in_structure(shape, value, path)
        case "map":
            yield from _measure(shape, value, path)
            yield from _in_map(shape, value, path)
        case "list":
            yield from _measure(shape, value, path)
            for number, each in enumerate(value, start=1):
                yield from _violations(shape.member, each, f"{path}.{number}.member")
        case _:
            yield from _measure(shape, value, path)


def _in_structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _said(None, _member(path, name), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _violations(member, value[name], _member(path, name))


def _in_map(shape: Any, value: Any, path: str) -> Iterator[str]:
    for key, each in value.items():
        if not _is_of(shape.value, each):
            raise ApiError("SerializationException", f"{path}.{key} must be a {shape.value.type_name}")
        for kind, member, its in (("keys", shape.key, key), ("value", shape.value, each)):
            if broken := [rule for _, rule in _broken(member, its)]:
                yield _said(value, path, f"Map {kind} must satisfy constraint: [{', '.join(broken)}]")


def _broken(shape: Any, value: Any) -> Iterator[tuple[Any, str]]:
    """Yield the rules of a scalar's, list's or map's own that a value breaks."""
    rules = shape.metadata
    low, high = rules.get("min"), rules.get("max")
    match shape.type_name:
        case "integer" | "long" | "float" | "double":
            if low is not None and value < low:
                yield value, f"Member must have value greater than or equal to {low}"
            if high is not None and value > high:
                yield value, f"Member must have value less than or equal to {high}"
        case "string" | "list" | "map":
            if low is not None and len(value) < low:
                yield value, f"Member must have length greater than or equal to {low}"
            if high is not None and len(value) > high:
                yield value, f"Member must have length less than or equal to {high}"
        case _:
            pass
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield value, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        if (pattern := rules.get("pattern")) and not _matches(pattern, value):
            yield value, f"Member must satisfy regular expression pattern: {pattern}"


def _measure(shape: Any, value: Any, path: str) -> Iterator[str]:
    for broken, rule in _broken(shape, value):
        yield _said(broken, path, rule)


@functools.cache
def _compiled(pattern: str) -> Any:
    """Return a pattern that is written for Java; None where neither library here reads it."""
    try:
        return re.compile(pattern)
    except re.error:
        pass
    import re2

    quiet = re2.Options()
    quiet.log_errors = False
    try:
        return re2.compile(pattern, quiet)
    except re2.error:
        return None


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


def _member(path: str, name: str) -> str:
    small = name[:1].lower() + name[1:]
    return f"{path}.{small}" if path else small


def _said(value: Any, path: str, rule: str) -> str:
    text = value if isinstance(value, str) else "null" if value is None else json.dumps(value, default=str)
    shown = text if value is None else f"'{text}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"

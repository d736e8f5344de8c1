"""Scalars as YAML 1.2's core schema has them, read and written.

PyYAML follows YAML 1.1, where `off` is false, `1e-4` is text, `010` is eight and `2024-01-01` a date.
"""

from __future__ import annotations

import math
import re

import yaml

from hpo.spec.nodes import Plain
from hpo.spec.space import Scalar

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)


def resolve(text: str) -> Scalar:
    """Return the value of an unquoted scalar.

    Raises ValueError for an integer that does not fit into 64 bits.
    """
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text):
        return _integer(text)
    if _FLOAT.match(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = text if base == 10 else text[2:]
    if len(digits) > 100 or not fits(int(digits, base)):  # int() refuses 4,300 digits
        raise ValueError(f"`{text if len(text) <= 40 else f'{text[:39]}…'}` does not fit into 64 bits")
    return int(digits, base)


def fits(number: int) -> bool:
    """Tell whether an integer has at most 64 bits."""
    return -(2**63) <= number < 2**63


def unusable(text: str) -> str:
    """Return why no program could be given this text; "" where there is nothing against it."""
    if "\0" in text:
        return "the text holds a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "the text holds a surrogate (\\ud800 to \\udfff), which is no character"
    return ""


class _Dumper(yaml.SafeDumper):
    """Writes so that our reader gets the same values back."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own, filled below

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def _text(self, text: str) -> yaml.ScalarNode:
        is_open = "${" in text.rpartition("}")[2]  # a reader would look for the end of a reference behind it
        style = None if text.isprintable() and not is_open else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper._text)  # noqa: SLF001
for _name, _pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT)):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, None)


def dump(value: Plain) -> str:
    """Return YAML that reads back as exactly this value, keys in their order."""
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf, default_flow_style=None
    )

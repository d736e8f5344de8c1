"""AMT's texts as values: it keeps every value of a parameter as a text."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from hpo.errors import LauncherError
from hpo.spec.names import ALGORITHM
from hpo.spec.space import Scalar

_EXACT = 2**53
"""Up to here every integer is a float, too."""


def algorithm_name(definition: str) -> str:
    """Return what a definition of training jobs is called in a spec, where no name begins with a digit."""
    return definition if ALGORITHM.fullmatch(definition) else f"_{definition}"[:64]


def value_of(text: str) -> Scalar:
    """Return the value that a program is given as exactly this text: a number, a truth or null by its JSON.

    A number that would be written otherwise (007, 1e-4, 0.10) stays a text; a text that the SDK has put
    in JSON's quotes loses them, and stays a text whatever is in them.
    """
    value = json_value(text)
    return value if isinstance(value, str) or json.dumps(value) == text else text


def json_value(text: str) -> Scalar:
    """Return the value that SageMaker's training toolkit reads from a text: its JSON, or else the text.

    A list or a mapping stays a text, as does an integer that no float is equal to.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    match value:
        case bool() | str() | None:
            return value
        case int() | float() if math.isfinite(value) and abs(value) <= _EXACT:
            return value
        case _:
            return text


def values_of(texts: Sequence[str]) -> list[Scalar]:
    """Return the values of a categorical parameter; their texts, where two would become the same."""
    values = [value_of(text) for text in texts]
    different = {(type(value), value) for value in values}
    return values if len(different) == len(values) else list(texts)


def integer_of(text: str, what: str) -> int:
    """Return a whole number, also of 10.0 and 1e3, exactly. Raises LauncherError; `what` is what it is of."""
    plain = unquoted(text) or text
    try:
        return int(plain)
    except ValueError:
        number = float_of(plain, what)
    if not number.is_integer():
        raise LauncherError(f"{what} is {text!r}, which is no whole number")
    return int(number)


def float_of(text: str, what: str) -> float:
    """Return a finite number. Raises LauncherError; `what` is what it is of."""
    try:
        number = float(unquoted(text) or text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise LauncherError(f"{what} is {text!r}, which is no number")
    return number


def unquoted(text: str) -> str | None:
    """Return what stands in JSON's quotes; None where there are none."""
    inside = json_value(text) if text.startswith('"') else text
    return inside if isinstance(inside, str) and inside != text else None

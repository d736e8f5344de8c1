"""What `hpo copy` has written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo.spec.document import Document
from tests.command_line import Hpo


def exact(value: object) -> object:
    """Return a value in which 1, 1.0, true and "1" differ, and the order of keys counts."""
    match value:
        case dict():
            return [(key, exact(item)) for key, item in value.items()]
        case list():
            return [exact(item) for item in value]
        case _:
            return (type(value).__name__, value)


def written(hpo: Hpo, name: str = "tune.yaml") -> Mapping[str, Any]:
    """Return what a spec says, as hpo reads it."""
    value = Document.read([hpo.folder / name], environment={}).value()
    assert isinstance(value, dict)
    return value

"""The JSON Schema of a spec, for editors."""

from __future__ import annotations

from pydantic import JsonValue

from hpo.launchers import registry as launchers
from hpo.spec.load import schema


def json_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema of a spec, with the options of every launcher."""
    return schema({kind: launchers.options_model(kind) for kind in launchers.names()})

"""From a document to the spec, and the spec's JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue, models_json_schema

from hpo.spec.algorithms import OWN, SECTION, Algorithm, AlgorithmLauncher
from hpo.spec.document import Document
from hpo.spec.learners import AUTO
from hpo.spec.models import Launcher, Spec
from hpo.spec.strategies import Names

UNAVAILABLE = {"cross_validation"}
"""Sections that hpo does not know what to do with yet: refused by name, never ignored."""


def spec_of(document: Document, strategies: Names | None = None) -> Spec | None:
    """Return the document's spec, or None where it is none; the mistakes are added to the document.

    `strategies` gives the names of all strategies there are, and is called for other names than hpo's own.
    What is not available yet is a mistake, too. The launcher's own options are left to its model:
    `document.validate(Options, at="launcher", without={"kind"})`.
    """
    given = document.value()
    for section in UNAVAILABLE & given.keys() if isinstance(given, dict) else ():
        document.problem((section,), f"`{section}` is not available yet", of_key=True)
    return document.validate(Spec, context=strategies)


def schema(options: Mapping[str, type[BaseModel]] | None = None) -> JsonSchemaValue:
    """Return the JSON Schema (2020-12) of a spec, for editors.

    `options` are the models of the launchers' options, by kind. What the schema cannot say is checked
    when a spec is loaded; references to the environment and keys without a value are not in it.
    """
    options = options or {}
    models: list[type[BaseModel]] = [Spec, *options.values()]
    references, everything = models_json_schema([(model, "validation") for model in models])
    definitions = everything["$defs"]
    names = {model: references[model, "validation"]["$ref"].rpartition("/")[2] for model in models}
    if options:
        kinds = [_with_kind(definitions[names[model]], kind) for kind, model in options.items()]
        definitions[Launcher.__name__] = {"oneOf": kinds, "description": Launcher.__doc__}
        parts = {"anyOf": list(map(_in_parts, kinds)), "description": AlgorithmLauncher.__doc__}
        definitions[AlgorithmLauncher.__name__] = parts
    for definition in definitions.values():
        for part in definition.get("properties", {}).values():
            if "patternProperties" in part:
                part["additionalProperties"] = False
    spec = definitions.pop(names[Spec])
    for each in (spec, definitions[Algorithm.__name__]):
        each["properties"]["parameters"] = _or_auto(each["properties"]["parameters"])
    spec = _of_one_or_several(spec)
    for model in set(options.values()):
        del definitions[names[model]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **spec, "$defs": definitions}


def _or_auto(parameters: JsonSchemaValue) -> JsonSchemaValue:
    """Return the parameters' schema with what hpo writes out before a model reads it."""
    asked = {"anyOf": [{"const": True}, {"type": "array", "items": {"type": "string"}}]}
    beside = {"type": "object", "properties": {AUTO: asked}, "required": [AUTO]}
    listed = {key: part for key, part in parameters.items() if key not in {"title", "description"}}
    return {
        "title": parameters["title"],
        "description": f"{parameters['description']}; or auto: hpo chooses them for `learner`",
        "anyOf": [{"const": AUTO}, listed, {**beside, "additionalProperties": {"type": "object"}}],
    }


def _of_one_or_several(spec: JsonSchemaValue) -> JsonSchemaValue:
    """Return a spec's schema with one objective or several, and one algorithm or several.

    One has parameters and metrics in the spec. Several may have each their own options of the launcher, so
    that the job's need not be all of them.
    """
    either = ("parameters", "metrics")
    required = [key for key in spec["required"] if key not in either]
    launcher = spec["properties"]["launcher"]
    shared = {"$ref": f"#/$defs/{AlgorithmLauncher.__name__}"}
    return {
        **spec,
        "properties": {**spec["properties"], "launcher": {"description": launcher["description"]}},
        "required": required,
        "allOf": [
            {
                "if": {"required": ["objectives"]},
                "then": {"properties": {"objective": False}},
                "else": {"required": ["objective"]},
            },
            {
                "if": {"required": [SECTION]},
                "then": {"properties": {"launcher": shared, **dict.fromkeys(OWN, False)}},
                "else": {"properties": {"launcher": launcher}, "required": list(either)},
            },
        ],
    }


def _in_parts(options: JsonSchemaValue) -> JsonSchemaValue:
    """Return a launcher's options of which all may be missing."""
    return {key: value for key, value in options.items() if key != "required"}


def _with_kind(options: JsonSchemaValue, kind: str) -> JsonSchemaValue:
    """Return a launcher's options with its `kind`, which is optional for the default one."""
    is_default = kind == Launcher().kind
    properties = {"kind": {"const": kind, "description": "where trials run"}, **options.get("properties", {})}
    required = [*options.get("required", []), *([] if is_default else ["kind"])]
    return {**options, "properties": properties, "required": required}

"""What a model allows at a place of a spec, found through its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel

from hpo.spec.nodes import Node

Path = tuple[str | int, ...]
Schema = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand at `path`: one schema, or the members of a union; and what stands there."""

    path: Path
    node: Node | None
    members: tuple[Schema, ...]
    union: tuple[Schema, ...]  # the members before one was chosen by its tag
    description: str
    definitions: Mapping[str, Schema]
    tried: Mapping[Path, str | int]  # by the path of each union on the way, the member that was tried

    @classmethod
    def of(cls, model: type[BaseModel], node: Node) -> Shape:
        """Return the shape of a whole model, and what stands in its place."""
        schema = model.model_json_schema()
        shape = cls((), node, (), (), "", schema.get("$defs", {}), {})
        return shape.entered((), node, [schema])

    def follow(self, location: Sequence[str | int]) -> Shape:
        """Return the shape at a location of a pydantic error.

        Such a location also names the tried members of unions, which are no keys: the path leaves them out.
        """
        shape = self
        for part in location:
            entry = shape.node.child(part) if shape.node else None
            schemas = [
                schema for member in shape.members for schema in _children(member, part, exists=bool(entry))
            ]
            path, node = (*shape.path, part), entry.node if entry else None
            shape = shape.entered(path, node, schemas) if schemas else shape.chosen(part)
        return shape

    @property
    def keys(self) -> list[str]:
        """The allowed keys, in the model's order."""
        return list(dict.fromkeys(key for member in self.members for key in _properties(member)))

    @property
    def choices(self) -> list[str]:
        """The fixed texts of which one must stand here; empty where others may, too."""
        return [str(choice) for member in self.members for choice in _choices(member) if choice is not None]

    def homes(self, key: str) -> list[str]:
        """Return where the unknown `key` would be right: in a section below, or with another tag."""
        homes = [
            section
            for member in self.members
            for section, schema in _properties(member).items()
            if any(key in _properties(option) for option in self._options(schema))
        ]
        return homes + [
            f"{name}: {schema['const']}"
            for member in self.union
            if key in _properties(member)
            for name, schema in _properties(member).items()
            if "const" in schema
        ]

    def entered(self, path: Path, node: Node | None, schemas: Sequence[Schema]) -> Shape:
        """Return the shape of what stands at `path`, given its schemas."""
        members = tuple(option for schema in schemas for option in self._options(schema))
        description = next((str(schema["description"]) for schema in schemas if "description" in schema), "")
        return Shape(path, node, members, (), description, self.definitions, self.tried)

    def chosen(self, tag: str | int) -> Shape:
        """Return the shape narrowed to the union's members that have the tag."""
        members = tuple(member for member in self.members if _has_tag(member, tag))
        tried = {**self.tried, self.path: tag}
        return replace(self, members=members or self.members, union=self.members, tried=tried)

    def _options(self, schema: Schema) -> Iterator[Schema]:
        """Yield the schema itself, or the members of the union that it is."""
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield from self._options(self.definitions[reference.rpartition("/")[2]])
            return
        unions = [schema[key] for key in ("anyOf", "oneOf", "allOf") if key in schema]
        if not unions:
            yield schema
        for union in unions:
            for member in union if isinstance(union, list) else ():
                yield from self._options(member)


def _properties(schema: Schema) -> Mapping[str, Schema]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _children(schema: Schema, part: str | int, *, exists: bool) -> Iterator[Schema]:
    """Yield the schemas of what may stand in a mapping or list under `part`.

    Where keys are free, only one that exists is taken for a key.
    """
    patterns, rest = schema.get("patternProperties"), schema.get("additionalProperties")
    if part in _properties(schema):
        yield _properties(schema)[str(part)]
    elif not exists:
        return
    elif isinstance(part, int):
        items = schema.get("items")
        yield from [items] if isinstance(items, dict) else []
    elif isinstance(patterns, dict):  # whatever the key: its name is pydantic's to check
        yield from patterns.values()
    elif isinstance(rest, dict):
        yield rest


def _has_tag(schema: Schema, tag: str | int) -> bool:
    """Tell whether a union's member goes by the tag: its name, or what one of its properties is fixed to."""
    return tag == schema.get("title") or any(tag in _choices(value) for value in _properties(schema).values())


def _choices(schema: Schema) -> list[object]:
    choices = schema.get("enum")
    return choices if isinstance(choices, list) else [schema.get("const")]

"""A spec as its user wrote it: one file, others laid over it, single values set, the environment put in."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from hpo.errors import Problem, SpecError
from hpo.spec.environment import escape, expand
from hpo.spec.nodes import (
    Entry,
    Keys,
    MappingNode,
    Node,
    Place,
    Plain,
    ScalarNode,
    dotted,
    find,
    merge,
    plain,
    put,
    undotted,
)
from hpo.spec.reader import Unreadable, read_file, read_text
from hpo.spec.scalars import dump, resolve, unusable

if TYPE_CHECKING:
    from hpo.spec.explain import Finding

Model = TypeVar("Model", bound=BaseModel)

_OVERRIDE = re.compile(
    r"""(?P<path>(?:"[^"]+"|[^".=]+)(?:\.(?:"[^"]+"|[^".=]+))*)=(?P<value>.*)""", re.DOTALL
)


class Document:
    """The effective spec, each of its keys and values with its place, and the mistakes found in it so far."""

    def __init__(self, root: MappingNode, files: Sequence[str], problems: Sequence[Problem] = ()) -> None:
        self._root = root
        self._files = list(files)
        self._problems = dict.fromkeys(problems)  # a set in order: the same mistake is told once

    @classmethod
    def read(
        cls,
        given: Sequence[Path | Mapping[str, object]],
        *,
        overrides: Sequence[str] = (),
        environment: Mapping[str, str] = os.environ,
    ) -> Document:
        """Read a spec, a file or a mapping, and what overlays it, each by the next, then the overrides.

        An override is `limits.max_jobs=5`; its value is text as it stands, or of the type that YAML
        gives it, and may be a list or a mapping in brackets or a text in quotes.

        Raises SpecError where a file or an override cannot be read at all; mistakes in readable ones
        are kept for `raise_problems`.
        """
        layers: list[MappingNode] = []
        problems: list[Problem] = []
        unread: list[Problem] = []
        for source in (*given, *overrides):
            try:
                layer, found = _read_layer(source)
            except Unreadable as error:
                unread.append(error.problem)
            else:
                layers.append(layer)
                problems += found
        if unread:
            raise SpecError([*unread, *problems])
        document = cls(reduce(merge, layers), [layer.place.file for layer in layers], problems)
        document._root = expand(document._root, environment, document.problem)
        return document

    def value(self, path: str | Keys = ()) -> Plain:
        """Return what stands at a path, without places; null where nothing does."""
        node = find(self._root, _keys(path))
        return plain(node) if node else None

    def node(self, path: Keys) -> Node | None:
        """Return what stands at a path; None where nothing does."""
        return find(self._root, path)

    def put(self, path: Sequence[str], node: Node) -> None:
        """Put a node in place of what stands at a path, or after all else where nothing does."""
        self._root = put(self._root, path, node)

    def place(self, path: str | Keys, *, of_key: bool = False) -> Place:
        """Return where a value stands, or its key; for what is missing, the key of what it is missing in."""
        key: Place = self._root.place
        node: Node = self._root
        for part in _keys(path):
            entry = node.child(part)
            if entry is None:
                return key
            key, node = entry.key, entry.node
        return key if of_key else node.place

    def problem(self, path: str | Keys, message: str, hint: str = "", *, of_key: bool = False) -> None:
        """Add a mistake found at a path: dotted, as `--set` takes it, or its keys."""
        place = self.place(path, of_key=of_key)
        problem = Problem(message, dotted(_keys(path)), place.file, place.line, place.column, hint)
        self._problems[problem] = None

    def validate(
        self,
        model: type[Model],
        at: str | Keys = (),
        *,
        without: Collection[str] = (),
        context: object = None,
    ) -> Model | None:
        """Return what stands at a path as a model, or None, and add the mistakes.

        Nothing there counts as an empty mapping. Keys in `without` are another model's. `context` is for
        the model's own checks. A path that has a mistake already gets no second one.
        """
        keys = _keys(at)
        node = self._node(keys, without)
        try:
            return model.model_validate(plain(node), context=context)
        except ValidationError as error:
            from hpo.spec.explain import findings

            self._add(findings(error, model, node, keys))
            return None

    def validate_over(
        self, model: type[Model], at: Keys, *, base: Keys, without: Collection[str] = ()
    ) -> Model | None:
        """Return what stands at `at`, laid over what stands at `base`, as a model; None as of `validate`.

        A mistake is told of that place of the two where its key stands.
        """
        over, under = self._node(at, without), self._node(base, without)
        match under, over:
            case MappingNode(), MappingNode():
                node: Node = merge(under, over)
            case _:
                node = over
        try:
            return model.model_validate(plain(node))
        except ValidationError as error:
            from hpo.spec.explain import findings

            own, shared = (list(findings(error, model, node, keys)) for keys in (at, base))
            for here, there in zip(own, shared, strict=True):
                key = here.path[len(at) : len(at) + 1]
                is_shared = find(over, key) is None and find(under, key) is not None
                self._add([there if is_shared else here])
            return None

    def _node(self, keys: Keys, without: Collection[str]) -> Node:
        """Return what stands at a path, less some keys; nothing there counts as an empty mapping."""
        match find(self._root, keys):
            case None | ScalarNode(value=None):
                return MappingNode(self.place(keys), {})
            case MappingNode(place, entries):
                return MappingNode(place, {k: entry for k, entry in entries.items() if k not in without})
            case other:
                return other

    def _add(self, found: Iterable[Finding]) -> None:
        """Add mistakes, but at each path one alone."""
        known = {problem.path for problem in self._problems}
        for finding in found:
            if dotted(finding.path) not in known:
                self.problem(finding.path, finding.message, finding.hint, of_key=finding.at_key)

    def has_problem(self, path: str | Keys) -> bool:
        """Tell whether a mistake was found at exactly this path."""
        wanted = dotted(_keys(path))
        return any(problem.path == wanted for problem in self._problems)

    @property
    def problems(self) -> list[Problem]:
        """The mistakes so far, in the order of the files."""
        order = {file: number for number, file in enumerate(self._files)}
        return sorted(self._problems, key=lambda p: (order.get(p.file, len(order)), p.line, p.column))

    def raise_problems(self) -> None:
        """Raise SpecError with all mistakes, if there are any."""
        if self._problems:
            raise SpecError(self.problems)

    def merged(self) -> str:
        """Return the effective spec as one YAML text, which reads back as exactly the same values."""
        return dump(_escaped(self.value()))

    def digest(self, *, without: Collection[str] = ()) -> str:
        """Return a SHA-256 of the effective spec, but for the sections named in `without`.

        The order of keys does not count; the types of values do.
        """
        sections = {key: plain(entry.node) for key, entry in self._root.entries.items() if key not in without}
        canonical = json.dumps(sections, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _keys(path: str | Keys) -> Keys:
    return undotted(path) if isinstance(path, str) else path


def _read_layer(source: Path | Mapping[str, object] | str) -> tuple[MappingNode, list[Problem]]:
    match source:
        case str():
            return _read_override(source)
        case Path():
            return read_file(source)
        case _:
            from hpo.spec.mapping import read_mapping

            return read_mapping(source)


def _read_override(text: str) -> tuple[MappingNode, list[Problem]]:
    """Return an override as a mapping to lay over the spec; raises Unreadable."""
    source = f"--set {text}"
    written = _OVERRIDE.fullmatch(text)
    if written is None:
        hint = "write the path of a key, =, and its value: limits.max_jobs=5"
        raise Unreadable(Problem("this sets nothing", file=source, hint=hint))
    node, problems = _override_value(written["value"].strip(), source)
    place = Place(source)
    first, *inner = undotted(written["path"])
    for key in reversed(inner):
        node = MappingNode(place, {key: Entry(place, node)})
    return MappingNode(place, {first: Entry(place, node)}), problems


def _override_value(text: str, source: str) -> tuple[Node, list[Problem]]:
    if text.startswith(("[", "{", '"', "'")):
        return read_text(text, source, placed=False)
    try:
        value = resolve(text)
    except ValueError as error:
        raise Unreadable(Problem(str(error), file=source)) from None
    if why := unusable(text):
        raise Unreadable(Problem(why, file=source))
    return ScalarNode(Place(source), value, plain=True), []


def _escaped(value: Plain) -> Plain:
    match value:
        case str():
            return escape(value)
        case list():
            return [_escaped(item) for item in value]
        case dict():
            return {key: _escaped(item) for key, item in value.items()}
        case _:
            return value

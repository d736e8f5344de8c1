"""YAML text to nodes, within bounds that no file can break out of.

Scalars are YAML 1.2's (see hpo.spec.scalars). Of YAML's features tags and merge keys are refused;
anchors and aliases work.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import yaml

from hpo.errors import Problem
from hpo.spec.nodes import Entry, ListNode, MappingNode, Node, Place, ScalarNode, dotted
from hpo.spec.scalars import resolve, unusable

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_NODES = 10_000  # an alias counts as all that it stands for

# A reference such as ${N:-5} may stand unquoted within {…} and […]: while YAML is scanned, the
# characters that would end it there are stood in for by private ones.
_REFERENCE = re.compile(r"\$\{(?:(?!\$\{)[^}\"'\n])*\}")
_INDICATORS = "{}[],:#"
_STAND_INS = "".join(chr(0x10FF00 + i) for i in range(len(_INDICATORS)))
_MASK = str.maketrans(_INDICATORS, _STAND_INS)
_UNMASK = str.maketrans(_STAND_INS, _INDICATORS)
_MASKED = re.compile(rf"\${_STAND_INS[0]}.*?{_STAND_INS[1]}", re.DOTALL)


def _masked(text: str) -> str:
    return _REFERENCE.sub(lambda match: match.group().translate(_MASK), text)


def _unmasked(text: str) -> str:
    return _MASKED.sub(lambda match: match.group().translate(_UNMASK), text)


class _Mark(Protocol):
    """PyYAML's idea of a place; line and column from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Unreadable(Exception):
    """The text is no spec at all: the one problem that says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_file(path: Path) -> tuple[MappingNode, list[Problem]]:
    """Return a file's mapping, and the mistakes that leave it readable; raises Unreadable for others."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(_unopened(file, error)) from None
    if len(data) > MAX_BYTES:
        raise Unreadable(Problem("the file is larger than 1 MiB, which no spec needs", file=file))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(_undecodable(file, data, error.start)) from None
    node, problems = read_text(text.removeprefix("\ufeff"), file)
    match node:
        case MappingNode():
            return node, problems
        case ScalarNode(value=None):
            raise Unreadable(Problem("the file is empty", file=file, hint="a spec is a mapping: name: …"))
        case ScalarNode():
            found, hint = "a single text", "a key goes with a colon and a space: name: digits"
        case ListNode():
            found, hint = "a list", "its keys stand without a dash: name: digits"
    message = f"a spec is a mapping of keys to values, and this is {found}"
    raise Unreadable(_problem(message, node.place, hint=hint))


def _unopened(file: str, error: OSError) -> Problem:
    match error:
        case FileNotFoundError():
            return Problem("there is no such file", file=file)
        case IsADirectoryError():
            return Problem("this is a folder", file=file, hint="name the spec's file in it")
        case PermissionError():
            return Problem("there is no permission to read this file", file=file)
        case _:
            return Problem(f"the file cannot be read: {error.strerror}", file=file)


def _undecodable(file: str, data: bytes, position: int) -> Problem:
    line = data.count(b"\n", 0, position) + 1
    column = len(data[data.rfind(b"\n", 0, position) + 1 : position].decode()) + 1
    message = f"byte {position} of the file, 0x{data[position]:02x}, is not UTF-8"
    return Problem(message, file=file, line=line, column=column, hint="save the file in UTF-8")


def _problem(message: str, place: Place, *, hint: str = "", path: str = "") -> Problem:
    return Problem(message, path, place.file, place.line, place.column, hint)


def read_text(text: str, file: str, *, placed: bool = True) -> tuple[Node, list[Problem]]:
    """Return the node that YAML text stands for, and the mistakes that leave it readable.

    With `placed` false, lines and columns are left out of all places. Empty text is null. Raises
    Unreadable for a syntax error, for several documents, and where a bound is exceeded.
    """
    reader = _Reader(_masked(text), file, placed=placed)
    return reader.document(), reader.problems


class _Reader:
    """Builds one document's nodes from PyYAML's events."""

    def __init__(self, text: str, file: str, *, placed: bool) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._file = file
        self._placed = placed
        self._path: list[str | int] = []
        self._anchors: dict[str, tuple[Node, int]] = {}  # with the number of nodes in it
        self._count = 0

    def document(self) -> Node:
        """Return the only document's root."""
        try:
            self._events = yaml.SafeLoader(self._text)
        except yaml.reader.ReaderError as error:
            raise Unreadable(self._unprintable(error)) from None
        self._next()  # the stream's start
        start = self._next()
        if isinstance(start, yaml.StreamEndEvent):
            return ScalarNode(self._place(start.start_mark), None)
        root = self._node(self._next())
        self._next()  # the document's end
        if isinstance(after := self._next(), yaml.DocumentStartEvent):
            raise self._refusal("a second document begins here", after, "one file holds one spec")
        return root

    def _next(self) -> yaml.Event:
        try:
            event: yaml.Event = self._events.get_event()  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            from hpo.spec.syntax import meaning

            message, hint, mark = meaning(error)
            raise Unreadable(_problem(_unmasked(message), self._place(mark), hint=hint)) from None
        except (ValueError, OverflowError):  # PyYAML turns the digits of "\UFFFFFFFF" into a character
            message, place = "this number is out of bounds", self._place(self._events.get_mark())
            raise Unreadable(_problem(message, place)) from None
        return event

    def _node(self, event: yaml.Event) -> Node:
        before = self._count
        self._count_up(1, event)
        tag = getattr(event, "tag", None)
        if tag is not None:
            hint = "put text in quotes; other values need no tag"
            raise self._refusal(f"the tag `{tag}` is not read", event, hint)
        match event:
            case yaml.AliasEvent():
                return self._alias(event)
            case yaml.ScalarEvent():
                node: Node = self._scalar(event)
            case yaml.SequenceStartEvent():
                node = self._list(event)
            case yaml.MappingStartEvent():
                node = self._mapping(event)
            case _:
                raise self._refusal("there is no value here", event)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = (node, self._count - before)
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            hint = f"an anchor, &{event.anchor}, comes before its aliases and does not hold them"
            raise self._refusal(f"`*{event.anchor}` stands for nothing", event, hint)
        node, size = self._anchors[event.anchor]
        self._count_up(size - 1, event)
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        text = _unmasked(event.value)
        place, is_plain = self._place(event.start_mark), event.implicit[0]
        try:
            value = resolve(text) if is_plain else text
        except ValueError as error:
            self._report(str(error), place)
            value = None
        if why := unusable(text):
            self._report(why, place)
            value = None
        return ScalarNode(place, value, plain=is_plain)

    def _list(self, event: yaml.Event) -> ListNode:
        self._check_depth(event)
        items: list[Node] = []
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            self._path.append(len(items))
            items.append(self._node(item))
            self._path.pop()
        return ListNode(self._place(event.start_mark), tuple(items))

    def _mapping(self, event: yaml.Event) -> MappingNode:
        self._check_depth(event)
        entries: dict[str, Entry] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            name, place = self._key(key), self._place(key.start_mark)
            self._path.append(name)
            node = self._node(self._next())
            if name in entries:
                first = entries[name].key
                self._report(f"key `{name}` is given twice, first on line {first.line}", place)
            else:
                entries[name] = Entry(place, node)
            self._path.pop()
        return MappingNode(self._place(event.start_mark), entries)

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refusal("a key is a text, not a list, a mapping or an alias", event)
        name = _unmasked(event.value)
        if name == "<<":
            hint = "write the keys out, or put what is common into a file to lay others over"
            raise self._refusal("merge keys (`<<`) are not read", event, hint)
        if why := unusable(name):
            raise self._refusal(why, event)
        return name

    def _check_depth(self, event: yaml.Event) -> None:
        if len(self._path) >= MAX_DEPTH:
            raise self._refusal(f"more than {MAX_DEPTH} levels lie within one another", event)

    def _count_up(self, nodes: int, event: yaml.Event) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            hint = "an alias counts as all that it stands for" if self._anchors else ""
            raise self._refusal(f"the file holds more than {MAX_NODES:,} values", event, hint)

    def _report(self, message: str, place: Place) -> None:
        self.problems.append(_problem(message, place, path=dotted(self._path)))

    def _refusal(self, message: str, event: yaml.Event, hint: str = "") -> Unreadable:
        place = self._place(event.start_mark)
        return Unreadable(_problem(message, place, hint=hint, path=dotted(self._path)))

    def _place(self, mark: _Mark | None) -> Place:
        if mark is None or not self._placed:
            return Place(self._file)
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _unprintable(self, error: yaml.reader.ReaderError) -> Problem:
        before = self._text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the character U+{error.character:04X} cannot stand in YAML"
        place = Place(self._file, line, column) if self._placed else Place(self._file)
        return _problem(message, place, hint=f'in double quotes it is written "\\u{error.character:04x}"')

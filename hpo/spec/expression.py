"""Constraints: comparisons and arithmetic over parameters.

They are read with Python's grammar and never run as Python: what may stand in one is listed here, so
that what one costs is bounded by its length.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hpo.spec.constraint import Constraint, Domain, Kind, is_equal, is_equal_to_any, is_unequal, never_equal
from hpo.spec.operations import ARITHMETIC, FUNCTIONS, ORDER, Part, Test, Value, chained, ordered
from hpo.spec.wording import CONSTRAINT, REQUIREMENT, Wording

if TYPE_CHECKING:
    from hpo.spec.space import Scalar

LONGEST = 1000
"""Characters of a constraint."""

DEEPEST = 50
"""Levels of a constraint within one another."""


class ExpressionError(Exception):
    """A text is no constraint; the error's text says why and where, its `hint` what would be right."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


def parse(
    text: str, domains: Mapping[str, Domain], constants: Mapping[str, Scalar] | None = None
) -> Constraint:
    """Return the constraint that a text is: a name that is no identifier stands in backquotes.

    `domains` are the parameters, `constants` what has the same value always. Raises ExpressionError.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"it is longer than {LONGEST:,} characters")
    reader = _Reader(text, domains, constants or {}, CONSTRAINT)
    value = reader.read()  # which finds the names
    return Constraint(text, frozenset(reader.names), value)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an inequality: how it is computed, and the names in it; none of them: it is a bound."""

    value: Value
    names: frozenset[str]


def parse_chain(text: str, metrics: Collection[str]) -> tuple[list[Side], list[type[ast.cmpop]]]:
    """Return the sides of an inequality of numbers, or of a chain of them, and what is between them.

    Raises ExpressionError, also where no metric is named.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"it is longer than {LONGEST:,} characters")
    return _Reader(text, dict.fromkeys(metrics, Domain()), {}, REQUIREMENT).read_chain()


_TOKENS = re.compile(r"""'[^']*'|"[^"]*"|`(?P<name>[^`]*)`""")
_WORDS: Mapping[str, Scalar] = {"true": True, "false": False, "null": None}
_NO_NUMBER = "only numbers are computed with; text is compared with =="
_ALLOWED = "allowed are numbers, + - * / // % **, comparisons, and, or, not, min, max, abs and log"


class _Reader:
    """Makes closures of one text."""

    def __init__(
        self,
        text: str,
        domains: Mapping[str, Domain],
        constants: Mapping[str, Scalar],
        wording: Wording,
    ) -> None:
        self._text = text
        self._wording = wording
        self._start = len(text) - len(text.lstrip())
        self._domains = domains
        self._constants = constants
        self._known = list(dict.fromkeys([*domains, *constants]))
        self._quoted: dict[int, str] = {}  # the names in backquotes, by where they begin
        self.names: set[str] = set()

    def read(self) -> Value:
        return self._truth(self._tree(), 0).value

    def read_chain(self) -> tuple[list[Side], list[type[ast.cmpop]]]:
        tree = self._tree()
        if not isinstance(tree, ast.Compare) or not all(type(op) in ORDER for op in tree.ops):
            hint = "compare with <, <=, > or >=; several requirements are entries of their own"
            raise self._refusal(tree, "this is no inequality", hint)
        sides = []
        for node in (tree.left, *tree.comparators):
            self.names = set()
            value = self._number(node, 1).value  # which finds the names
            sides.append(Side(value, frozenset(self.names)))
        if not any(side.names for side in sides):
            raise self._refusal(tree, "it names no metric", f"there are: {', '.join(self._known)}")
        return sides, [type(op) for op in tree.ops]

    def _tree(self) -> ast.expr:
        self._source = self._with_stand_ins()[self._start :]
        if not self._source:
            raise ExpressionError("there is nothing in it", self._wording.example)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they are for programs
                tree = ast.parse(self._source, mode="eval")
        except SyntaxError as error:
            raise self._no_grammar(error) from None
        except (ValueError, RecursionError, MemoryError):
            raise ExpressionError("it cannot be read") from None
        return tree.body

    def _with_stand_ins(self) -> str:
        """Return the text in one line, with an identifier as long as it for each name in backquotes."""

        def stand_in(match: re.Match[str]) -> str:
            if match["name"] is None:
                return match[0]
            self._quoted[match.start()] = match["name"]
            return "_" * len(match[0])

        return _TOKENS.sub(stand_in, re.sub(r"[\r\n]", " ", self._text))

    def _part(self, node: ast.expr, depth: int) -> Part:
        if depth > DEEPEST:
            raise self._refusal(node, f"more than {DEEPEST} levels lie within one another")
        value, domain = self._read_part(node, depth + 1)
        return Part(self._segment(node)[1], value, domain)

    def _read_part(self, node: ast.expr, depth: int) -> tuple[Value, Domain]:  # noqa: PLR0911 -- one for each
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as constant):
                return lambda _: constant, Domain((constant,))
            case ast.Name():
                return self._name(node)
            case ast.BoolOp(op=kind, values=nodes):
                parts = [self._truth(each, depth) for each in nodes]
                decide = all if isinstance(kind, ast.And) else any
                return lambda values: decide(part.truth(values) for part in parts), _TRUTH
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                part = self._truth(operand, depth)
                return lambda values: not part.truth(values), _TRUTH
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                part = self._number(operand, depth)
                factor = -1 if isinstance(sign, ast.USub) else 1
                return lambda values: factor * part.number(values), Domain()
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                one, other, compute = (
                    self._number(left, depth),
                    self._number(right, depth),
                    ARITHMETIC[type(op)],
                )
                return lambda values: compute(one.number(values), other.number(values)), Domain()
            case ast.Compare():
                return self._comparison(node, depth), _TRUTH
            case ast.Call(func=ast.Name(id=name), args=nodes, keywords=[]) if name in FUNCTIONS:
                return self._call(node, name, [self._number(each, depth) for each in nodes]), Domain()
            case _:
                known = self._unquoted(self._segment(node)[0])
                raise self._refusal(
                    node,
                    f"this cannot stand in a {self._wording.whole}",
                    f"`{known}` stands in backquotes" if known else _ALLOWED,
                )

    def _call(self, node: ast.expr, name: str, parts: Sequence[Part]) -> Value:
        function, counts = FUNCTIONS[name]
        if len(parts) not in counts:
            raise self._refusal(
                node, f"{name} takes {counts[0] if len(counts) == 1 else f'{counts[0]} or more'}"
            )
        return lambda values: function(*(part.number(values) for part in parts))

    def _name(self, node: ast.Name) -> tuple[Value, Domain]:
        place, written = self._segment(node)
        quoted = self._quoted.get(place)
        name = node.id if quoted is None else quoted
        if name in self._domains:
            self.names.add(name)
            return operator.itemgetter(name), self._domains[name]
        known = {**_WORDS, **self._constants} if quoted is None else self._constants
        if name in known:
            constant = known[name]
            return lambda _: constant, Domain((constant,))
        raise self._refusal(node, *self._unknown(name, place, written))

    def _unknown(self, name: str, place: int, written: str) -> tuple[str, str]:
        """Return what to say of a name that is nothing's."""
        from hpo.spec.explain import did_you_mean

        nothing = f"is no {self._wording.name}"
        if known := self._unquoted(place):
            return f"`{written}` {nothing}", f"`{known}` stands in backquotes"
        if any(name in (domain.choices or ()) for domain in self._domains.values()):
            return f"`{name}` {nothing}", f"text stands in quotes: '{name}'"
        guess, listed = did_you_mean(name, self._known), ", ".join(self._known)
        return f"`{name}` {nothing}{guess}", f"there are: {listed}"

    def _unquoted(self, place: int) -> str:
        """Return the parameter's name that stands there, where only backquotes would make it one."""
        fitting = (n for n in self._known if not n.isidentifier() and self._text.startswith(n, place))
        return max(fitting, key=len, default="")

    def _comparison(self, node: ast.Compare, depth: int) -> Value:
        """Return a chain of comparisons: each of its parts is computed at most once."""
        first, right = node.ops[0], node.comparators[0]
        if isinstance(first, ast.In | ast.NotIn) and isinstance(right, ast.List | ast.Tuple):
            if len(node.ops) > 1:
                raise self._refusal(node, "`in` stands by itself", "combine comparisons with and")
            return self._membership(node.left, right.elts, depth, wanted=isinstance(first, ast.In))
        nodes = [node.left, *node.comparators]
        parts = [self._part(each, depth) for each in nodes]
        tests: list[Test] = []
        for place, op in enumerate(node.ops):
            one, other = parts[place : place + 2]
            if isinstance(op, ast.Eq | ast.NotEq):
                self._check_equality(one, other, nodes[place + 1])
                tests.append(is_equal if isinstance(op, ast.Eq) else is_unequal)
            elif type(op) in ORDER:
                self._check(one, Kind.NUMBER, nodes[place])
                self._check(other, Kind.NUMBER, nodes[place + 1])
                tests.append(partial(ordered, ORDER[type(op)], one.text, other.text))
            else:
                raise self._refusal(
                    node, f"this cannot stand in a {self._wording.whole}", "compare with == or !="
                )
        return chained(parts, tests)

    def _membership(self, left: ast.expr, nodes: Sequence[ast.expr], depth: int, *, wanted: bool) -> Value:
        one = self._part(left, depth)
        others = [self._part(node, depth) for node in nodes]
        for node, other in zip(nodes, others, strict=True):
            self._check_equality(one, other, node)
        return lambda values: is_equal_to_any(one.value(values), [o.value(values) for o in others]) is wanted

    def _check_equality(self, one: Part, other: Part, node: ast.expr) -> None:
        if not one.domain.meets(other.domain):
            raise self._refusal(node, *never_equal(one.text, one.domain, other.domain))

    def _number(self, node: ast.expr, depth: int) -> Part:
        return self._check(self._part(node, depth), Kind.NUMBER, node)

    def _truth(self, node: ast.expr, depth: int) -> Part:
        return self._check(self._part(node, depth), Kind.TRUTH, node)

    def _check(self, part: Part, kind: Kind, node: ast.expr) -> Part:
        if kind not in part.domain.kinds:
            found = " or ".join(sorted(each.value for each in part.domain.kinds))
            hint = self._wording.example if kind is Kind.TRUTH else _NO_NUMBER
            raise self._refusal(node, f"it is {found}, where {kind.value} must stand", hint)
        return part

    def _segment(self, node: ast.expr) -> tuple[int, str]:
        """Return where a part of the text begins, from 0, and the part."""
        source = self._source.encode()
        begin = self._start + len(source[: node.col_offset].decode())
        end = self._start + len(source[: node.end_col_offset].decode())
        return begin, self._text[begin:end]

    def _refusal(self, node: ast.expr, why: str, hint: str = "") -> ExpressionError:
        begin, text = self._segment(node)
        return ExpressionError(f"at character {begin + 1}, `{_cut(text)}`: {why}", hint)

    def _no_grammar(self, error: SyntaxError) -> ExpressionError:
        at = self._start + max((error.offset or 1) - 1, 0)
        rest = self._text[at:].strip()
        where = f"at character {at + 1}, `{_cut(rest)}`" if rest else "at its end"
        hint = "names such as batch-size stand in backquotes, text in quotes"
        unquoted = _TOKENS.sub("", self._text)
        if "`" in unquoted:
            hint = "a backquote is never closed"
        elif re.search(r"(?<![=!<>])=(?!=)", unquoted):
            hint = "equality is written =="
        return ExpressionError(f"{where}: it cannot be read", hint)


_TRUTH = Domain((True, False))


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"

"""The configurations of a finite space, counted and in an order, each active one once.

A parameter comes after those that it depends on, and else in the order of the spec; the last one
varies fastest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

from hpo.spec.conditions import Conditions, parents_first
from hpo.spec.constraint import Constraint

if TYPE_CHECKING:
    from hpo.spec.space import Scalar, Values

MOST_STATES = 10_000
"""Ways in which parameters may bear on those after them; counting takes as long."""

MOST_STEPS = 200_000
"""Values that are tried one after the other to find what keeps to constraints."""


class Discrete(Protocol):
    """A parameter with numbered values."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def count(self) -> int | None:
        """How many values it has; None for infinitely many."""

    def value_at(self, index: int) -> Scalar:
        """Return the value number `index`, from 0."""

    def index(self, value: Scalar) -> int:
        """Return which of the values `value` is; raises ValueError for none."""


class Uncountable(ValueError):
    """The configurations are infinitely many, or more than can be counted."""


_State = tuple[tuple[int, int], ...]
"""For each level that bears on later ones, which group of its values was taken."""

_INACTIVE = -1


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring values that activate the same parameters."""

    start: int
    length: int
    group: int


@dataclass(frozen=True, slots=True)
class _Level:
    """A parameter in its place, with what activates it: levels before it, and groups of their values."""

    parameter: Discrete
    runs: tuple[_Run, ...]
    needs: tuple[tuple[int, frozenset[int]], ...]
    bears_until: int  # the last level that needs this one

    def is_active(self, state: _State) -> bool:
        taken = dict(state)
        return all(taken[level] in groups for level, groups in self.needs)


class Cells:
    """Counts and numbers the configurations, from 0. Raises Uncountable."""

    def __init__(
        self, parameters: Sequence[Discrete], conditions: Conditions, constraints: Sequence[Constraint]
    ) -> None:
        self._order = [parameter.name for parameter in parameters]
        self._levels = _levels(parameters, conditions)
        self._counts = self._counted()
        self._starts, self._sums = self._kept(constraints)
        self.count = self._sums[-1] if self._sums else 0

    def cell(self, index: int) -> dict[str, Scalar]:
        """Return configuration number `index`. Raises IndexError."""
        if not 0 <= index < self.count:
            raise IndexError(f"the space has {self.count} cells")
        place = bisect_right(self._sums, index)
        rest = self._starts[place] + index - (self._sums[place - 1] if place else 0)
        values: dict[str, Scalar] = {}
        state: _State = ()
        for number, level in enumerate(self._levels):
            group = _INACTIVE
            for run in level.runs if level.is_active(state) else ():
                below = self._counts[number + 1][self._after(number, state, run.group)]
                if rest < run.length * below:
                    step, rest = divmod(rest, below)
                    values[level.parameter.name] = level.parameter.value_at(run.start + step)
                    group = run.group
                    break
                rest -= run.length * below
            state = self._after(number, state, group)
        return {name: values[name] for name in self._order if name in values}

    def number(self, values: Values) -> int:
        """Return the number of a configuration. Raises ValueError where it is none of them."""
        raw = 0
        state: _State = ()
        for number, level in enumerate(self._levels):
            group = _INACTIVE
            if level.is_active(state):
                index = level.parameter.index(values[level.parameter.name])
                for run in level.runs:
                    below = self._counts[number + 1][self._after(number, state, run.group)]
                    taken = min(max(index - run.start, 0), run.length)
                    raw += taken * below
                    if taken < run.length:
                        group = run.group
                        break
            state = self._after(number, state, group)
        place = bisect_right(self._starts, raw) - 1
        before = self._sums[place - 1] if place > 0 else 0
        if place < 0 or raw - self._starts[place] >= self._sums[place] - before:
            raise ValueError("the configuration breaks a constraint")
        return before + raw - self._starts[place]

    def _after(self, number: int, state: _State, group: int) -> _State:
        """Return the state after a level: what still bears on the levels to come."""
        return tuple(pair for pair in (*state, (number, group)) if self._levels[pair[0]].bears_until > number)

    def _steps(self, number: int, state: _State) -> Iterator[tuple[_Run, _State]]:
        level = self._levels[number]
        runs = level.runs if level.is_active(state) else (_Run(0, 1, _INACTIVE),)
        for run in runs:
            yield run, self._after(number, state, run.group)

    def _counted(self) -> list[dict[_State, int]]:
        """Return for each level, and each state before it, how many ways there are from there on."""
        reached: list[dict[_State, int]] = [{(): 1}]
        for number in range(len(self._levels)):
            after = {state for before in reached[-1] for _, state in self._steps(number, before)}
            if len(after) > MOST_STATES:
                raise Uncountable("the conditions are too many to count what they leave")
            reached.append(dict.fromkeys(after, 1))
        for number in reversed(range(len(self._levels))):
            for before in reached[number]:
                steps = self._steps(number, before)
                reached[number][before] = sum(run.length * reached[number + 1][state] for run, state in steps)
        return reached

    def _kept(self, constraints: Sequence[Constraint]) -> tuple[list[int], list[int]]:
        """Return the stretches of all configurations that keep to the constraints.

        They are given by where each begins, and how many configurations there are up to its end.
        """
        starts: list[int] = []
        lengths: list[int] = []
        for start, length in self._stretches(constraints):
            if starts and starts[-1] + lengths[-1] == start:
                lengths[-1] += length
            else:
                starts.append(start)
                lengths.append(length)
        return starts, list(accumulate(lengths))

    def _stretches(self, constraints: Sequence[Constraint]) -> Iterator[tuple[int, int]]:
        names = [level.parameter.name for level in self._levels]
        due = [max((names.index(name) for name in constraint.names), default=0) for constraint in constraints]
        last = max(due, default=-1)
        if last < 0:
            yield 0, self._counts[0][()]
            return
        values: dict[str, Scalar] = {}
        tried = 0
        below = [self._choices(0, (), 0)]
        while below:
            number = len(below) - 1
            values.pop(names[number], None)
            choice = next(below[-1], None)
            if choice is None:
                below.pop()
                continue
            if (tried := tried + 1) > MOST_STEPS:
                raise Uncountable("the constraints are on too many values to list what they leave")
            given, state, start = choice
            values |= given
            if all(c.holds(values) for c, level in zip(constraints, due, strict=True) if level == number):
                if number == last:
                    yield start, self._counts[number + 1][state]
                else:
                    below.append(self._choices(number + 1, state, start))

    def _choices(self, number: int, state: _State, start: int) -> Iterator[tuple[Values, _State, int]]:
        """Yield a level's values, where it is active, the state after each, and where its numbers begin."""
        parameter = self._levels[number].parameter
        for run, after in self._steps(number, state):
            for index in range(run.start, run.start + run.length):
                given = {} if run.group == _INACTIVE else {parameter.name: parameter.value_at(index)}
                yield given, after, start
                start += self._counts[number + 1][after]


def _levels(parameters: Sequence[Discrete], conditions: Conditions) -> list[_Level]:
    by_name = {parameter.name: parameter for parameter in parameters}
    names = parents_first(list(by_name), conditions)
    places = {name: number for number, name in enumerate(names)}
    levels: list[_Level] = []
    groups: list[dict[frozenset[int], int]] = []  # of each level: what the values of a group activate
    mentions = {
        name: [c for child in names for c in conditions.get(child, ()) if c.parent == name] for name in names
    }
    for name in names:
        parameter = by_name[name]
        if parameter.count is None:
            raise Uncountable(f"{name} has infinitely many values")
        listed: dict[int, set[int]] = {}
        for mention, condition in enumerate(mentions[name]):
            for value in condition.values:
                listed.setdefault(parameter.index(value), set()).add(mention)
        known: dict[frozenset[int], int] = {}
        runs = tuple(_runs(parameter.count, listed, known))
        groups.append(known)
        needs = []
        for condition in conditions.get(name, ()):
            mention = next(m for m, other in enumerate(mentions[condition.parent]) if other is condition)
            of_parent = groups[places[condition.parent]].items()
            fitting = frozenset(group for activates, group in of_parent if mention in activates)
            needs.append((places[condition.parent], fitting))
        until = max((places[child] for child in names if _depends(child, name, conditions)), default=-1)
        levels.append(_Level(parameter, runs, tuple(needs), until))
    return levels


def _depends(child: str, parent: str, conditions: Conditions) -> bool:
    return any(condition.parent == parent for condition in conditions.get(child, ()))


def _runs(count: int, listed: dict[int, set[int]], known: dict[frozenset[int], int]) -> Iterator[_Run]:
    """Yield runs of values, those by themselves that conditions list; `known` gets the groups."""
    nothing: frozenset[int] = frozenset()
    start = 0
    for index in sorted(listed):
        if start < index:
            yield _Run(start, index - start, known.setdefault(nothing, len(known)))
        yield _Run(index, 1, known.setdefault(frozenset(listed[index]), len(known)))
        start = index + 1
    if start < count:
        yield _Run(start, count - start, known.setdefault(nothing, len(known)))

"""Configurations as points: what has an order by its place in the unit interval, else by its index.

So a model needs to know no scaling and no step, and 1, 1.0, "1" and true stay apart.
"""

from __future__ import annotations

from typing import assert_never, cast

from hpo.core.history import History
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space, Values

NEAR = 0.01
"""Share of each number's range within which two configurations are nearly the same."""


def to_point(space: Space, values: Values) -> dict[str, float]:
    """Return a configuration's coordinates by parameter, without those of inactive ones."""
    return {p.name: to_coordinate(p, values[p.name]) for p in space if p.name in values}


def to_coordinate(parameter: Parameter, value: Scalar) -> float:
    """Return where a value lies."""
    match parameter:
        case Continuous() | Integer():
            return parameter.to_unit(cast("float", value))
        case Categorical(ordered=True):
            return parameter.to_unit(value)
        case Categorical():
            return parameter.index(value)
        case _:
            assert_never(parameter)


def from_coordinate(parameter: Parameter, coordinate: float) -> Scalar:
    """Return the value that lies there, snapped to steps."""
    match parameter:
        case Continuous() | Integer() | Categorical(ordered=True):
            return parameter.from_unit(coordinate)
        case Categorical():
            return parameter.value_at(int(coordinate))
        case _:
            assert_never(parameter)


class PendingPoints:
    """Where the trials of a history are that have not ended, kept up with as it grows."""

    def __init__(self, space: Space, history: History) -> None:
        self._space = space
        self._history = history
        self._read = 0
        self._points: dict[int, dict[str, float]] = {}

    def are_near(self, values: Values) -> bool:
        """Tell whether a pending trial has nearly these values: every one of them within `NEAR`."""
        self._catch_up()
        point = to_point(self._space, values)
        return any(
            point.keys() == other.keys() and all(abs(point[name] - other[name]) < NEAR for name in point)
            for other in self._points.values()
        )

    def _catch_up(self) -> None:
        for number in self._history.log[self._read :]:
            trial = self._history.trials[number]
            if trial.status.is_final:
                self._points.pop(number, None)
            elif self._space.contains(trial.params):  # not one from before the ranges were narrowed
                self._points[number] = to_point(self._space, trial.params)
        self._read = len(self._history.log)

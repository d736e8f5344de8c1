"""Configurations as points: numbers by their place in the unit interval, categories by their index.

So a model needs to know no scaling and no step, and 1, 1.0, "1" and true stay apart.
"""

from __future__ import annotations

from typing import assert_never, cast

from hpo.core.history import History
from hpo.spec.space import Categorical, Continuous, Integer, Scalar, Space, Values

NEAR = 0.01
"""Share of each number's range within which two configurations are nearly the same."""


def to_point(space: Space, values: Values) -> dict[str, float]:
    """Return a configuration's coordinates by parameter."""
    point: dict[str, float] = {}
    for parameter in space:
        value = values[parameter.name]
        match parameter:
            case Continuous() | Integer():
                point[parameter.name] = parameter.to_unit(cast("float", value))
            case Categorical():
                point[parameter.name] = parameter.index(value)
            case _:
                assert_never(parameter)
    return point


def from_point(space: Space, point: dict[str, float]) -> dict[str, Scalar]:
    """Return the configuration at a point, snapped to steps."""
    values: dict[str, Scalar] = {}
    for parameter in space:
        coordinate = point[parameter.name]
        match parameter:
            case Continuous() | Integer():
                values[parameter.name] = parameter.from_unit(coordinate)
            case Categorical():
                values[parameter.name] = parameter.value_at(int(coordinate))
            case _:
                assert_never(parameter)
    return values


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
            all(abs(point[name] - other[name]) < NEAR for name in point) for other in self._points.values()
        )

    def _catch_up(self) -> None:
        for number in self._history.log[self._read :]:
            trial = self._history.trials[number]
            if trial.status.is_final:
                self._points.pop(number, None)
            else:
                self._points[number] = to_point(self._space, trial.params)
        self._read = len(self._history.log)

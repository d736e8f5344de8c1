"""Configurations as points of the unit cube, one axis a parameter, and as features of a kernel.

A value lies where its scaling puts it. Steps, integers and categories are snapped before a kernel sees them,
so that a model never tells points apart that are one configuration (Garrido-Merchán and Hernández-Lobato,
Dealing with categorical and integer-valued variables in Bayesian optimization, 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias, assert_never, cast

import numpy as np
from numpy.typing import NDArray

from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space, Values

Array: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

MOST_CELLS = 1_000
"""Values up to which an axis is snapped; more of them are as good as a continuum."""

SAME = 1e-9
"""Coordinates that are nearer are one."""

BELOW_ONE = 1.0 - 1e-12
"""The last coordinate that a parameter takes."""

OWN = np.sqrt(0.5)
"""What a category's own feature is: any two categories are at a squared distance of 1."""


class Encoding:
    """The points and the features of one space.

    Points have shape (n, d) for d parameters, in the order of the space; an inactive parameter lies in the
    middle of its axis. Features have shape (n, f): the coordinate of each ordered parameter, and a column
    for each value of a categorical one.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.dimension = len(space)
        self.is_category = np.array([_is_category(parameter) for parameter in space], dtype=bool)
        dependent = {name for name, ties in space.conditions.items() if ties}
        self.is_free = np.array([not _is_category(p) and p.name not in dependent for p in space], dtype=bool)
        """Which parameters are numbers in every configuration, shape (d,)."""
        self._axes = [_Axis(parameter) for parameter in space]
        self._middle = np.array([axis.middle for axis in self._axes])
        widths = [axis.count if _is_category(axis.parameter) else 1 for axis in self._axes]
        self.axis_of: Places = np.repeat(np.arange(self.dimension), widths)
        """The axis that each feature belongs to, shape (f,)."""
        self._first = np.cumsum([0, *widths[:-1]])
        places = {parameter.name: place for place, parameter in enumerate(space)}
        self._ties = [
            (places[parameter.name], places[tie.parent], self._coordinates(places[tie.parent], tie.values))
            for parameter in space.dependent
            for tie in space.conditions.get(parameter.name, ())
        ]

    def point(self, values: Values) -> Array:
        """Return where a configuration lies, shape (d,)."""
        coordinates = (
            axis.coordinate(values[axis.parameter.name]) if axis.parameter.name in values else axis.middle
            for axis in self._axes
        )
        return np.fromiter(coordinates, np.float64, self.dimension)

    def values(self, point: Array) -> dict[str, Scalar]:
        """Return the configuration at a point; constraints are not looked at."""
        return self.space.from_unit([min(float(coordinate), BELOW_ONE) for coordinate in point])

    def snapped(self, points: Array) -> Array:
        """Return for each point the nearest one, under the scalings, at which there is a configuration."""
        points = np.clip(points, 0.0, 1.0)
        for place, axis in enumerate(self._axes):
            if axis.count:
                points[:, place] = axis.snapped(points[:, place])
        if not self._ties:
            return points
        active = np.ones(points.shape, dtype=bool)
        for place, parent, coordinates in self._ties:  # those that others depend on come first
            holds = (np.abs(points[:, parent, None] - coordinates) < SAME).any(axis=1)
            active[:, place] &= holds & active[:, parent]
        return np.where(active, points, self._middle)

    def features(self, points: Array) -> Array:
        """Return what a kernel sees of snapped points."""
        features = np.zeros((len(points), len(self.axis_of)))
        rows = np.arange(len(points))
        for place, axis in enumerate(self._axes):
            column = int(self._first[place])
            if self.is_category[place]:
                features[rows, column + axis.index(points[:, place])] = OWN
            else:
                features[:, column] = points[:, place]
        return features

    def _coordinates(self, place: int, values: Sequence[Scalar]) -> Array:
        axis = self._axes[place]
        return np.array([axis.coordinate(value) for value in values if axis.parameter.contains(value)])


class _Axis:
    """The coordinates of one parameter's values: all of them, where they are few."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        count = parameter.count
        self.count = count if count is not None and (count <= MOST_CELLS or _is_category(parameter)) else 0
        values = [parameter.value_at(index) for index in range(self.count)]
        self._centres = np.array([self.coordinate(value) for value in values])
        self._bounds = np.array(_bounds(parameter, self.count))
        self.middle = float(self.snapped(np.array([0.5]))[0]) if self.count else 0.5

    def coordinate(self, value: Scalar) -> float:
        match self.parameter:
            case Continuous() | Integer():
                return self.parameter.to_unit(cast("float", value))
            case Categorical():
                return self.parameter.to_unit(value)
            case _:
                assert_never(self.parameter)

    def index(self, coordinates: Array) -> Places:
        """Return which value lies at each coordinate."""
        return np.searchsorted(self._bounds, coordinates, side="right")

    def snapped(self, coordinates: Array) -> Array:
        snapped: Array = self._centres[self.index(coordinates)]
        return snapped


def _bounds(parameter: Parameter, count: int) -> list[float]:
    """Return the coordinates at which each value gives way to the next one."""
    match parameter:
        case Continuous() | Integer():
            values = [parameter.value_at(index) for index in range(count)]
            return [parameter.to_unit((one + other) / 2) for one, other in pairwise(values)]
        case Categorical():
            return [index / count for index in range(1, count)]
        case _:
            assert_never(parameter)


def _is_category(parameter: Parameter) -> bool:
    return isinstance(parameter, Categorical) and not parameter.ordered

"""Pareto fronts: which of several points no other one is better than, and how much they cover."""

from __future__ import annotations

from collections.abc import Sequence

from hpo.core.settings import Goal

Point = Sequence[float]
"""One value for each objective."""


def pareto_front(points: Sequence[Point], goals: Sequence[Goal]) -> list[int]:
    """Return the indices of the points that none dominates, the best by the first objective first.

    A point dominates another one where it is as good in every objective, and better in one. Equal points
    dominate neither each other, so that all of them are on the front, in their own order.

    Of n points with f on the front, this takes O(n log n) for two objectives and O(n log n + n f) for
    more: in lexicographic order (Kung, Luccio and Preparata, 1975) nothing dominates what comes before it,
    so that each point is compared with the front so far alone; of two objectives with its last point.
    """
    losses = [_losses(point, goals) for point in points]
    front: list[int] = []
    for index in sorted(range(len(points)), key=lambda index: losses[index]):
        known = front[-1:] if len(goals) <= 2 else front
        if not any(_dominates(losses[other], losses[index]) for other in known):
            front.append(index)
    return front


def hypervolume(points: Sequence[Point], goals: Sequence[Goal], reference: Point) -> float:
    """Return the volume of what is dominated by some of the points, and better than the reference.

    By slicing along the last objective (Zitzler, 2001): O(f^(m-1) log f) for f points that none dominates
    and m objectives.
    """
    bound = _losses(reference, goals)
    front = [_losses(points[index], goals) for index in pareto_front(points, goals)]
    return _volume([point for point in front if all(map(float.__lt__, point, bound))], bound)


def _volume(losses: Sequence[tuple[float, ...]], bound: tuple[float, ...]) -> float:
    if len(bound) == 1:
        return bound[0] - min((point[0] for point in losses), default=bound[0])
    volume = 0.0
    ordered = sorted(losses, key=lambda point: point[-1])
    for place, point in enumerate(ordered):
        end = ordered[place + 1][-1] if place + 1 < len(ordered) else bound[-1]
        if end > point[-1]:
            below = [other[:-1] for other in ordered[: place + 1]]
            volume += (end - point[-1]) * _volume(below, bound[:-1])
    return volume


def _losses(point: Point, goals: Sequence[Goal]) -> tuple[float, ...]:
    """Return a point's values so that less is better everywhere."""
    pairs = zip(point, goals, strict=True)
    return tuple(float(-value if goal is Goal.MAXIMIZE else value) for value, goal in pairs)


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))

"""The trials of a job as strategies and reports read them: a projection of what is committed."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import overload

from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Trial


class PackedPoints(Sequence[Point]):
    """Points of one metric in 40 bytes each: a program may print millions."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._trials, self._runs = array("q"), array("q")
        self._steps, self._values, self._times = array("d"), array("d"), array("d")

    def append(self, point: Point) -> None:
        """Add a point at the end."""
        self._trials.append(point.trial)
        self._runs.append(point.run)
        self._steps.append(point.step)
        self._values.append(point.value)
        self._times.append(point.at)

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> list[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | list[Point]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        step, value, at = self._steps[index], self._values[index], self._times[index]
        return Point(self._trials[index], self._runs[index], self._metric, step, value, at)


class Curve(Sequence[tuple[float, float]]):
    """The (step, value) pairs of one run."""

    def __init__(self, points: PackedPoints, places: Sequence[int]) -> None:
        self._points = points
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> tuple[float, float]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[float, float]]: ...
    def __getitem__(self, index: int | slice) -> tuple[float, float] | list[tuple[float, float]]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        point = self._points[self._places[index]]
        return point.step, point.value


class History:
    """Every trial by its number, and the objective's curve of each; only ever added to.

    `log` lists trial numbers in the order in which their status changed, and `points` those points
    of any run that are the objective's, in the order in which they came: a reader can catch up from
    where it was instead of reading everything again. Of a trial with repeats the first one alone
    gives points.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.log: list[int] = []
        self.points = PackedPoints(objective.metric)
        self._trials: dict[int, Trial] = {}
        self._curves: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))  # places in `points`

    @classmethod
    def of(cls, objective: Objective, trials: Iterable[Trial], points: Iterable[Point] = ()) -> History:
        """Build the history of some trials, given in the order of their numbers."""
        history = cls(objective)
        for trial in trials:
            history.record(trial)
        history.extend(points)
        return history

    def record(self, trial: Trial) -> None:
        """Take in a trial's new state."""
        known = self._trials.get(trial.number)
        self._trials[trial.number] = trial
        if known is None or known.status is not trial.status:
            self.log.append(trial.number)
        if known is not None and trial.first_repeat.number != known.first_repeat.number:
            self._curves.pop(trial.number, None)  # a new run begins a new curve

    def extend(self, points: Iterable[Point]) -> None:
        """Take in new points; those of the objective lengthen the curves."""
        for point in points:
            trial = self._trials.get(point.trial)
            if trial is None or point.metric != self.objective.metric:
                continue
            judged = trial.run.number if trial.run.repeat == 1 else trial.first_repeat.number
            if point.run == judged:
                self._curves[point.trial].append(len(self.points))
            if point.run <= judged:  # later runs are of later repeats
                self.points.append(point)

    @property
    def goal(self) -> Goal:
        """Which way the objective is better."""
        return self.objective.goal

    @property
    def trials(self) -> Mapping[int, Trial]:
        """Every trial by its number, in the order of proposal."""
        return self._trials

    def curve(self, number: int) -> Sequence[tuple[float, float]]:
        """Return (step, value) of the trial's current run, or its first repeat, in the order of the log."""
        return Curve(self.points, self._curves.get(number, array("q")))

    def last_look(self, number: int) -> list[tuple[float, float]]:
        """Return that end of the trial's curve which came with the last look at its log."""
        places = self._curves.get(number, array("q"))
        first = len(places)
        while first and self.points[places[first - 1]].at == self.points[places[-1]].at:
            first -= 1
        return Curve(self.points, places)[first:]

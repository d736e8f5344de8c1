"""The trials of a job as strategies and reports read them: a projection of what is committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hpo.core.settings import Goal, Objective
from hpo.core.trial import Point, Trial


class History:
    """Every trial by its number, and the objective's curve of each; only ever added to.

    `log` lists trial numbers in the order in which their status changed, and `points` those points
    of any run that are the objective's, in the order in which they came: a reader can catch up from
    where it was instead of reading everything again.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.log: list[int] = []
        self.points: list[Point] = []
        self._trials: dict[int, Trial] = {}
        self._curves: dict[int, list[tuple[float, float]]] = {}

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
        if known is not None and trial.run.number != known.run.number:
            self._curves.pop(trial.number, None)  # a new run begins a new curve

    def extend(self, points: Iterable[Point]) -> None:
        """Take in new points; those of the objective lengthen the curves."""
        for point in points:
            trial = self._trials.get(point.trial)
            if trial is not None and point.metric == self.objective.metric:
                self.points.append(point)
                if point.run == trial.run.number:
                    self._curves.setdefault(point.trial, []).append((point.step, point.value))

    @property
    def goal(self) -> Goal:
        """Which way the objective is better."""
        return self.objective.goal

    @property
    def trials(self) -> Mapping[int, Trial]:
        """Every trial by its number, in the order of proposal."""
        return self._trials

    def curve(self, number: int) -> Sequence[tuple[float, float]]:
        """Return (step, value) of the trial's current run, in the order of the log."""
        return self._curves.get(number, ())

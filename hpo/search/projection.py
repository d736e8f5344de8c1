"""What of a job's history belongs to one of its algorithms, as if that had been the whole job."""

from __future__ import annotations

from dataclasses import replace

from hpo.core.history import History
from hpo.core.trial import Point, Trial


class Projections:
    """The history of each algorithm's trials, counted from 1; they grow with the whole one, as it is read."""

    def __init__(self, history: History) -> None:
        self._whole = history
        self._log = self._points = 0  # how much of them is read
        self._histories: dict[str, History] = {}
        self._places: dict[int, tuple[str, int]] = {}  # trial → whose it is, and its number there
        self._numbers: dict[str, list[int]] = {}  # the other way round
        self._open: dict[int, Trial] = {}  # as they were last read

    def catch_up(self) -> list[Trial]:
        """Take in what is new, and return the trials whose status has changed, as they are now."""
        numbers = dict.fromkeys(self._whole.log[self._log :])
        self._log = len(self._whole.log)
        changed = [self._whole.trials[number] for number in numbers]
        still_open = [self._whole.trials[number] for number in self._open if number not in numbers]
        printed = [trial for trial in still_open if trial is not self._open[trial.number]]
        for trial in (*printed, *changed):
            self._record(trial)
        while self._points < len(self._whole.points):
            self._extend(self._whole.points[self._points])
            self._points += 1
        return changed

    def of(self, algorithm: str) -> History:
        """Return what is known of an algorithm."""
        return self._histories.setdefault(algorithm, History(self._whole.objective))

    def place(self, number: int) -> tuple[str, int]:
        """Return whose a trial is, and its number among that algorithm's."""
        return self._places[number]

    def number(self, algorithm: str, place: int) -> int:
        """Return the number in the job of an algorithm's trial."""
        return self._numbers[algorithm][place - 1]

    def _record(self, trial: Trial) -> None:
        algorithm = trial.algorithm or ""
        history = self.of(algorithm)
        if trial.number not in self._places:
            self._numbers.setdefault(algorithm, []).append(trial.number)
            self._places[trial.number] = algorithm, len(self._numbers[algorithm])
        history.record(replace(trial, number=self._places[trial.number][1]))
        self._open[trial.number] = trial
        if trial.status.is_final:
            del self._open[trial.number]

    def _extend(self, point: Point) -> None:
        algorithm, place = self._places[point.trial]
        self._histories[algorithm].extend([replace(point, trial=place)])

"""Optuna's multi-objective tree-structured Parzen estimator as a model of a job's history.

Ozaki et al., Multiobjective Tree-Structured Parzen Estimator, 2022: the good trials are those of the first
non-dominated ranks, of the last of them those that add the most hypervolume. Requirements as Optuna handles
its constraints: a trial that misses one ranks behind all that meet them, by how far it misses them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from hpo.core.history import History
from hpo.core.settings import Goal
from hpo.core.trial import Trial, TrialStatus
from hpo.search.coordinates import from_coordinate, to_point
from hpo.search.optuna_terms import create_study, distribution_of, groups_of
from hpo.spec.space import Scalar, Space

CANDIDATES = 24
"""How many configurations are sampled for one to be chosen from; Optuna's default."""

LARGEST = 1e60
"""Beyond this, values count as this: the hypervolume of larger ones is no number."""


class ParetoModel:
    """An Optuna study as the projection of a history, with the trials in the order of their numbers.

    A failure of the program's own ranks behind all completed trials. How the machinery or a user ended
    a trial says nothing about its configuration.
    """

    def __init__(self, space: Space, goals: Sequence[Goal], history: History) -> None:
        self._space = space
        self._history = history
        self._read = 0
        self._distributions = {parameter.name: distribution_of(parameter) for parameter in space}
        self._groups = groups_of(space)
        self._storage = InMemoryStorage()
        self._study = create_study(self._storage, goals)
        self._study_id = self._storage.get_study_id_from_name(self._study.study_name)
        # Optuna wants to be asked for a trial of the study: this one, which never gets values.
        self._draft = self._storage.get_trial(self._storage.create_new_trial(self._study_id))
        self._open: dict[int, int] = {}  # trial number → its id in the storage
        self._last = 0  # number of the last trial taken in
        self.results = 0
        self._infeasible = 0
        self._failed = 0
        self._outside = 0  # trials that lie outside of the space as it is now

    @property
    def evidence(self) -> str:
        """Return what the next proposal rests on, in words for the user."""
        counts = {
            "pending": len(self._open),
            "failed": self._failed,
            "that miss a requirement": self._infeasible,
            "outside of the narrowed ranges": self._outside,
        }
        shown = [
            f"{count} {what}" for place, (what, count) in enumerate(counts.items()) if count or place < 2
        ]
        return f"TPE of Optuna, for several objectives, from {self.results} trials ({', '.join(shown)})"

    def catch_up(self) -> None:
        """Take in what happened since the last call."""
        for number in self._history.log[self._read :]:
            trial = self._history.trials[number]
            if number > self._last:
                self._add(trial)
                self._last = number
            if trial.status.is_final and number in self._open:
                self._end(trial, self._open.pop(number))
        self._read = len(self._history.log)

    def ask(self, seed: int, *, candidates: int = CANDIDATES) -> dict[str, Scalar]:
        """Return the most promising one of so many configurations that are sampled with this seed.

        Parameters that are active together are sampled jointly, from the trials that have them. Constraints
        of the space are not looked at.
        """
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=0,
            multivariate=True,
            constant_liar=True,
            seed=seed,
            n_ei_candidates=candidates,
        )
        values: dict[str, Scalar] = {}
        for group in self._groups:
            if self._space.is_active(group[0].name, values):
                names = [parameter.name for parameter in group]
                sample = sampler.sample_relative(self._study, self._draft, self._of(names))
                values |= {p.name: from_coordinate(p, sample[p.name]) for p in group}
        return {p.name: values[p.name] for p in self._space if p.name in values}

    def _of(self, names: Iterable[str]) -> dict[str, BaseDistribution]:
        return {name: self._distributions[name] for name in names}

    def _add(self, trial: Trial) -> None:
        if not self._space.contains(trial.params):  # the ranges were narrowed meanwhile
            self._outside += 1
            return
        point = to_point(self._space, trial.params)
        pending = create_trial(state=TrialState.RUNNING, params=point, distributions=self._of(point))
        self._open[trial.number] = self._storage.create_new_trial(self._study_id, pending)

    def _end(self, trial: Trial, storage_id: int) -> None:
        values = _values(trial)
        if values is not None:
            state, violation = TrialState.COMPLETE, trial.violation
            self.results += 1
            self._infeasible += violation > 0.0
        elif _counts_as_bad(trial):
            state, violation = TrialState.PRUNED, math.inf
            self._failed += 1
        else:
            state, violation = TrialState.FAIL, 0.0
        if violation > 0.0:
            missed = create_trial(state=TrialState.RUNNING, constraints={"require": violation})
            for key, value in missed.system_attrs.items():
                self._storage.set_trial_system_attr(storage_id, key, value)
        self._storage.set_trial_state_values(storage_id, state, values)


def _values(trial: Trial) -> list[float] | None:
    """Return a completed trial's values; None where one of them is no result."""
    values = [value for value in trial.values if value is not None and math.isfinite(value)]
    if trial.status is not TrialStatus.COMPLETED or len(values) < len(trial.values):
        return None
    return [max(-LARGEST, min(LARGEST, value)) for value in values]


def _counts_as_bad(trial: Trial) -> bool:
    if trial.status is TrialStatus.FAILED:
        return trial.reason is not None and trial.reason.blames_values
    return trial.status in {TrialStatus.COMPLETED, TrialStatus.PRUNED}

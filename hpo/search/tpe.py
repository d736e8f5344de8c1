"""The tree-structured Parzen estimator of Optuna as a model of a job's history.

Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011; over all parameters jointly as
in Falkner et al., BOHB, 2018. Pending trials count as bad ones, so that the next is elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import InMemoryStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from hpo.core.history import History
from hpo.core.trial import Trial, TrialStatus
from hpo.search.coordinates import from_coordinate, to_point
from hpo.search.optuna_terms import blames_values, create_study, distribution_of, groups_of
from hpo.spec.space import Scalar, Space, Values

CANDIDATES = 24
"""How many configurations are sampled for one to be chosen from; Optuna's default."""


class TreeParzenModel:
    """An Optuna study as the projection of a history, with the trials in the order of their numbers.

    A completed trial counts by its value. A pruned one ranks behind those, by how far it came and the
    last value of its curve; a failure of the program's own ranks behind all. How the machinery or a
    user ended a trial says nothing about its configuration.
    """

    def __init__(self, space: Space, history: History, evidence: Sequence[tuple[Values, float]] = ()) -> None:
        self._space = space
        self._history = history
        self._read = 0
        self._distributions = {parameter.name: distribution_of(parameter) for parameter in space}
        self._groups = groups_of(space)
        self._storage = InMemoryStorage()
        self._study = create_study(self._storage, [history.goal])
        self._study_id = self._storage.get_study_id_from_name(self._study.study_name)
        self.inherited = len(evidence)
        for values, value in evidence:
            self._storage.create_new_trial(self._study_id, self._known(values, value))
        # Optuna wants to be asked for a trial of the study: this one, which never gets values.
        self._draft = self._storage.get_trial(self._storage.create_new_trial(self._study_id))
        self._open: dict[int, int] = {}  # trial number → its id in the storage
        self._last = 0  # number of the last trial taken in
        self.results = 0
        self.failed = 0
        self.outside = 0  # trials that lie outside of the space as it is now

    @property
    def evidence(self) -> str:
        """Return what the next proposal rests on, in words for the user."""
        outside = f", {self.outside} outside of the narrowed ranges" if self.outside else ""
        parents = f" and {self.inherited} of parents" if self.inherited else ""
        counts = f"({len(self._open)} pending, {self.failed} failed{outside})"
        return f"TPE from {self.results} trials{parents} {counts}"

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

    def ask(
        self, seed: int, study: Study | None = None, *, candidates: int = CANDIDATES
    ) -> dict[str, Scalar]:
        """Return the most promising one of so many configurations that are sampled with this seed.

        Parameters that are active together are sampled jointly, from the trials that have them. Constraints
        are not looked at. `study` is one that `advised` has made.
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
                sample = sampler.sample_relative(study or self._study, self._draft, self._of(names))
                values |= {p.name: from_coordinate(p, sample[p.name]) for p in group}
        return {p.name: values[p.name] for p in self._space if p.name in values}

    def advised(self, advice: Sequence[tuple[Values, float]]) -> Study:
        """Return a study of the same trials and of those of an advice."""
        storage = InMemoryStorage()
        study = create_study(storage, [self._history.goal])
        study_id = storage.get_study_id_from_name(study.study_name)
        for known in self._storage.get_all_trials(self._study_id, deepcopy=False):
            storage.create_new_trial(study_id, known)
        for values, value in advice:
            storage.create_new_trial(study_id, self._known(values, value))
        return study

    def _known(self, values: Values, value: float) -> FrozenTrial:
        point = to_point(self._space, values)
        return create_trial(value=value, params=point, distributions=self._of(point))

    def _of(self, names: Iterable[str]) -> dict[str, BaseDistribution]:
        return {name: self._distributions[name] for name in names}

    def _add(self, trial: Trial) -> None:
        if not self._space.contains(trial.params):  # the ranges were narrowed meanwhile
            self.outside += 1
            return
        point = to_point(self._space, trial.params)
        pending = create_trial(state=TrialState.RUNNING, params=point, distributions=self._of(point))
        self._open[trial.number] = self._storage.create_new_trial(self._study_id, pending)

    def _end(self, trial: Trial, storage_id: int) -> None:
        curve = _judged(trial, self._history.curve(trial.number))
        state, value = _outcome(trial, curve)
        if state is TrialState.PRUNED and value is not None:
            self._storage.set_trial_intermediate_value(storage_id, len(curve), value)
        self._storage.set_trial_state_values(storage_id, state, None if value is None else [value])
        self.results += value is not None
        self.failed += state is TrialState.PRUNED and value is None


def _judged(trial: Trial, curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return the curve up to where its trial was stopped: how much more it printed until then is chance."""
    if trial.verdict is None or trial.verdict.step is None:
        return curve
    reached = next((place for place, (step, _) in enumerate(curve, 1) if step >= trial.verdict.step), None)
    return curve[:reached]


def _outcome(trial: Trial, curve: Sequence[tuple[float, float]]) -> tuple[TrialState, float | None]:
    """Return a trial's end in Optuna's terms; a pruned trial without a value ranks last there."""
    match trial.status:
        case TrialStatus.COMPLETED if trial.value is not None and math.isfinite(trial.value):
            return TrialState.COMPLETE, trial.value
        case TrialStatus.PRUNED if curve and math.isfinite(curve[-1][1]):
            return TrialState.PRUNED, curve[-1][1]
        case TrialStatus.COMPLETED | TrialStatus.PRUNED:
            return TrialState.PRUNED, None
        case TrialStatus.FAILED if trial.reason is not None and blames_values(trial.reason):
            return TrialState.PRUNED, None
        case _:
            return TrialState.FAIL, None

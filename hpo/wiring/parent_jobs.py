"""A job of hpo's as a parent: its trials, and those that it began with itself, by algorithm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from hpo.core.feasibility import violation_of
from hpo.core.prior import NO_PRIOR, Kind, Parent, PastTrial, Prior, WarmStart
from hpo.core.settings import Required, Settings
from hpo.core.trial import Trial, TrialStatus
from hpo.errors import UsageError
from hpo.spec.algorithms import each_alone
from hpo.spec.document import Document
from hpo.spec.paths import expanded
from hpo.spec.space import Scalar
from hpo.store.home import DATABASE, SPEC
from hpo.store.lease import is_held
from hpo.store.sqlite import Store

_PROGRAM = ("image", "algorithm", "command", "entry_point")
"""The launcher's options by which it is told whether two jobs run the same program."""

Read = Mapping[str | None, Parent]
"""What was read of a parent: each of its algorithms by name, or under None where it has not several."""


@dataclass(frozen=True, slots=True)
class Heritage:
    """What decides which of a job's trials are handed on."""

    type: WarmStart
    require: tuple[Required, ...]  # by the new job
    metrics: tuple[str, ...]  # of its objectives


def read_job(folder: Path, name: str, heritage: Heritage) -> Read:
    """Read a job: its own completed trials, then those that it began with itself.

    What was but a hint to it is none of the evidence that it hands on. Its trials are judged by what the
    new job requires; of those that it began with that is known where it required the same. Raises
    UsageError where it still runs.
    """
    if is_held(folder):
        raise UsageError(f"it is still running: wait for its end with `hpo wait {folder.name}`")
    with closing(Store.look(folder / DATABASE)) as store:
        record, trials, priors = store.record(), store.trials(), store.priors()
    document = Document.read([folder / SPEC], environment={})
    earlier = _Earlier(name, folder.name, record.settings, heritage)
    read: dict[str | None, Parent] = {}
    for algorithm, spec in written_parts(document).items():
        own = [trial for trial in trials if trial.algorithm == algorithm]
        around = Surroundings.of(spec, Path(record.base))
        parent = earlier.parent(own, priors.pop(algorithm, NO_PRIOR), around.fixed)
        read[algorithm] = replace(
            parent, kinds=around.kinds, fixed=around.fixed, inputs=around.inputs, program=around.program
        )
    for algorithm, prior in priors.items():  # which its own parents had, and it had not
        read[algorithm] = earlier.parent([], prior, {})
    return read


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A job as it was read."""

    name: str  # as the new job's spec has it
    job: str
    settings: Settings
    heritage: Heritage

    def parent(self, trials: Sequence[Trial], prior: Prior, fixed: Mapping[str, Scalar]) -> Parent:
        """Return what it hands on of some trials, and of what it began with."""
        require = self.heritage.require
        objectives = {each.metric: each for each in self.settings.objectives}
        objective = objectives.get(self.heritage.metrics[0], self.settings.objective)
        judged = replace(self.settings, require=require)
        completed = [trial for trial in trials if trial.status is TrialStatus.COMPLETED]
        own = [
            self._past(PastTrial(self.job, trial.number, {**fixed, **trial.params}, values[0], values[1:]))
            for trial in completed
            if None not in trial.values and not violation_of(judged, trial.repeats)
            for values in [tuple(value for value in trial.values if value is not None)]
        ]
        failed = sum(trial.status is TrialStatus.FAILED for trial in trials)
        is_of_use = prior.is_evidence or self.heritage.type is WarmStart.TRANSFER
        past = [self._past(trial.past) for trial in prior.trials] if is_of_use else []
        is_judged = not require or self.settings.require == require
        inherited = past if is_judged else []
        return Parent(
            name=self.name,
            trials=(*own, *inherited),
            failed=failed,
            unfinished=len(trials) - len(completed) - failed,
            infeasible=len(completed) - len(own) + len(past) - len(inherited),
            metric=objective.metric,
            goal=objective.goal,
            goals={each.metric: each.goal for each in self.settings.objectives},
            inherited=prior.type,
        )

    def _past(self, trial: PastTrial) -> PastTrial:
        """Return a trial with its values in the order of the new job's objectives, if it has all of them."""
        values = dict(zip(self.settings.metrics, trial.values, strict=True))
        if not values.keys() >= set(self.heritage.metrics):
            return trial
        first, *others = (values[metric] for metric in self.heritage.metrics)
        return replace(trial, value=first, others=tuple(others))


def written_parts(document: Document) -> dict[str | None, Mapping[str, object]]:
    """Return a spec as written: as it would be with each of its algorithms alone, or under None as it is."""
    spec = document.value()
    whole: Mapping[str, object] = spec if isinstance(spec, dict) else {}
    return {name: alone for name, _, alone in each_alone(whole)} or {None: whole}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a spec's program is given that is not tuned, and what of it is tuned as what."""

    kinds: Mapping[str, Kind]
    fixed: Mapping[str, Scalar]
    inputs: Mapping[str, str]  # channel → its whole address
    program: Mapping[str, str]  # image, command, …

    @classmethod
    def of(cls, spec: Mapping[str, object], base: Path) -> Surroundings:
        """Return those of a spec as written, whose paths count from `base`."""
        inputs = {
            name: address if "://" in address else str(base / expanded(address))
            for name, address in _scalars(spec.get("inputs")).items()
            if isinstance(address, str)
        }
        launcher = spec.get("launcher")
        given = launcher if isinstance(launcher, dict) else {}
        program = {key: _text(given[key]) for key in _PROGRAM if given.get(key) is not None}
        return cls(_kinds(spec.get("parameters")), _scalars(spec.get("fixed")), inputs, program)


def _kinds(parameters: object) -> dict[str, Kind]:
    kinds = {kind.value: kind for kind in Kind}
    return {
        name: kinds[kind]
        for name, parameter in (parameters if isinstance(parameters, dict) else {}).items()
        if isinstance(parameter, dict) and isinstance(kind := parameter.get("type"), str) and kind in kinds
    }


def _scalars(section: object) -> dict[str, Scalar]:
    if not isinstance(section, dict):
        return {}
    return {name: value for name, value in section.items() if not isinstance(value, dict | list)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

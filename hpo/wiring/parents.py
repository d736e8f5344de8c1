"""Reading the parents of a job, whatever they are: once, before the job is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from hpo.core.feasibility import required, violation_of
from hpo.core.inherit import Heir, inherit
from hpo.core.prior import NO_PRIOR, Kind, Parent, PastTrial, Prior, WarmStart
from hpo.core.restrictions import Child, restrictions
from hpo.core.settings import Goal, Objective, Required
from hpo.core.trial import TrialStatus
from hpo.errors import HpoError, JobNotFound, UsageError
from hpo.spec.document import Document
from hpo.spec.models import Spec
from hpo.spec.nodes import Plain
from hpo.spec.paths import expanded
from hpo.spec.space import Scalar, Space, identity
from hpo.spec.warm_start import OPTUNA, SAGEMAKER, TABLES, is_path
from hpo.store.home import DATABASE, SPEC, existing_job
from hpo.store.lease import is_held
from hpo.store.sqlite import Store
from hpo.wiring.parent_table import Columns, read_table

_PROGRAM = ("image", "algorithm", "command", "entry_point")
"""The launcher's options by which it is told whether two jobs run the same program."""

_WITHOUT_LEARNING = ("random", "hyperband")
_PARENTS = ("warm_start", "parents")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is needed to read a parent, beside what the spec calls it."""

    spec: Spec
    heir_type: WarmStart
    options: BaseModel
    space: Space
    base: Path
    say: Callable[[str], None]

    @property
    def require(self) -> tuple[Required, ...]:
        """What the job's results must meet, and its parents' trials like them."""
        return tuple(required(text, self.spec.metrics) for text in self.spec.require)

    def refuse_unknown_metrics(self) -> None:
        """Raise UsageError where trials of which one value is known would count as results."""
        if self.spec.require and self.heir_type is WarmStart.IDENTICAL:
            raise UsageError(
                "only one value of its trials is known, and not whether they meet `require`: "
                "take `type: transfer`, or a job of hpo's"
            )


def prior_of(
    document: Document,
    spec: Spec,
    *,
    options: BaseModel,
    space: Space,
    base: Path,
    say: Callable[[str], None],
) -> Prior:
    """Read a spec's parents and return what a job of it begins with.

    Mistakes of all parents are added to the document, each at its parent's place.
    """
    if spec.warm_start is None:
        return NO_PRIOR
    heir = Heir(WarmStart(spec.warm_start.type), space, spec.fixed)
    reading = _Reading(spec, heir.type, options, space, base, say)
    inputs, program = _surroundings(document, base)
    objective = Objective(spec.objective.metric, Goal(spec.objective.goal))
    child = Child(heir, objective, inputs, program)
    parents: list[Parent] = []
    for position, name in enumerate(spec.warm_start.parents):
        try:
            parents.append(_read(name, reading))
        except HpoError as error:
            _problem(document, position, name, str(error))
            continue
        for why in restrictions(child, parents[-1]):
            _problem(document, position, name, why)
    prior = inherit(heir, parents)
    if heir.type is WarmStart.IDENTICAL and not document.problems:
        for position, report in enumerate(prior.reports):
            if not report.used and not report.repeated:
                counts = {"out of range": report.out_of_range, "incomplete": report.incomplete}
                counts["with other fixed values"] = report.different
                why = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
                _problem(document, position, report.parent, f"none of its trials can be used: {why}")
        if spec.strategy.name == "bayesian" and _is_all_tried(space, prior):
            text = "`warm_start`: the parents have tried every configuration of this space already"
            document.problem("warm_start", text, "widen a range, or look at the parents with `hpo best NAME`")
    return prior


def _is_all_tried(space: Space, prior: Prior) -> bool:
    count = space.cardinality if space.is_finite else None
    return count == len({identity(trial.params) for trial in prior.trials if trial.params is not None})


def prior_warnings(prior: Prior, strategy: str) -> list[str]:
    """Return where parents are of no use, or of less than one may think."""
    found = []
    if prior.type is not None and strategy in _WITHOUT_LEARNING:
        shown = "; their best values are shown beside the job's own" if prior.is_evidence else ""
        found.append(
            f"warm_start: the strategy {strategy} draws its values without the parents' trials{shown}"
        )
    if prior.type is not None and not any(report.used for report in prior.reports):
        found.append("warm_start: no trial of a parent lies in this space; the job starts cold")
    return found


def _problem(document: Document, position: int, name: str, why: str) -> None:
    at = (*_PARENTS, str(position))
    document.problem(at, f"`warm_start.parents`: {name}: {why}")


def _read(name: str, reading: _Reading) -> Parent:
    """Read one parent. Raises HpoError where it is not there, cannot be read, or still runs."""
    if name.startswith((OPTUNA, SAGEMAKER)):
        reading.refuse_unknown_metrics()
    if name.startswith(OPTUNA):
        from hpo.search.optuna_study import read_study

        return read_study(name.removeprefix(OPTUNA), name, reading.base)
    if name.startswith(SAGEMAKER):
        return _tuning_job(name, reading)
    if not is_path(name):
        if name == reading.spec.name:
            raise UsageError("a job cannot be a parent of its own; give the new one another name")
        return _job(existing_job(name), name, reading)
    path = reading.base / expanded(name)
    if path.suffix in TABLES and not path.is_dir():
        reading.refuse_unknown_metrics()
        columns = Columns(reading.spec.objective.metric, reading.space, reading.spec.fixed)
        return read_table(path, name, columns)
    if not (path / DATABASE).exists():
        raise JobNotFound(f"{path} is no job's folder: there is no {DATABASE} in it")
    return _job(path, name, reading)


def _job(folder: Path, name: str, reading: _Reading) -> Parent:
    """Read a job of hpo's: its own completed trials, then those that it began with itself.

    What was but a hint to it is none of the evidence that it hands on. Its trials are judged by what the
    new job requires; of those that it began with that is known where it required the same.
    """
    if is_held(folder):
        raise UsageError(f"it is still running: wait for its end with `hpo wait {folder.name}`")
    with closing(Store.look(folder / DATABASE)) as store:
        record, trials, prior = store.record(), store.trials(), store.prior()
    if several := record.settings.algorithms:
        raise UsageError(
            f"it tuned several algorithms, {', '.join(several)}; begin with the trials of one of them: `hpo "
            f"trials {folder.name} --algorithm {several[0]} --format csv --output {several[0]}.csv`, and "
            f"parents: [{several[0]}.csv]"
        )
    document = Document.read([folder / SPEC], environment={})
    inputs, program = _surroundings(document, Path(record.base))
    fixed = _scalars(document.value("fixed"))
    judged = replace(record.settings, require=reading.require)
    completed = [trial for trial in trials if trial.status is TrialStatus.COMPLETED]
    own = [
        PastTrial(folder.name, trial.number, {**fixed, **trial.params}, trial.value)
        for trial in completed
        if trial.value is not None and not violation_of(judged, trial.repeats)
    ]
    failed = sum(trial.status is TrialStatus.FAILED for trial in trials)
    objective = record.settings.objective
    is_of_use = prior.is_evidence or reading.heir_type is WarmStart.TRANSFER
    past = [trial.past for trial in prior.trials] if is_of_use else []
    is_judged = not reading.require or record.settings.require == reading.require
    inherited = past if is_judged else []
    return Parent(
        name=name,
        trials=(*own, *inherited),
        failed=failed,
        unfinished=len(trials) - len(completed) - failed,
        infeasible=len(completed) - len(own) + len(past) - len(inherited),
        metric=objective.metric,
        goal=objective.goal,
        kinds=_kinds(document),
        fixed=fixed,
        inputs=inputs,
        program=program,
        inherited=prior.type,
    )


def _kinds(document: Document) -> dict[str, Kind]:
    parameters = document.value("parameters")
    kinds = {kind.value: kind for kind in Kind}
    return {
        name: kinds[kind]
        for name, parameter in (parameters if isinstance(parameters, dict) else {}).items()
        if isinstance(parameter, dict) and isinstance(kind := parameter.get("type"), str) and kind in kinds
    }


def _scalars(section: Plain) -> dict[str, Scalar]:
    if not isinstance(section, dict):
        return {}
    return {name: value for name, value in section.items() if not isinstance(value, dict | list)}


def _surroundings(document: Document, base: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the whole addresses of a job's data, and what its program is."""
    inputs = {
        name: address if "://" in address else str(base / expanded(address))
        for name, address in _scalars(document.value("inputs")).items()
        if isinstance(address, str)
    }
    launcher = document.value("launcher")
    given = launcher if isinstance(launcher, dict) else {}
    program = {key: _text(given[key]) for key in _PROGRAM if given.get(key) is not None}
    return inputs, program


def _text(value: Plain) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tuning_job(name: str, reading: _Reading) -> Parent:
    """Read a tuning job of SageMaker's."""
    from hpo.amt.parent import read_parent
    from hpo.amt.service import TuningJobs, name_of

    job = name_of(name) or ""
    region, profile = (_option(reading.options, key) for key in ("region", "profile"))
    reading.say(f"reading the trials of SageMaker's tuning job {job}")
    with closing(TuningJobs(region=region, profile=profile)) as jobs:
        return read_parent(job, name, jobs)


def _option(options: BaseModel, key: str) -> str | None:
    value: object = getattr(options, key, None)
    return value if isinstance(value, str) else None

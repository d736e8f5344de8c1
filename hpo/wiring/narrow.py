"""A job's spec for another round, with ranges around its best trials, every change as a comment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import yaml

from hpo.core.trial import Reason, Trial, TrialStatus
from hpo.errors import HpoError, UsageError
from hpo.report.best import ranked, refuse_several
from hpo.report.narrowing import Narrowed, narrowed, why
from hpo.spec.environment import escape
from hpo.spec.models import Spec
from hpo.spec.nodes import Plain
from hpo.spec.scaling import automatic_scaling
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar
from hpo.spec.text_edits import TextEdit, child, commented, composed, edited, put
from hpo.store.home import DATABASE, SPEC
from hpo.store.sqlite import Store
from hpo.wiring.prepared import prepare

ENOUGH = 10
"""Completed trials before which the best ones are too few to tell where to look."""

FRACTION = 0.2
FEWEST = 3
"""The best trials that ranges are narrowed around by default: this share of them, at least so many."""


@dataclass(frozen=True, slots=True)
class NextRound:
    """A spec's text, the folder that its paths count from, and what was changed of it, and why."""

    text: str
    base: Path
    remarks: tuple[str, ...]


def next_round(
    folder: Path, *, top: int | None = None, fraction: float = FRACTION, warm_start: bool = False
) -> NextRound:
    """Return a job's spec with ranges around its best trials, and wider ones where the best is at a bound.

    `warm_start` makes the job its parent. Raises HpoError where too few trials have completed, and
    UsageError for a `top` that is no part of them, and for a job with several objectives.
    """
    with closing(Store.look(folder / DATABASE)) as store:
        record, trials = store.record(), store.trials()
    refuse_several(folder.name, record.settings)
    spec = prepare([folder / SPEC], base=Path(record.base), check_launch=False).spec
    completed = ranked(trials, record.settings.objective.goal)
    of_job = f"of {folder.name}{', and met `require`' if record.settings.require else ''}"
    best = completed[: _count(folder.name, len(completed), of_job, top, fraction)]
    others = [trial for trial in trials if trial not in best and _was_tried(trial)]
    text = (folder / SPEC).read_text(encoding="utf-8")
    changes = list(_changes(spec, best, others))
    about = f"narrowed around the best {len(best)} of {len(completed)} trials of {folder.name}"
    root = composed(text)
    edits, remarks = _edits(root, spec, changes, best[0])
    if warm_start:
        edits.append(put(root, "warm_start", {"type": "identical", "parents": [folder.name]}))
        remarks.append(f"warm_start: with the trials of {folder.name}")
    return NextRound(f"# {about}\n{edited(text, edits)}", Path(record.base), (about, *remarks))


def _count(name: str, completed: int, of_job: str, top: int | None, fraction: float) -> int:
    if completed < ENOUGH:
        have = "1 trial has" if completed == 1 else f"{completed} trials have"
        raise HpoError(
            f"{have} completed {of_job}, and its ranges can be narrowed from {ENOUGH} on: with fewer "
            f"the best are the best by chance; add some with `hpo resume {name} --set limits.max_jobs=N`"
        )
    count = top if top is not None else max(FEWEST, math.ceil(fraction * completed))
    if not 2 <= count <= completed // 2:
        raise UsageError(
            f"the best {count} of {completed} completed trials say nothing of where the best lie: take from "
            f"2 to {completed // 2} of them"
        )
    return count


def _was_tried(trial: Trial) -> bool:
    """Tell whether a trial says something about its values."""
    if trial.status is TrialStatus.FAILED:
        return trial.reason not in {Reason.LOST, Reason.NO_CAPACITY, Reason.COULD_NOT_START}
    return trial.status in {TrialStatus.COMPLETED, TrialStatus.PRUNED}


def _changes(spec: Spec, best: Sequence[Trial], others: Sequence[Trial]) -> Iterator[Narrowed]:
    named = {name for model in spec.parameters.values() for name in model.when}
    for parameter in spec.space():
        found = narrowed(
            parameter,
            [trial.params for trial in best],
            [trial.params for trial in others],
            is_named=parameter.name in named,
        )
        if found is not None:
            yield found


def _edits(
    root: yaml.MappingNode, spec: Spec, changes: Sequence[Narrowed], best: Trial
) -> tuple[list[TextEdit], list[str]]:
    """Return the edits that make the changes, with their comments, and all that is to be said of them."""
    edits: list[TextEdit] = []
    remarks: list[str] = []
    parameters = {parameter.name: parameter for parameter in spec.space()}
    section = child(root, "parameters")
    for change in changes:
        lines = list(why(change))
        node = child(section, change.name) if section is not None else None
        if isinstance(node, yaml.MappingNode) and change.settings:
            for key, value, remark in _entries(spec, parameters[change.name], change, best):
                edits.append(put(node, key, value))
                lines += [remark] if remark else []
        edits.append(commented(root, ("parameters", change.name), lines))
        remarks += [f"{change.name}: {line}" for line in lines]
    if not any(change.settings for change in changes):
        return edits, [*remarks, "no range was changed: the best trials are spread over all of them"]
    if spec.initial:
        edits.append(put(root, "initial", []))
        remarks.append("initial: left out, as these values have been tried")
    limits = child(root, "limits")
    if spec.strategy.name == "grid" and isinstance(limits, yaml.MappingNode) and child(limits, "max_jobs"):
        edits.append(put(limits, "max_jobs", None))
        remarks.append("limits.max_jobs: left out, as it is the number of the grid's combinations")
    return edits, remarks


def _entries(
    spec: Spec, parameter: Parameter, change: Narrowed, best: Trial
) -> Iterator[tuple[str, Plain, str]]:
    """Yield the keys of a parameter to write, their values, and what is to be said beside the change."""
    model = spec.parameters[parameter.name]
    given = {setting.key: setting.new for setting in change.settings}
    for key, new in given.items():
        yield key, [_written(each) for each in new] if isinstance(new, tuple) else _written(new), ""
    after: Parameter
    match parameter:
        case Categorical():
            values = given.get("values")
            after = replace(parameter, values=values if isinstance(values, tuple) else parameter.values)
        case Continuous():
            low, high = given.get("min", parameter.low), given.get("max", parameter.high)
            after = replace(parameter, low=cast("float", low), high=cast("float", high))
        case Integer():
            low, high = given.get("min", parameter.low), given.get("max", parameter.high)
            after = replace(parameter, low=cast("int", low), high=cast("int", high))
    if not isinstance(after, Categorical) and model.model_dump().get("scaling") == "auto":
        integer = isinstance(after, Integer)
        if automatic_scaling(after.low, after.high, integer=integer) is not after.scaling:
            yield "scaling", after.scaling.value, f"scaling: {after.scaling.value}, as auto was before"
    if model.default is not None and not after.contains(model.default):
        default = _nearest(after, best.params.get(parameter.name))
        yield "default", _written(default), f"default: {model.default!r} → {default!r}, the best trial's"


def _nearest(parameter: Parameter, value: Scalar) -> Scalar:
    """Return a value of the parameter: this one, if it is one."""
    return value if parameter.contains(value) else parameter.from_unit(0.5)


def _written(value: Scalar) -> Scalar:
    """Return a value as it stands in a spec."""
    return escape(value) if isinstance(value, str) else value

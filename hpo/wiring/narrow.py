"""A job's spec for another round, with ranges around its best trials, every change as a comment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import yaml

from hpo.core.settings import Settings
from hpo.core.trial import Reason, Trial, TrialStatus
from hpo.errors import HpoError, UsageError
from hpo.report.best import ranked
from hpo.report.front import front_trials
from hpo.report.narrowing import Narrowed, narrowed, why
from hpo.spec.algorithms import SECTION
from hpo.spec.environment import escape
from hpo.spec.models import Spec
from hpo.spec.nodes import Plain, dotted
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
    folder: Path, *, top: int | None = None, fraction: float | None = None, warm_start: bool = False
) -> NextRound:
    """Return a job's spec with ranges around its best trials, and wider ones where the best is at a bound.

    Of several objectives the best trials are the Pareto front, which says how many they are, and nothing is
    widened. `warm_start` makes the job its parent. Raises HpoError where too few trials have completed, and
    UsageError for a `top` that is no part of them, or that several objectives have not.
    """
    with closing(Store.look(folder / DATABASE)) as store:
        record, trials = store.record(), store.trials()
    if record.settings.others and (top, fraction) != (None, None):
        raise UsageError(
            f"{folder.name} has several objectives, and its front says how many the best trials are: leave "
            "--top and --fraction out"
        )
    spec = prepare([folder / SPEC], base=Path(record.base), check_launch=False).spec
    text = (folder / SPEC).read_text(encoding="utf-8")
    root = composed(text)
    changes = [
        _narrowed(root, part, settings=record.settings, top=top, fraction=fraction or FRACTION)
        for part in _parts(folder.name, spec, trials)
    ]
    edits = [edit for change in changes for edit in change.edits]
    remarks = [remark for change in changes for remark in change.remarks]
    limits = child(root, "limits")
    is_grid = spec.strategy.name == "grid" and any(change.is_other for change in changes)
    if is_grid and isinstance(limits, yaml.MappingNode) and child(limits, "max_jobs"):
        edits.append(put(limits, "max_jobs", None))
        remarks.append("limits.max_jobs: left out, as it is the number of the grid's combinations")
    if warm_start:
        edits += _with_parent(root, folder.name, spec)
        remarks.append(f"warm_start: with the trials of {folder.name}")
    about = [change.about for change in changes if change.about]
    heading = "".join(f"# {line}\n" for line in about)
    return NextRound(f"{heading}{edited(text, edits)}", Path(record.base), (*about, *remarks))


def _with_parent(root: yaml.MappingNode, job: str, spec: Spec) -> Iterator[TextEdit]:
    """Yield what makes a job the parent; what its algorithms began with comes along with it."""
    yield put(root, "warm_start", {"type": "identical", "parents": [job]})
    for name, own in spec.algorithms.items():
        if own.warm_start is not None:
            yield put(_at(root, (SECTION, name)), "warm_start", None)


@dataclass(frozen=True, slots=True)
class _Part:
    """A space with the trials in it, and where the spec's text has it: one of several algorithms', or all."""

    spec: Spec  # as if it were alone
    path: tuple[str, ...]
    name: str  # in words
    prefix: str  # of what is said of it
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """What is changed of a part, and what is to be said of it."""

    about: str = ""
    edits: tuple[TextEdit, ...] = ()
    remarks: tuple[str, ...] = ()
    is_other: bool = False  # some range is another one


def _parts(job: str, spec: Spec, trials: Sequence[Trial]) -> Iterator[_Part]:
    """Yield what is narrowed by itself. Raises HpoError where no algorithm of several has enough trials."""
    if not spec.algorithms:
        yield _Part(spec, (), job, "", tuple(trials))
    enough = []
    for name in spec.algorithms:
        own = tuple(trial for trial in trials if trial.algorithm == name)
        enough.append(sum(trial.is_result for trial in own))
        yield _Part(spec.alone(name), (SECTION, name), f"{name} of {job}", f"{name}: ", own)
    if enough and max(enough) < ENOUGH:
        raise _too_few(f"the best algorithm of {job}{_met(spec)}", max(enough), job)


def _met(spec: Spec) -> str:
    return ", and met `require`" if spec.require else ""


def _narrowed(
    root: yaml.MappingNode, part: _Part, *, settings: Settings, top: int | None, fraction: float
) -> _Change:
    completed = ranked(part.trials, settings.objective.goal)
    if part.path and len(completed) < ENOUGH:
        have = f"{len(completed)} of its trials have completed{_met(part.spec)}"
        why = f"left as it is: {have}, and {ENOUGH} are needed"
        return _Change(remarks=(f"{part.prefix}{why}",))
    is_front = bool(settings.others)
    if is_front:
        best = _on_front(part, settings, completed)
    else:
        best = completed[: _count(part, len(completed), top, fraction)]
    others = [trial for trial in part.trials if trial not in best and _was_tried(trial)]
    changes = list(_changes(part.spec, best, others, has_first=not is_front))
    edits, remarks = _edits(root, part, changes, best[0])
    which = "front, the best" if is_front else "best"
    return _Change(
        f"narrowed around the {which} {len(best)} of {len(completed)} trials of {part.name}",
        tuple(edits),
        tuple(f"{part.prefix}{remark}" for remark in remarks),
        any(change.settings for change in changes),
    )


def _on_front(part: _Part, settings: Settings, completed: Sequence[Trial]) -> list[Trial]:
    """Return the results that none dominates; where they are too few, those that only these do, and so on."""
    if len(completed) < ENOUGH:
        raise _too_few(f"{part.name}{_met(part.spec)}", len(completed), part.name)
    best = front_trials(settings, completed)
    while len(best) < FEWEST:
        best += front_trials(settings, [trial for trial in completed if trial not in best])
    return best


def _count(part: _Part, completed: int, top: int | None, fraction: float) -> int:
    if completed < ENOUGH:
        raise _too_few(f"{part.name}{_met(part.spec)}", completed, part.name)
    count = top if top is not None else max(FEWEST, math.ceil(fraction * completed))
    if not 2 <= count <= completed // 2:
        raise UsageError(
            f"the best {count} of {completed} completed trials say nothing of where the best lie: take from "
            f"2 to {completed // 2} of them"
        )
    return count


def _too_few(of_job: str, completed: int, job: str) -> HpoError:
    have = "1 trial has" if completed == 1 else f"{completed} trials have"
    return HpoError(
        f"{have} completed of {of_job}, and its ranges can be narrowed from {ENOUGH} on: with fewer "
        f"the best are the best by chance; add some with `hpo resume {job} --set limits.max_jobs=N`"
    )


def _was_tried(trial: Trial) -> bool:
    """Tell whether a trial says something about its values."""
    if trial.status is TrialStatus.FAILED:
        return trial.reason not in {Reason.LOST, Reason.NO_CAPACITY, Reason.COULD_NOT_START}
    return trial.status in {TrialStatus.COMPLETED, TrialStatus.PRUNED}


def _changes(
    spec: Spec, best: Sequence[Trial], others: Sequence[Trial], *, has_first: bool
) -> Iterator[Narrowed]:
    named = {name for model in spec.parameters.values() for name in model.when}
    for parameter in spec.space():
        found = narrowed(
            parameter,
            [trial.params for trial in best],
            [trial.params for trial in others],
            is_named=parameter.name in named,
            has_first=has_first,
        )
        if found is not None:
            yield found


def _edits(
    root: yaml.MappingNode, part: _Part, changes: Sequence[Narrowed], best: Trial
) -> tuple[list[TextEdit], list[str]]:
    """Return the edits that make the changes, with their comments, and all that is to be said of them."""
    edits: list[TextEdit] = []
    remarks: list[str] = []
    spec, parameters = part.spec, {parameter.name: parameter for parameter in part.spec.space()}
    around = _at(root, part.path)
    section = _at(around, ("parameters",))
    for change in changes:
        lines = list(why(change))
        node = _at(section, (change.name,))
        if change.settings:
            for key, value, remark in _entries(spec, parameters[change.name], change, best):
                edits.append(put(node, key, value))
                lines += [remark] if remark else []
        edits.append(commented(root, (*part.path, "parameters", change.name), lines))
        remarks += [f"{change.name}: {line}" for line in lines]
    if not any(change.settings for change in changes):
        return edits, [*remarks, "no range was changed: the best trials are spread over all of them"]
    if spec.initial:
        edits.append(put(around, "initial", []))
        remarks.append("initial: left out, as these values have been tried")
    return edits, remarks


def _at(root: yaml.MappingNode, path: Sequence[str]) -> yaml.MappingNode:
    """Return the mapping at a path of a spec that was found right."""
    node: yaml.Node | None = root
    for key in path:
        node = child(node, key) if node is not None else None
    if not isinstance(node, yaml.MappingNode):
        raise HpoError(f"the spec has no mapping `{dotted(path)}`")
    return node


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
        yield (
            "default",
            _written(default),
            f"default: {model.default!r} → {default!r}, that of trial {best.number}",
        )


def _nearest(parameter: Parameter, value: Scalar) -> Scalar:
    """Return a value of the parameter: this one, if it is one."""
    return value if parameter.contains(value) else parameter.from_unit(0.5)


def _written(value: Scalar) -> Scalar:
    """Return a value as it stands in a spec."""
    return escape(value) if isinstance(value, str) else value

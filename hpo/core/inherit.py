"""From the trials of earlier jobs to what a job begins with: pure, and the same however they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from hpo.core.prior import Kind, Parent, ParentReport, PastTrial, Prior, PriorTrial, WarmStart
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space, Values, identity


@dataclass(frozen=True, slots=True)
class Heir:
    """What of a job decides which past trials it can use, and how."""

    type: WarmStart
    space: Space
    fixed: Values


class _Fate(StrEnum):
    """What becomes of a completed past trial."""

    USED = "used"
    OUT_OF_RANGE = "out_of_range"
    BEYOND = "beyond"
    INCOMPLETE = "incomplete"
    DIFFERENT = "different"
    REPEATED = "repeated"
    UNCLAIMED = "unclaimed"


@dataclass(slots=True)
class _Tally:
    """What was found of one parent so far."""

    fates: Counter[_Fate] = field(default_factory=Counter)
    lacked: dict[str, Scalar] = field(default_factory=dict)
    ignored: dict[str, None] = field(default_factory=dict)
    outside: Counter[str] = field(default_factory=Counter)
    fixed: dict[str, None] = field(default_factory=dict)


def inherit(heir: Heir, parents: Sequence[Parent]) -> Prior:
    """Return what a job begins with: each parent's trials in its own space, none of them twice.

    A parameter that a trial had no value for is assumed to have had its default, or else the middle of its
    range, where the start is a transfer. A trial outside of the ranges is no result, and kept for jobs that
    come after; near to the ranges it is evidence of an identical start nonetheless.
    """
    return _inherited(heir.type, parents, lambda past, tally: _mapped(heir, past, tally))


def unclaimed(kind: WarmStart, parents: Sequence[Parent]) -> Prior:
    """Return what is kept of the parents' trials of an algorithm that the job has not."""
    return _inherited(kind, parents, lambda _past, _tally: (_Fate.UNCLAIMED, None))


_Mapping = Callable[[PastTrial, _Tally], tuple[_Fate, dict[str, Scalar] | None]]
"""What becomes of a trial, and its values in the job's space where it is of use."""


def _inherited(kind: WarmStart, parents: Sequence[Parent], mapped: _Mapping) -> Prior:
    seen: set[object] = set()
    reports, trials = [], []
    for position, parent in enumerate(parents):
        tally = _Tally()
        for past in parent.trials:
            key = (identity(past.params), past.values)
            fate, params = (_Fate.REPEATED, None) if key in seen else mapped(past, tally)
            seen.add(key)
            tally.fates[fate] += 1
            if fate is not _Fate.REPEATED:
                trials.append(PriorTrial(position, _scale(parent, past), past, params, fate is _Fate.BEYOND))
        reports.append(_report(parent, tally))
    return Prior(kind, tuple(reports), tuple(trials))


def _scale(parent: Parent, past: PastTrial) -> str:
    """Name the scale of a value: one parent's own, unless its own parents were but a hint to it."""
    return f"{parent.name} {past.job}" if parent.inherited is WarmStart.TRANSFER else parent.name


def _report(parent: Parent, tally: _Tally) -> ParentReport:
    fates = tally.fates
    return ParentReport(
        parent=parent.name,
        trials=len(parent.trials) + parent.failed + parent.unfinished + parent.infeasible,
        used=fates[_Fate.USED],
        failed=parent.failed,
        unfinished=parent.unfinished,
        infeasible=parent.infeasible,
        out_of_range=fates[_Fate.OUT_OF_RANGE] + fates[_Fate.BEYOND],
        beyond=fates[_Fate.BEYOND],
        incomplete=fates[_Fate.INCOMPLETE],
        different=fates[_Fate.DIFFERENT],
        repeated=fates[_Fate.REPEATED],
        unclaimed=fates[_Fate.UNCLAIMED],
        lacked=tally.lacked,
        ignored=tuple(tally.ignored),
        outside=dict(tally.outside),
        fixed=tuple(tally.fixed),
    )


def _mapped(heir: Heir, past: PastTrial, tally: _Tally) -> tuple[_Fate, dict[str, Scalar] | None]:
    """Return what becomes of a trial, and its values in the space where it is of use."""
    known = {parameter.name for parameter in heir.space} | heir.fixed.keys()
    tally.ignored.update(dict.fromkeys(name for name in past.params if name not in known))
    is_hint = heir.type is WarmStart.TRANSFER
    other = [n for n, value in heir.fixed.items() if n in past.params and not same(past.params[n], value)]
    tally.fixed.update(dict.fromkeys(other))
    if other and not is_hint:
        return _Fate.DIFFERENT, None
    known_values, values = dict(_known_values(heir, past)), dict[str, Scalar]()
    is_incomplete = False
    for parameter in heir.space.dependent:
        name = parameter.name
        if not heir.space.is_active(name, values):
            continue
        if name not in known_values:
            tally.lacked[name] = _assumed(heir.space, parameter) if is_hint else None
            is_incomplete = is_incomplete or not is_hint
        values[name] = known_values.get(name, tally.lacked.get(name))
    if is_incomplete:
        return _Fate.INCOMPLETE, None
    mapped = {parameter.name: values[parameter.name] for parameter in heir.space if parameter.name in values}
    if heir.space.contains(mapped):
        return _Fate.USED, mapped
    tally.outside.update(p.name for p in heir.space if p.name in mapped and not p.contains(mapped[p.name]))
    if not is_hint and heir.space.borders_on(mapped):
        return _Fate.BEYOND, mapped
    return _Fate.OUT_OF_RANGE, None


def _assumed(space: Space, parameter: Parameter) -> Scalar:
    """Return what a parameter is taken to have been where that is not known: its default, or the middle."""
    return space.defaults.get(parameter.name, parameter.from_unit(0.5))


def _known_values(heir: Heir, past: PastTrial) -> Iterator[tuple[str, Scalar]]:
    """Yield what a trial says of the space's parameters; a hint is taken to the nearest step."""
    is_hint = heir.type is WarmStart.TRANSFER
    for parameter in heir.space:
        if parameter.name not in past.params:
            continue
        value = _typed(parameter, past.params[parameter.name])
        if not is_hint:
            yield parameter.name, value
        elif _is_of_kind(parameter, value):  # else it was another kind of parameter there: nothing is known
            yield parameter.name, _stepped(parameter, value)


def _typed(parameter: Parameter, value: Scalar) -> Scalar:
    """Return a number as the parameter has it: 1 as 1.0, and 3.0 as 3."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    match parameter:
        case Continuous():
            return float(value)
        case Integer():
            return int(value) if float(value).is_integer() else value
        case Categorical():
            return value
        case _:
            assert_never(parameter)


def _is_of_kind(parameter: Parameter, value: Scalar) -> bool:
    if isinstance(parameter, Categorical):
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _stepped(parameter: Parameter, value: Scalar) -> Scalar:
    """Return the parameter's nearest value, where this one lies between two of them."""
    if isinstance(parameter, Categorical) or not isinstance(value, int | float):
        return value
    return parameter.snap(value) if parameter.low <= value <= parameter.high else value


def kind_of(parameter: Parameter) -> Kind:
    """Return what a parameter is tuned as."""
    match parameter:
        case Continuous():
            return Kind.CONTINUOUS
        case Integer():
            return Kind.INTEGER
        case Categorical():
            return Kind.CATEGORICAL
        case _:
            assert_never(parameter)


def same(value: Scalar, other: Scalar) -> bool:
    """Tell whether a program would take two values for the same: 10 and 10.0 are, 1 and true are not."""
    return isinstance(value, bool) is isinstance(other, bool) and value == other

"""Whether a job's parameters may become others while it runs: only ranges that lie within the old ones."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hpo.spec.models import Spec
from hpo.spec.nodes import dotted
from hpo.spec.space import Categorical, Continuous, Integer, Parameter

_RANGE = {"min", "max", "step", "values", "scaling", "default"}
"""What of a parameter may change, each under a rule of its own."""


def refused(old: Spec, new: Spec) -> Iterator[str]:
    """Yield why the parameters of `new` are no narrower ones than those of `old`, by their paths."""
    if list(old.algorithms) != list(new.algorithms):
        yield "algorithms: none may be added or taken away"
        return
    for prefix, before, after in _pairs(old, new):
        yield from (f"{prefix}{problem}" for problem in _refused(before, after))


def _pairs(old: Spec, new: Spec) -> Iterator[tuple[str, Spec, Spec]]:
    """Yield the two specs as each algorithm sees them, with what the paths of its keys begin with."""
    if not old.algorithms:
        yield "", old, new
    for name in old.algorithms:
        yield f"{dotted(('algorithms', name))}.", old.alone(name), new.alone(name)


def _refused(old: Spec, new: Spec) -> Iterator[str]:
    if list(old.parameters) != list(new.parameters):
        yield "parameters: none may be added or taken away; every trial has a value for each"
        return
    changed = [name for name in old.parameters if old.parameters[name] != new.parameters[name]]
    if changed and old.strategy.name == "grid":
        yield "parameters: a grid's cells are counted by its ranges, and its trials by its cells"
        return
    was, now = old.space(), new.space()
    for before, after in zip(was, now, strict=True):
        if before.name in changed:
            path = f"parameters.{dotted((before.name,))}"
            rest = (spec.parameters[before.name].model_dump(exclude=_RANGE) for spec in (old, new))
            first = (spec.parameters[before.name].default is None for spec in (old, new))
            if next(rest) != next(rest) or next(first) != next(first):
                yield f"{path}: only its range may change, not what it is"
            else:
                yield from (f"{path}{problem}" for problem in _wider(before, after))


def pins(old: Spec, new: Spec) -> Iterator[tuple[str, str]]:
    """Yield the paths of scalings, and the scalings, that `auto` no longer stands for in narrower ranges."""
    if list(old.algorithms) == list(new.algorithms):
        for prefix, before, after in _pairs(old, new):
            yield from ((f"{prefix}{path}", scaling) for path, scaling in _pins(before, after))


def _pins(old: Spec, new: Spec) -> Iterator[tuple[str, str]]:
    names = [name for name in old.parameters if name in new.parameters]
    was = {parameter.name: parameter for parameter in old.space()}
    now = {parameter.name: parameter for parameter in new.space()}
    for name in names:
        match was[name], now[name]:
            case (Continuous() | Integer()) as before, (Continuous() | Integer()) as after:
                same = old.parameters[name].model_dump().get("scaling")
                is_auto = same == new.parameters[name].model_dump().get("scaling") == "auto"
                if is_auto and before.scaling is not after.scaling:
                    yield f"parameters.{dotted((name,))}.scaling", before.scaling.value
            case _:
                pass


def _wider(old: Parameter, new: Parameter) -> Iterator[str]:
    match old, new:
        case Categorical(), Categorical():
            if added := [value for value in new.values if not old.contains(value)]:
                yield f".values: {', '.join(map(repr, added))} was no value of it before"
        case (Continuous() as before, Continuous() as after) | (Integer() as before, Integer() as after):
            yield from _wider_range(before, after)
        case _:
            yield ".type: it may not change"


def _wider_range(old: Continuous | Integer, new: Continuous | Integer) -> Iterator[str]:
    if new.scaling is not old.scaling:
        yield f".scaling: it may not change, and is {old.scaling.value}"
    if new.low < old.low:
        yield f".min: it may only be raised, and is {old.low!r}"
    if new.high > old.high:
        yield f".max: it may only be lowered, and is {old.high!r}"
    if old.step is None:
        return
    if new.step is None or Decimal(str(new.step)) % Decimal(str(old.step)):
        yield f".step: it may only become a multiple of itself, and is {old.step!r}"
    elif old.low <= new.low and not old.contains(new.low):
        yield f".min: it must be one of the values before, {old.low!r} and every {old.step!r} from there"

"""Ranges for another round: narrower ones around the best trials, wider ones where the best is at a bound."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hpo.spec.scaling import shrink, stretch
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Values

MARGIN = 0.25
LEAST_MARGIN = 0.1
"""What is left beside the best on either side: a share of their span, but so much of the range at least."""

AT_BOUND = 0.02
"""Share of a range within which the best value counts as lying on its bound."""

WIDER = 0.25
"""Share of a range by which it is widened there."""

WORTH_IT = 0.9
"""A range that would keep more than this share of itself stays as it is."""

BY_CHANCE = 0.25
"""A choice goes where it would be missing among the best by chance with a lower probability than this."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of a parameter, and what it was and is to be."""

    key: str  # min, max or values
    old: Scalar | tuple[Scalar, ...]
    new: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What another round should change of a parameter, and why, in words; or only what is to be known."""

    name: str
    settings: tuple[Setting, ...]
    remarks: tuple[str, ...]


def narrowed(
    parameter: Parameter,
    best: Sequence[Values],
    others: Sequence[Values],
    *,
    is_named: bool = False,
    has_first: bool = True,
) -> Narrowed | None:
    """Return what to change of a parameter, from the best trials, best first, and all other ones.

    None where nothing is to be changed or said. A choice that conditions name (`is_named`) stays. Where none
    of the best is the first one (`has_first`), as of a front, nothing is widened.
    """
    name = parameter.name
    top = [values[name] for values in best if name in values]
    if len(top) < 2:
        why = f"left as it is: only {len(top)} of the best {len(best)} trials have it"
        return Narrowed(name, (), (why,))
    match parameter:
        case Categorical():
            rest = [values[name] for values in others if name in values]
            return None if is_named else _choices(parameter, top, rest)
        case Continuous() | Integer():
            numbers = [float(value) for value in top if isinstance(value, int | float)]
            return _range(parameter, numbers, is_best_there=has_first and name in best[0])


def _choices(parameter: Categorical, top: Sequence[Scalar], rest: Sequence[Scalar]) -> Narrowed | None:
    """Leave out the choices that were tried often enough, and are not among the best."""
    kept, gone, hardly = [], [], []
    share = len(top) / (len(top) + len(rest))
    among = Counter(map(parameter.index, filter(parameter.contains, top)))
    tried = among + Counter(map(parameter.index, filter(parameter.contains, rest)))
    for index, value in enumerate(parameter.values):
        if among[index]:
            kept.append(value)
        elif (1.0 - share) ** tried[index] < BY_CHANCE:
            gone.append(f"{value!r} in none of the best {len(top)}, though tried {_times(tried[index])}")
        else:
            kept.append(value)
            hardly.append(f"{value!r} stays: tried only {_times(tried[index])}")
    remarks = (*gone, *hardly)
    settings = (Setting("values", parameter.values, tuple(kept)),) if gone else ()
    return Narrowed(parameter.name, settings, remarks) if remarks else None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _range(parameter: Continuous | Integer, top: Sequence[float], *, is_best_there: bool) -> Narrowed | None:
    low, high, scaling = parameter.low, parameter.high, parameter.scaling
    places = [min(max(shrink(value, low, high, scaling), 0.0), 1.0) for value in top]
    margin = max(LEAST_MARGIN, MARGIN * (max(places) - min(places)))
    first, last = max(0.0, min(places) - margin), min(1.0, max(places) + margin)
    remarks = [f"the best {len(top)} trials lie from {min(top):g} to {max(top):g}"]
    is_narrower = last - first <= WORTH_IT
    if not is_narrower:
        first, last = 0.0, 1.0
    on = _bound(parameter, places[0]) if is_best_there else None
    if on == "min":
        first = -WIDER
    if on == "max":
        last = 1.0 + WIDER
    new_low, new_high = _values(parameter, first, last)
    settings = [
        Setting(key, old, new)
        for key, old, new in (("min", low, new_low), ("max", high, new_high))
        if old != new
    ]
    if on is not None:
        is_wider = new_low < low or new_high > high
        bound = low if on == "min" else high
        remarks.append(
            f"the best value, {top[0]:g}, lies on {on}, {bound:g}"
            + ("" if is_wider else ", which is not moved, as what lies beyond may mean nothing: look at it")
        )
    if not settings and on is None:
        return None
    return Narrowed(parameter.name, tuple(settings), tuple(remarks if is_narrower else remarks[1:]))


def _bound(parameter: Continuous | Integer, place: float) -> str | None:
    """Return on which bound the best value lies; None where on neither."""
    steps = parameter.count
    share = max(AT_BOUND, 0.0 if steps is None else min(0.25, 0.5 / (steps - 1)))
    return "min" if place <= share else "max" if place >= 1.0 - share else None


def _values(parameter: Continuous | Integer, first: float, last: float) -> tuple[float, float]:
    """Return the bounds at two places of a range, which may lie outside of it, made round outwards.

    A range on one side of 0, or of 1, is not widened beyond that: a count, a probability or a factor
    would mean nothing there.
    """
    low, high, scaling = parameter.low, parameter.high, parameter.scaling
    least = stretch(first, low, high, scaling) if first else float(low)
    most = stretch(last, low, high, scaling) if last != 1.0 else float(high)
    least = max([least, *(mark for mark in (0.0, 1.0) if low >= mark)])
    most = min([most, *(mark for mark in (0.0, 1.0) if high <= mark)])
    if parameter.step is not None:
        return _on_steps(parameter, least, most)
    new_low = float(low) if not first else _round(parameter, least, ROUND_FLOOR)
    new_high = float(high) if last == 1.0 else _round(parameter, most, ROUND_CEILING)
    inside_low = new_low if first < 0.0 else max(new_low, float(low))
    inside_high = new_high if last > 1.0 else min(new_high, float(high))
    return inside_low, inside_high


def _on_steps(parameter: Continuous | Integer, least: float, most: float) -> tuple[float, float]:
    """Return the bounds as values that the steps lead to; there are at least two of them."""
    step, low = Decimal(str(parameter.step)), Decimal(str(parameter.low))
    is_wider = (least < parameter.low, most > parameter.high)
    first = (Decimal(repr(least)) - low) / step
    last = (Decimal(repr(most)) - low) / step
    begin = math.ceil(first - Decimal("1e-9")) if is_wider[0] else math.floor(first + Decimal("1e-9"))
    end = math.floor(last + Decimal("1e-9")) if is_wider[1] else math.ceil(last - Decimal("1e-9"))
    if begin == end:
        begin, end = (begin - 1, end) if begin > 0 else (begin, end + 1)
    return parameter.value_at(begin), parameter.value_at(end)


def _round(parameter: Continuous | Integer, value: float, towards: str) -> float:
    """Return a value with the digits that matter on its scaling: its own, or those of what it lies in."""
    match parameter.scaling.value:
        case "logarithmic":
            return _to_digits(value, value, towards, digits=2)
        case "reverse-logarithmic":
            other = ROUND_CEILING if towards == ROUND_FLOOR else ROUND_FLOOR
            return float(1 - Decimal(repr(_to_digits(1.0 - value, 1.0 - value, other, digits=2))))
        case _:
            return _to_digits(value, parameter.high - parameter.low, towards, digits=3)


def _to_digits(value: float, size: float, towards: str, *, digits: int) -> float:
    exponent = math.floor(math.log10(abs(size))) + 1 - digits if size else 0
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(exponent), rounding=towards))


def why(changes: Narrowed) -> Iterator[str]:
    """Yield what changes, old → new, each in a line, and then why."""
    for setting in changes.settings:
        yield f"{setting.key}: {_shown(setting.old)} → {_shown(setting.new)}"
    yield from changes.remarks


def _shown(value: Scalar | tuple[Scalar, ...]) -> str:
    return f"[{', '.join(map(repr, value))}]" if isinstance(value, tuple) else repr(value)

"""Scalings: how the values of a range are spread over the unit interval."""

from __future__ import annotations

import math
from enum import StrEnum


class Scaling(StrEnum):
    """How a range is spread over the unit interval."""

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"
    REVERSE_LOGARITHMIC = "reverse-logarithmic"


def automatic_scaling(low: float, high: float, *, integer: bool) -> Scaling:
    """Choose the scaling that `auto` stands for: logarithmic from a ratio of 100 between the bounds on.

    A range within [0, 1) whose distance to 1 shrinks by that ratio is reverse-logarithmic.
    """
    wide = 100 * (1 - 1e-9)  # 7 / 0.07 is a little less than 100
    if low > 0 and high / low >= wide:
        return Scaling.LOGARITHMIC
    if not integer and low >= 0 and high < 1 and (1 - low) / (1 - high) >= wide:
        return Scaling.REVERSE_LOGARITHMIC
    return Scaling.LINEAR


def widened(low: float, high: float, half: float, scaling: Scaling) -> tuple[float, float]:
    """Give the outermost values of a stepped range the same share as the inner ones."""
    if scaling is Scaling.LOGARITHMIC:
        return max(low - half, low / 2), high + half
    if scaling is Scaling.REVERSE_LOGARITHMIC:
        return low - half, min(high + half, (1 + high) / 2)
    return low - half, high + half


def stretch(u: float, low: float, high: float, scaling: Scaling) -> float:
    """Return the value of a range at `u` in [0, 1]."""
    match scaling:
        case Scaling.LINEAR:
            return low + u * (high - low)
        case Scaling.LOGARITHMIC:
            return math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
        case Scaling.REVERSE_LOGARITHMIC:
            return 1 - math.exp(math.log1p(-low) + u * (math.log1p(-high) - math.log1p(-low)))


def shrink(value: float, low: float, high: float, scaling: Scaling) -> float:
    """Return where a value lies: the inverse of `stretch`.

    It is below 0 or above 1 outside of the range, infinitely far where the scaling has no place for it.
    """
    match scaling:
        case Scaling.LINEAR:
            return (value - low) / (high - low)
        case Scaling.LOGARITHMIC:
            return math.log(value / low) / math.log(high / low) if value > 0.0 else -math.inf
        case Scaling.REVERSE_LOGARITHMIC:
            if value >= 1.0:
                return math.inf
            return (math.log1p(-value) - math.log1p(-low)) / (math.log1p(-high) - math.log1p(-low))

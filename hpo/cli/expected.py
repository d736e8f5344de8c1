"""The trial that is expected to be better than the best observed, in words."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

from hpo.cli import render
from hpo.errors import HpoError

if TYPE_CHECKING:
    from hpo.report.best import BestData
    from hpo.report.data import JobView
    from hpo.report.expected import ExpectedData

CONFIRMED = 3
"""Best trials that `hpo confirm` runs by itself."""

MOST_CONFIRMED = 10
"""Of more trials a confirmation is not proposed: each is run several times."""

MOST_DIGITS = 12
"""Digits before or after the point from which on a number is written with an exponent."""


def told_expected(job: JobView, algorithm: str | None = None) -> ExpectedData | None:
    """Return the trial that is expected to be better, and say what keeps the model from telling."""
    from hpo.wiring.expected import expected_of

    try:
        return expected_of(job, algorithm=algorithm)
    except HpoError as error:
        render.say(f"hpo: what the model expects cannot be told: {error}")
        return None


def expected_text(best: BestData, expected: ExpectedData) -> str:
    """Return in a sentence what the model expects, and what tells whether that is so."""
    deviation = expected["standard_deviation"]
    value, around, of_best = (
        _rounded(number, deviation) for number in (expected["value"], deviation, expected["expected_of_best"])
    )
    name, observed = _name(best["job"], best["trial"], best["origin"]), best["value"]
    return (
        f"{_name(best['job'], expected['trial'], expected['origin'])} may be better: the model expects "
        f"{value} ± {around} of it, and {of_best} of {name}, whose {observed:.6g} is partly luck"
        f"{_way(best, expected)}"
    )


def _rounded(number: float, deviation: float) -> str:
    """Return a number to the second digit of what it is off by."""
    digits = 1 - floor(log10(deviation)) if deviation else MOST_DIGITS
    if abs(digits) >= MOST_DIGITS:
        return render.short_number(number)
    return f"{number:.{max(0, digits)}f}"


def _name(job: str, trial: int, origin: str) -> str:
    return f"trial {trial}" if origin == job else f"trial {trial} of {origin}"


def _way(best: BestData, expected: ExpectedData) -> str:
    """Return how both are run again; nothing where a parent ran one, or too many would be."""
    is_own = {best["origin"], expected["origin"]} == {best["job"]}
    if not is_own or expected["rank"] > MOST_CONFIRMED:
        return ""
    top = f" --top {expected['rank']}" if expected["rank"] > CONFIRMED else ""
    return f"; `hpo confirm {best['job']}{top}` tells"

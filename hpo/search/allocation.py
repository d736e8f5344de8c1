"""Which of several algorithms gets the next trial.

First each gets its minimum, in turn; from then on the one with the highest index of MaxUCB (Balef, Vernade
and Eggensperger, Put CASH on Bandits: A Max K-Armed Problem for Automated Machine Learning, 2025): its best
value so far, and a bonus of (ALPHA · log t / n)² for its n of the t trials. An algorithm is judged by its
best, as that is what a job is for, and the bonus falls fast with its trials: one that is clearly worse is
tried ever more seldom, but never given up. The paper's values lie between 0 and 1; here the bonus is in units
of the distance from the best of all values to the algorithms' medians, in the mean, so that neither the scale
of the objective matters, nor how bad the worst values are, nor whose trials are the most. The results that an
identical start's parents have given count like the job's own.

Several objectives are weighed, each time otherwise, and then judged as if they were one (`chebyshev`), each
in its own unit as above. Every point of a front is the best under some weights. So an algorithm gets the
trials of the weights under which it is ahead: one that is best in a part of the front gets that part's share,
and one that is on no part of it ever fewer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hpo.search.attained import Losses
from hpo.search.chebyshev import Weighed
from hpo.search.standing import Standing

LEAST, MOST = 3, 6
"""Trials that each algorithm gets before they are compared: a quarter of all, but not fewer or more."""

ALPHA = 0.5
"""How much is tried out, as the paper recommends."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An algorithm for the next trial, and why."""

    name: str
    why: str


def minimum(max_jobs: int, algorithms: int) -> int:
    """Return how many trials each algorithm gets before they are compared."""
    return max(LEAST, min(MOST, max_jobs // (4 * algorithms)))


def ranked(standings: Sequence[Standing], first: int, weighed: Losses = (1.0,)) -> list[Choice]:
    """Return the algorithms in the order in which they are to get the next trial; of equal ones the first.

    `first` is the minimum of each; `weighed` is how much each objective weighs.
    """
    total = sum(standing.tried for standing in standings)
    scale = _scale(standings, weighed)
    known = {each.name: min(map(scale.loss, each.results.front)) for each in standings if each.results.front}
    medians = [scale.loss(each.results.median) for each in standings if each.results.front]
    best = min(known.values(), default=0.0)
    unit = max(0.0, sum(median / len(medians) for median in medians) - best) if medians else 0.0
    worst = max(medians, default=0.0)

    def order(standing: Standing) -> tuple[int, int, float, int]:
        bonus = unit * (ALPHA * math.log(max(1, total)) / max(1, standing.tried)) ** 2
        return *_turn(standing, first), known.get(standing.name, worst) - bonus, standing.tried

    return [Choice(each.name, _why(each, first, weighed)) for each in sorted(standings, key=order)]


def _scale(standings: Sequence[Standing], weighed: Losses) -> Weighed:
    """Return what makes one loss of several; without results it is of no use."""
    found = [standing.results for standing in standings if standing.results.front]
    best = tuple(map(min, zip(*(results.least for results in found), strict=True)))
    most = map(max, zip(*(results.greatest for results in found), strict=True))
    medians = zip(*(results.median for results in found), strict=True)
    units = tuple(
        sum(median - low for median in column) / len(column) or (high - low) or 1.0
        for column, low, high in zip(medians, best, most, strict=True)
    )
    return Weighed(weighed, best, units)


def _turn(standing: Standing, first: int) -> tuple[int, int]:
    """Return what sorts algorithms before their index does: who still has something to be tried first."""
    if standing.trials < standing.initial:
        return 0, standing.trials
    if standing.tried < first:
        return 1, standing.tried
    return 2, 0


def _why(standing: Standing, first: int, weighed: Losses) -> str:
    match _turn(standing, first)[0]:
        case 0:
            return ""
        case 1:
            included = ", its parents' included" if standing.inherited else ""
            return f"trial {standing.tried + 1} of the first {first} of {standing.name}{included}"
        case _:
            known = f" and {standing.inherited} of parents" if standing.inherited else ""
            shares = ", ".join(f"{weight:.2f}" for weight in weighed)
            where = f" where the objectives weigh {shares}" if len(weighed) > 1 else ""
            return f"{standing.name} promises most{where}, after {standing.trials} trials of it{known}"

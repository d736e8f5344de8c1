"""Which trial the model expects to be the best, where that is another one than the best observed.

Of many trials the best observed is partly the luckiest. The process by which proposals are made holds the
noise-free value of each trial for normally distributed, given all results: what it expects of a trial is
that value's mean (the choice of the best posterior mean: Frazier, A tutorial on Bayesian optimization, 2018,
section 4.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from threadpoolctl import threadpool_limits

from hpo.core.history import History
from hpo.core.prior import Known
from hpo.core.settings import Goal
from hpo.core.trial import Trial
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.evidence import HistoryEvidence
from hpo.search.bayesian.outputs import CappedScale
from hpo.search.bayesian.parents import Parents
from hpo.search.bayesian.surrogate import surrogate
from hpo.search.hints import Hints, inherited
from hpo.search.strategy import SearchContext
from hpo.search.uniform import derived_seed

NOISY = 0.05
"""Standard deviation of the noise, where results have 1, below which every value is taken as it is.

In a function without noise the model finds some, too: what it cannot follow. That is mostly less.
"""

TRIFLE = 0.1
"""Standard deviations of the noise: an expected difference that is less is none."""

SURE = 0.8
"""How likely it must be that another trial is better than the best observed."""


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What a model holds of the noise-free values of n trials, which are normally distributed.

    As losses in the objective's unit: `means`, shape (n,); `noises`, the standard deviations of what the
    observed values are off; `unit`, that of all results. `covariances`, shape (n, n), are those of the
    noise-free values where all results have variance 1.
    """

    trials: Sequence[Known]
    means: Array
    covariances: Array
    noises: Array
    unit: float

    def place(self, trial: Known) -> int | None:
        """Return the place of a trial; None where nothing is held of it."""
        return next((place for place, known in enumerate(self.trials) if known is trial), None)


@dataclass(frozen=True, slots=True)
class Expected:
    """A trial that is expected to be better than the best observed, by `probability`.

    `value` is what is expected of it, with a standard deviation, and `of_best` what of the best observed; in
    the objective's unit and direction.
    """

    trial: Known
    value: float
    deviation: float
    of_best: float
    probability: float


def beliefs(context: SearchContext, history: History) -> Beliefs | None:
    """Return what the model holds of the trials that may be the best, as the next one is proposed.

    It is the one by which proposals are made, on a linear scale: so noise is the same for good and bad
    trials, and what is held of them is in the objective's unit. Of more than `surrogate.KNOWN` results it has
    the best half of those, and some others. None where there is no result, or they are equal.
    """
    encoding, prior = Encoding(context.space), context.prior
    found = HistoryEvidence(encoding, history, prior)
    found.catch_up()
    number = len(history.trials) + 1
    evidence = found.evidence(number)
    if not len(evidence.losses) or found.misses_all:
        return None
    trials: list[Known] = [*inherited(context.space, prior), *(history.trials[n] for n in found.results)]
    random = np.random.default_rng(derived_seed(context.seed, number))
    places = evidence.known(random)
    evidence = evidence.of(places)
    scale = CappedScale.of(evidence.losses)
    if not 0.0 < scale.unit < math.inf:
        return None
    errors = np.array([_error(trials[place]) for place in places if place < len(trials)])
    others = evidence.doubts[len(errors) :]  # which come last
    evidence = replace(evidence, doubts=np.concatenate([(errors / scale.unit) ** 2, others]))
    hints = Hints(context.space, prior, history.goal)
    mean = Parents(encoding, hints.orders).mean(hints.trust(history))
    with threadpool_limits(limits=1, user_api="blas"):  # sums in their order, as for proposals
        process = surrogate(encoding, evidence, scale.values, random, mean)
        may_be_best = np.flatnonzero((places < len(trials)) & ~evidence.misses)
        seen = process.project(encoding.features(evidence.points[may_be_best]))
        covariances = process.covariance(seen, seen)
    return Beliefs(
        trials=[trials[place] for place in places[may_be_best]],
        means=scale.losses(seen.mean),
        covariances=covariances,
        noises=scale.unit * np.sqrt(process.kernel.noise + evidence.doubts[may_be_best]),
        unit=scale.unit,
    )


def _error(known: Known) -> float:
    """Return the standard error of a trial's repeats, in the objective's unit; 0 where it is not told."""
    return known.standard_error or 0.0 if isinstance(known, Trial) else 0.0


def expected(parts: Sequence[Beliefs], observed: Known, goal: Goal) -> Expected | None:
    """Return the trial with the best mean, where that is another one than the best observed, and by enough.

    `parts` are of one space each; between two of them nothing is shared. None also where there is hardly
    any noise, or nothing is held of the best observed.
    """
    own = next((part for part in parts if part.place(observed) is not None), None)
    if own is None:
        return None
    place = own.place(observed) or 0
    part = min(parts, key=lambda part: float(part.means.min()))
    best = int(np.argmin(part.means))
    gain, noise = float(own.means[place] - part.means[best]), float(own.noises[place])
    if noise < NOISY * own.unit or gain < TRIFLE * noise:
        return None
    ratio, variance = part.unit / own.unit, max(0.0, float(part.covariances[best, best]))
    shared = float(own.covariances[place, best]) if part is own else 0.0
    apart = float(own.covariances[place, place]) + ratio**2 * variance - 2.0 * shared
    deviation = own.unit * math.sqrt(max(0.0, apart))
    probability = NormalDist().cdf(gain / deviation) if deviation else 1.0
    if probability < SURE:
        return None
    sign = goal.sign
    return Expected(
        trial=part.trials[best],
        value=sign * float(part.means[best]),
        deviation=part.unit * math.sqrt(variance),
        of_best=sign * float(own.means[place]),
        probability=probability,
    )

"""What the model expects of trials: nothing new without noise, and what repeats tell of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Run, RunState, Trial, TrialStatus
from hpo.search.bayesian.expected import Beliefs, Expected, beliefs, expected
from hpo.search.bayesian.outputs import CappedScale
from hpo.search.bayesian.surrogate import KNOWN
from hpo.search.strategy import SearchContext
from hpo.spec.space import Categorical, Continuous, Integer, Space, Values
from tests.search.conftest import Function, Rehearse

LOSS = Objective("loss", Goal.MINIMIZE)
CUBE = Space(tuple(Continuous(f"x{axis}", -1.0, 1.0) for axis in range(3)))
LINE = Space((Continuous("x", 0.0, 1.0),))
MIXED = Space((Categorical("kind", ("a", "b", "c")), Integer("width", 1, 40), Continuous("x", 0.0, 1.0)))


def numbers(values: Values) -> list[float]:
    return [float(value) for value in values.values() if isinstance(value, int | float)]


def bowl(values: Values) -> float:
    return sum((value - 0.3) ** 2 for value in numbers(values))


def steps(values: Values) -> float:
    return math.floor(8 * bowl(values)) / 8


def mixed(values: Values) -> float:
    width, x = numbers(values)
    return abs(width - 17) / 40 + (x - 0.3) ** 2 + 0.3 * "abc".index(str(values["kind"]))


def held(space: Space, trials: Sequence[Trial], *, seed: int = 1) -> Beliefs:
    found = beliefs(SearchContext(space, seed, LOSS, len(trials)), History.of(LOSS, trials))
    assert found is not None
    return found


def best_of(trials: Sequence[Trial]) -> Trial:
    return min(trials, key=lambda trial: trial.value if trial.value is not None else math.inf)


def found(space: Space, trials: Sequence[Trial], *, seed: int = 1) -> Expected | None:
    return expected([held(space, trials, seed=seed)], best_of(trials), LOSS.goal)


@pytest.mark.parametrize("strategy", ["bayesian", "random"])
@pytest.mark.parametrize(
    ("space", "function"), [(CUBE, bowl), (CUBE, steps), (MIXED, mixed)], ids=["bowl", "steps", "mixed"]
)
def test_without_noise_no_trial_that_did_worse_is_expected_to_be_better(
    rehearse: Rehearse, strategy: str, space: Space, function: Function
) -> None:
    for seed in range(3):
        trials = rehearse(strategy, space, function, seed=seed, max_jobs=24).run(24).trials
        other = found(space, trials, seed=seed)  # on a plateau it may be one that did as well
        assert other is None or value_of(other) == best_of(trials).value


def value_of(other: Expected) -> float | None:
    return other.trial.value if isinstance(other.trial, Trial) else other.trial.past.value


def on_line(errors: Sequence[float], *, doubtful: int = 0, off: float = 0.0) -> list[Trial]:
    """Return trials at even distances with three repeats each, those of one of them `off` on either side."""
    trials = []
    for number, error in enumerate(errors, 1):
        x = number / (len(errors) + 1)
        spread = off if number == doubtful else 1e-4
        value = (x - 0.3) ** 2 + error
        runs = [
            Run(repeat, RunState.SUCCEEDED, repeat=repeat, value=value + (repeat - 2) * spread)
            for repeat in (1, 2, 3)
        ]
        status = TrialStatus.COMPLETED
        trials.append(Trial(number, {"x": x}, "", status, value=value, runs=tuple(runs), place=number))
    return trials


def test_the_spread_of_its_repeats_tells_how_far_a_trial_s_value_is_luck() -> None:
    lucky = [0.0] * 15
    lucky[8] = -0.1
    trials = on_line(lucky, doubtful=9, off=0.2)
    better = found(LINE, trials)
    assert best_of(trials).number == 9
    assert better is not None
    assert better.trial is best_of([trial for trial in trials if trial.number != 9])
    assert better.of_best == pytest.approx((trials[8].params["x"] - 0.3) ** 2, abs=0.02)  # type: ignore[operator]
    assert found(LINE, on_line([0.0] * 15)) is None


def test_what_is_expected_of_good_trials_is_in_the_objectives_unit() -> None:
    errors = [0.02 * (-1) ** number for number in range(30)]
    scaled = [replace(trial, value=1000 * (trial.value or 0.0) + 7e5) for trial in on_line(errors)]
    as_it_is, other = held(LINE, on_line(errors)), held(LINE, scaled)
    best = int(as_it_is.means.argmin())
    assert other.means[best] == pytest.approx(1000 * as_it_is.means[best] + 7e5, rel=1e-4)


def test_between_two_spaces_the_best_mean_of_either_counts() -> None:
    noisy = on_line([0.03 * (-1) ** number for number in range(30)])
    lucky = replace(noisy[25], number=31, value=-0.06)
    good = held(LINE, noisy)
    other = held(LINE, [*noisy[12:25], lucky, *noisy[26:]])
    better = expected([good, other], lucky, LOSS.goal)
    assert better is not None
    assert better.trial is good.trials[int(good.means.argmin())]
    assert expected([other], noisy[0], LOSS.goal) is None  # of which nothing is held


def test_equal_values_tell_nothing() -> None:
    trials = [replace(trial, value=1.0) for trial in on_line([0.0] * 12)]
    assert beliefs(SearchContext(LINE, 1, LOSS, 12), History.of(LOSS, trials)) is None


def test_of_many_trials_the_best_are_among_those_that_are_looked_at() -> None:
    trials = on_line([0.02 * (-1) ** number for number in range(2 * KNOWN)])
    many = held(LINE, trials)
    assert len(many.trials) == KNOWN
    by_value = sorted(trials, key=lambda trial: trial.value or 0.0)
    assert all(many.place(trial) is not None for trial in by_value[: KNOWN // 2])


@pytest.mark.parametrize("size", [1e-200, 1e-3, 1.0, 1e200])
def test_losses_come_back_from_their_scale(size: float) -> None:
    import numpy as np

    losses = size * np.array([3.0, 1.0, 2.5, 4.0, 2.0, 3.5, 1.5, 1000.0])
    scale = CappedScale.of(losses)
    assert scale.losses(scale.values)[:7] == pytest.approx(losses[:7], rel=1e-9)
    assert losses[5] < scale.losses(scale.values)[7] < 10 * size
    assert scale.losses(scale.values[1:2] - 1.0)[0] == pytest.approx(losses[1] - scale.unit)

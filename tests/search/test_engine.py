"""The Bayesian engine by itself: its formulas against others, its proposals for odd evidence."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import norm

from hpo.search.bayesian.acquisition import ExpectedImprovement, log_improvement
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.search.bayesian.engine import Engine
from hpo.search.bayesian.kernel import Kernel, NoiseBelief, start
from hpo.search.bayesian.outputs import tail_compressed
from hpo.search.bayesian.process import GaussianProcess, Likelihood, Observed, fitted
from hpo.search.bayesian.pull import Pull
from hpo.search.bayesian.start import POINTS, Start
from hpo.search.bayesian.subset import subset
from hpo.search.bayesian.surrogate import Evidence
from hpo.spec.conditions import Condition
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space

SPACE = Space(
    (
        Continuous("rate", 1e-4, 1.0, Scaling.LOGARITHMIC),
        Integer("width", 1, 9, step=2),
        Categorical("kind", ("a", "b", "c")),
        Continuous("momentum", 0.0, 1.0),
    ),
    {"momentum": (Condition("kind", ("a", "c")),)},
)
ENCODING = Encoding(SPACE)


def points(count: int, seed: int = 1) -> Array:
    return ENCODING.snapped(np.random.default_rng(seed).random((count, len(SPACE))))


def observed(count: int, seed: int = 1) -> Observed:
    where = points(count, seed)
    values = tail_compressed((where[:, 0] - 0.3) ** 2 + where[:, 1] + np.sin(9 * where[:, 3]))
    return Observed(ENCODING.features(where), values, ENCODING.axis_of, np.full(count, 0.01))


def evidence(
    where: Array, losses: Array, *, failed: Array | None = None, pending: Array | None = None
) -> Evidence:
    none = np.empty((0, where.shape[1]))
    return Evidence(
        points=where,
        losses=losses,
        doubts=np.zeros(len(losses)),
        misses=np.zeros(len(losses), dtype=bool),
        beyond=np.zeros(len(losses), dtype=bool),
        seconds=np.full(len(losses), np.nan),
        failed=none if failed is None else failed,
        pending=none if pending is None else pending,
    )


def ranked(given: Evidence, number: int = 40) -> Array:
    return Engine(ENCODING).ranked(given, number=number, random=np.random.default_rng(number))


# -- encoding


def test_points_and_values_are_each_others_inverse() -> None:
    for point in points(200):
        values = ENCODING.values(point)
        assert SPACE.contains(values)
        assert np.allclose(ENCODING.point(values), point, atol=1e-9)
        assert ENCODING.values(ENCODING.point(values)) == pytest.approx(values)


def test_points_are_snapped_to_steps_and_inactive_parameters_lie_in_the_middle() -> None:
    where = points(300)
    assert len(np.unique(where[:, 1])) == 5
    assert len(np.unique(where[:, 2])) == 3
    inactive = where[:, 2] == 0.5  # b is the middle one
    assert set(where[inactive, 3]) == {0.5}
    assert len(set(where[~inactive, 3])) > 100


def test_a_parameter_is_inactive_with_its_parent_whatever_the_middle_of_that_is() -> None:
    chain = Space(
        (Categorical("a", (1, 2, 3)), Categorical("b", (1, 2, 3)), Continuous("c", 0.0, 1.0)),
        {"b": (Condition("a", (1,)),), "c": (Condition("b", (2,)),)},
    )
    where = Encoding(chain).snapped(np.array([[0.9, 0.5, 0.1], [0.1, 0.5, 0.1]]))
    assert where[0].tolist() == pytest.approx([5 / 6, 0.5, 0.5])
    assert where[1].tolist() == pytest.approx([1 / 6, 0.5, 0.1])


def test_any_two_categories_are_as_far_from_each_other() -> None:
    where = np.array([[0.2, 0.1, kind, 0.5] for kind in (1 / 6, 0.5, 5 / 6)])
    features = ENCODING.features(where)
    apart = ((features[:, None] - features[None]) ** 2).sum(-1)
    assert apart == pytest.approx(1.0 - np.eye(3))


# -- the process


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("belief", [NoiseBelief(), NoiseBelief(rate=1.0)])
def test_the_likelihood_s_gradient_is_the_slope_of_its_value(seed: int, belief: NoiseBelief) -> None:
    likelihood = Likelihood(observed(15, seed), belief)
    theta = start(len(SPACE)) + np.random.default_rng(seed).normal(0.0, 1.0, len(SPACE) + 2)
    slope = approx_fprime(theta, lambda at: likelihood(at)[0], 1e-6)
    assert likelihood(theta)[1] == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_the_posterior_is_that_of_the_textbook() -> None:
    """Rasmussen and Williams, equations 2.25 and 2.26, with the inverse of the matrix written out."""
    known, kernel = observed(12), Kernel(np.array([2.0, 0.5, 1.0, 4.0]), 1.3, 0.05)
    where = ENCODING.features(points(7, seed=2))
    scale = np.sqrt(kernel.weights)[ENCODING.axis_of]
    scaled, others = known.features * scale, where * scale
    inverse = np.linalg.inv(kernel.covariance(scaled, scaled) + np.diag(known.doubt + kernel.noise + 1e-8))
    cross = kernel.covariance(others, scaled)
    said = GaussianProcess(known, kernel).project(where)
    assert said.mean == pytest.approx(cross @ inverse @ known.values, abs=1e-9)
    variance = kernel.signal - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    assert said.variance == pytest.approx(variance, abs=1e-9)


def test_a_fit_is_likelier_than_its_start_and_the_same_again() -> None:
    known = observed(30)
    kernel = fitted(known)
    theta = np.log([*kernel.weights, kernel.signal, kernel.noise])
    likelihood = Likelihood(known, NoiseBelief())
    assert likelihood(theta)[0] < likelihood(start(len(SPACE)))[0]
    again = fitted(known)
    assert np.array_equal(again.weights, kernel.weights)


# -- the acquisition


@pytest.mark.parametrize("z", [-30.0, -12.1, -11.9, -6.0, -1.0, 0.0, 3.0])
def test_improvement_is_the_integral_that_it_stands_for(z: float) -> None:
    if z < -20:  # beyond what can be integrated: the series of the tail
        expected = norm.logpdf(z) - 2.0 * math.log(-z) + math.log1p(-3.0 / z**2)
    else:
        expected = math.log(quad(lambda x: (z - x) * norm.pdf(x), -40.0, z, epsabs=0.0)[0])
    assert log_improvement(np.array([z]))[0] == pytest.approx(expected, abs=2e-3)


def test_what_is_pending_promises_nothing_more() -> None:
    known = observed(20)
    process = GaussianProcess(known, fitted(known))
    where = points(300, seed=3)
    seen = process.project(ENCODING.features(where))
    normals = norm.ppf(np.random.default_rng(0).random((3, 16)))
    alone = ExpectedImprovement(
        process, float(known.values.min()), process.project(known.features[:0]), normals
    )
    place = int(np.argmax(alone(seen)))
    beside = alone.beside(seen.only(place))
    assert beside(seen)[place] < alone(seen)[place] - 3.0
    far = int(np.argmax(((where - where[place]) ** 2).sum(1)))
    assert beside(seen)[far] == pytest.approx(alone(seen)[far], abs=1.5)


def test_where_there_is_no_noise_the_drawn_values_are_those_observed() -> None:
    known = replace(observed(20), doubt=np.zeros(20))
    fit = fitted(known)
    process = GaussianProcess(known, Kernel(fit.weights, fit.signal, 1e-8))
    seen, trials = process.project(ENCODING.features(points(300, seed=3))), process.project(known.features)
    normals = norm.ppf(np.random.default_rng(0).random((20, 16)))
    drawn = ExpectedImprovement(process, math.inf, trials, normals)(seen)
    told = ExpectedImprovement(
        process, float(known.values.min()), process.project(known.features[:0]), normals
    )(seen)
    assert np.abs(drawn - told)[told > -10.0].max() < 0.3


def test_where_there_is_noise_the_luckiest_trial_is_not_what_is_to_be_improved_on() -> None:
    known = observed(20)
    values = known.values.copy()
    values[3] -= 2.0
    fit = fitted(known)
    process = GaussianProcess(replace(known, values=values), Kernel(fit.weights, fit.signal, 1.0))
    seen, trials = process.project(ENCODING.features(points(300, seed=3))), process.project(known.features)
    normals = norm.ppf(np.random.default_rng(0).random((20, 16)))
    drawn = ExpectedImprovement(process, math.inf, trials, normals)(seen)
    told = ExpectedImprovement(process, float(values.min()), process.project(known.features[:0]), normals)(
        seen
    )
    assert drawn.max() > told.max()


def test_the_pull_says_nothing_of_conditional_parameters_nor_of_categories() -> None:
    where = points(20)
    pull = Pull(where, where[:, 0], ENCODING.is_free)
    moved = where.copy()
    moved[:, 2:] = points(20, seed=2)[:, 2:]
    assert np.array_equal(pull(moved), pull(where))
    assert not np.array_equal(pull(points(20, seed=2)), pull(where))


# -- proposals


LOSSES = st.sampled_from([0.0, 1.0, -1e308, 1e308, 1e-300, 0.1 + 1e-15, 0.1])


@settings(max_examples=40, derandomize=True, database=None)
@given(
    st.lists(LOSSES, min_size=1, max_size=12),
    st.integers(0, 3),
    st.integers(0, 8),
    st.integers(1, 99),
    st.booleans(),
)
def test_whatever_is_known_proposals_are_configurations(
    losses: list[float], failed: int, pending: int, number: int, same: bool
) -> None:
    where = points(len(losses) + failed + pending, seed=number)
    if same:
        where = where[:1].repeat(len(where), axis=0)
    given = evidence(
        where[: len(losses)],
        np.array(losses),
        failed=where[len(losses) : len(losses) + failed],
        pending=where[len(losses) + failed :],
    )
    proposals = ranked(given, number)
    assert len(proposals) > 100
    assert np.isfinite(proposals).all()
    assert all(SPACE.contains(ENCODING.values(point)) for point in proposals[:20])
    assert np.array_equal(proposals, ranked(given, number))


def test_many_trials_are_modelled_by_some_of_them() -> None:
    where = points(3_000)
    proposals = ranked(evidence(where, (where[:, 0] - 0.7) ** 2 + where[:, 1]))
    assert abs(proposals[0, 0] - 0.7) < 0.1
    assert proposals[0, 1] == where[:, 1].min()


def test_a_subset_has_the_best_and_others() -> None:
    losses = np.random.default_rng(1).permutation(1_000).astype(float)
    chosen = subset(losses, 100, np.random.default_rng(2))
    assert len(set(chosen.tolist())) == 100
    assert sorted(losses[chosen])[:50] == list(range(50))
    assert max(losses[chosen]) > 900


def test_where_what_is_required_is_missed_is_closed_like_where_trials_fail() -> None:
    where = points(40)
    losses = where[:, 0]  # the lower the better, and all below 0.4 misses what is required
    given = evidence(where, losses)
    missed = replace(given, misses=where[:, 0] < 0.4)
    assert ranked(given)[0, 0] < 0.1
    assert 0.3 < ranked(missed)[0, 0] < 0.6


@pytest.mark.parametrize(
    ("outside", "low", "high"), [((1.1, 1.3, 1.6), 0.9, 1.0), ((-0.6, -0.3, -0.1), 0.0, 0.1)]
)
def test_what_lies_outside_of_the_space_tells_where_in_it_to_look(
    outside: tuple[float, ...], low: float, high: float
) -> None:
    line = Encoding(Space((Continuous("x", 0.0, 1.0),)))
    where = np.array([[0.1], [0.3], [0.5], [0.7], [0.9], *([x] for x in outside)])
    losses = np.array([0.5, 0.51, 0.5, 0.51, 0.5, 0.2, 0.1, 0.2])  # nothing within will be as good
    given = replace(evidence(where, losses), beyond=(where[:, 0] < 0.0) | (where[:, 0] > 1.0))
    for number in range(9, 12):
        random = np.random.default_rng(number)
        first = Engine(line).ranked(given, number=number, random=random, explores=False)[0, 0]
        assert low <= first <= high


@pytest.mark.parametrize("dimensions", [1, 3, 40])
def test_the_first_trials_are_spread_evenly_over_every_parameter(dimensions: int) -> None:
    space = Space(tuple(Continuous(f"x-{axis}", 0.0, 1.0) for axis in range(dimensions)))
    first = Start(space, seed=3)
    for count in (8, POINTS):
        where = np.array([first.point(number) for number in range(1, count + 1)])
        parts = np.sort((where * count).astype(int), axis=0)
        if count == POINTS or dimensions < 30:  # past the sequence's own axes only all 16 are even
            assert (parts == np.arange(count)[:, None]).all()
    assert Start(space, seed=4).point(1) != first.point(1)


# -- a prior mean


def test_a_process_returns_to_its_mean_away_from_its_values_and_models_the_difference() -> None:
    def mean(features: Array) -> Array:
        return 3.0 * features[:, 0]

    given = observed(12)
    kernel = Kernel.of(start(len(SPACE)))
    features = ENCODING.features(points(20, seed=2))
    differences = Observed(given.features, given.values - mean(given.features), given.axis_of, given.doubt)
    with_mean, without = GaussianProcess(given, kernel, mean), GaussianProcess(differences, kernel)
    assert with_mean.project(features).mean == pytest.approx(without.project(features).mean + mean(features))
    assert with_mean.project(features).variance == pytest.approx(without.project(features).variance)
    far = features + 1e3
    assert with_mean.project(far).mean == pytest.approx(mean(far))


def test_what_is_expected_beforehand_decides_between_what_is_alike() -> None:
    few = evidence(points(4), np.array([1.0, 1.1, 0.9, 1.0]))

    def first(sign: float) -> float:
        best = Engine(ENCODING).ranked(
            few, number=1, random=np.random.default_rng(1), mean=lambda f: sign * 4.0 * f[:, 0]
        )
        return float(best[0, 0])

    assert first(1.0) + 0.2 < first(-1.0)

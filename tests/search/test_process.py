"""The Gaussian process and the improvement that is expected of it, against the formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import norm

from hpo.search.bayesian.acquisition import ExpectedImprovement, log_improvement
from hpo.search.bayesian.encoding import Array
from hpo.search.bayesian.kernel import Kernel, NoiseBelief, start
from hpo.search.bayesian.process import GaussianProcess, Likelihood, Observed, fitted
from tests.search.evidence import ENCODING, SPACE, observed, points

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

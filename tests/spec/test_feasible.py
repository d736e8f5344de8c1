"""Configurations that keep to constraints: drawn, surveyed, and completed from some values."""

from __future__ import annotations

from random import Random
from statistics import mean

import pytest

from hpo.spec.conditions import Condition
from hpo.spec.expression import parse
from hpo.spec.feasible import FeasibleDraws, completed, survey
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space
from hpo.spec.tuned import domains_of, first_configurations


def space(*parameters: Parameter, constraints: tuple[str, ...] = (), **conditions: Condition) -> Space:
    domains = domains_of({parameter.name: parameter for parameter in parameters})
    return Space(
        parameters,
        {name: (condition,) for name, condition in conditions.items()},
        tuple(parse(text, domains) for text in constraints),
    )


X, Y = Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0)
KIND = Categorical("kind", ("sgd", "adam"))
MOMENTUM = Continuous("momentum", 0.0, 0.9)
NESTEROV = Categorical("nesterov", (True, False))
SGD = Condition("kind", ("sgd",))


def test_draws_are_uniform_over_what_fits() -> None:
    triangle = space(X, Y, constraints=("x + y <= 1",))
    draws = [FeasibleDraws(triangle).draw(Random(seed)) for seed in range(2000)]
    assert all(values is not None and triangle.contains(values) for values in draws)
    xs = [values["x"] for values in draws if values is not None]
    assert mean(x for x in xs if isinstance(x, float)) == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("bound", [0.05, 0.01])
def test_where_hardly_anything_fits_something_is_drawn_all_the_same(bound: float) -> None:
    corner = space(X, Y, KIND, MOMENTUM, constraints=(f"x + y <= {bound}",), momentum=SGD)
    draws = [FeasibleDraws(corner).draw(Random(seed)) for seed in range(12)]
    assert all(values is not None and corner.contains(values) for values in draws)
    assert len({str(values) for values in draws}) == 12
    assert {values["kind"] for values in draws if values is not None} == {"sgd", "adam"}


def test_in_a_finite_space_all_that_fits_is_drawn() -> None:
    line = space(Integer("a", 0, 99), Integer("b", 0, 99), constraints=("a == b + 90",))
    draws = [FeasibleDraws(line).draw(Random(seed)) for seed in range(200)]
    assert {values["b"] for values in draws if values is not None} == set(range(10))


def test_where_nothing_fits_nothing_is_drawn() -> None:
    assert FeasibleDraws(space(Integer("a", 0, 9), constraints=("a < 0",))).draw(Random(1)) is None
    assert FeasibleDraws(space(X, constraints=("x < 0",))).draw(Random(1)) is None


def test_a_survey_counts_what_fits() -> None:
    found = survey(space(Integer("a", 1, 10), Integer("b", 1, 10), constraints=("a * b <= 4", "a < 99")))
    assert (found.fitting, found.of, found.is_exact) == (8, 100, True)
    assert found.text == "8 of 100 configurations keep to the constraints"
    found = survey(space(X, Y, constraints=("x + y <= 1",)))
    assert found.of == 1000
    assert not found.is_exact
    assert found.fitting == pytest.approx(500, abs=50)
    assert survey(space(X, Y, constraints=("x == y",))).fitting == 0


def test_a_survey_finds_values_of_the_wrong_kind() -> None:
    depth = Categorical("depth", (None, 3, 5))
    assert survey(space(depth, constraints=("depth < 5",))).mismatches == {
        0: "`depth` is null there, and no number"
    }
    assert survey(space(depth, constraints=("depth == null or depth < 5",))).mismatches == {}


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ({}, {"kind": "adam", "x": 0.5}),
        ({"x": 0.1}, {"kind": "adam", "x": 0.1}),
        ({"kind": "sgd"}, {"kind": "sgd", "momentum": 0.45, "nesterov": False, "x": 0.5}),
        ({"momentum": 0.3}, {"kind": "sgd", "momentum": 0.3, "nesterov": False, "x": 0.5}),
        ({"nesterov": True}, {"kind": "sgd", "momentum": 0.45, "nesterov": True, "x": 0.5}),
    ],
)
def test_what_is_missing_is_in_the_middle_and_active(
    given: dict[str, Scalar], whole: dict[str, Scalar]
) -> None:
    nested = space(KIND, MOMENTUM, NESTEROV, X, momentum=SGD, nesterov=SGD)
    assert completed(nested, given) == whole


def test_defaults_go_before_the_middle() -> None:
    plain = space(KIND, MOMENTUM, X, momentum=SGD)
    chosen = Space(plain.parameters, plain.conditions, (), {"kind": "sgd", "momentum": 0.9})
    assert completed(chosen, {}) == {"kind": "sgd", "momentum": 0.9, "x": 0.5}
    assert completed(chosen, {"kind": "adam"}) == {"kind": "adam", "x": 0.5}
    assert first_configurations(chosen, [{"x": 0.0}, {"momentum": 0.9}]) == (
        {"kind": "sgd", "momentum": 0.9, "x": 0.5},
        {"kind": "sgd", "momentum": 0.9, "x": 0.0},
    )
    assert first_configurations(plain, []) == ()


def test_where_the_middle_breaks_a_constraint_something_near_is_taken() -> None:
    corner = space(X, Y, constraints=("x + y <= 0.8",))
    values = completed(corner, {})
    assert corner.contains(values)
    assert values == completed(corner, {})
    assert all(isinstance(value, float) and 0.3 < value < 0.5 for value in values.values())
    assert completed(corner, {"x": 0.75})["x"] == 0.75


def test_what_cannot_be_completed_is_refused() -> None:
    tied = space(KIND, MOMENTUM, X, constraints=("x < 0.7",), momentum=SGD)
    with pytest.raises(
        ValueError, match="`momentum` is not active with these values: it is where kind is sgd"
    ):
        completed(tied, {"kind": "adam", "momentum": 0.1})
    with pytest.raises(ValueError, match=r"it breaks the constraint `x < 0\.7`"):
        completed(tied, {"x": 0.8})

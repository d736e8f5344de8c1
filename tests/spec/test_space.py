"""The search space: what is drawn from it, and which values it has."""

import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo.spec.conditions import Condition
from hpo.spec.scaling import Scaling, automatic_scaling
from hpo.spec.space import (
    Categorical,
    Continuous,
    Integer,
    Parameter,
    Space,
    Values,
    identity,
)


def _distance(sample: Sequence[float], distribution: Callable[[float], float]) -> float:
    """Return the Kolmogorov-Smirnov statistic: the largest gap between two distribution functions."""
    count = len(sample)
    return max(
        max((rank + 1) / count - distribution(value), distribution(value) - rank / count)
        for rank, value in enumerate(sorted(sample))
    )


DRAWS = 5_000
CRITICAL = 1.95 / math.sqrt(DRAWS)  # for a chance of one in a thousand; the seed is fixed

LOW, HIGH = 0.001, 0.9
DISTRIBUTIONS: dict[Scaling, Callable[[float], float]] = {
    Scaling.LINEAR: lambda x: (x - LOW) / (HIGH - LOW),
    Scaling.LOGARITHMIC: lambda x: math.log(x / LOW) / math.log(HIGH / LOW),
    Scaling.REVERSE_LOGARITHMIC: lambda x: math.log((1 - x) / (1 - LOW)) / math.log((1 - HIGH) / (1 - LOW)),
}


@pytest.mark.parametrize("scaling", Scaling)
def test_draws_have_the_distribution_of_their_scaling(scaling: Scaling) -> None:
    random = Random(1)
    sample = [Continuous("x", LOW, HIGH, scaling).from_unit(random.random()) for _ in range(DRAWS)]
    assert {other: _distance(sample, cdf) < CRITICAL for other, cdf in DISTRIBUTIONS.items()} == {
        other: other is scaling for other in Scaling
    }


@pytest.mark.parametrize(
    "parameter", [Integer("x", 1, 7), Integer("x", -4, 20, step=4), Categorical("x", tuple("abcdefg"))]
)
def test_discrete_values_have_the_same_share_each(parameter: Integer | Categorical) -> None:
    draws = parameter.count * 1000
    counts = Counter(parameter.from_unit((index + 0.5) / draws) for index in range(draws))
    assert set(counts.values()) == {1000}


def test_a_stepped_range_shares_equally_among_its_values() -> None:
    parameter = Continuous("x", 0.1, 0.5, step=0.1)
    counts = Counter(parameter.from_unit((index + 0.5) / 1000) for index in range(1000))
    assert counts == {0.1: 200, 0.2: 200, 0.3: 200, 0.4: 200, 0.5: 200}


def test_logarithmic_integers_are_shared_by_their_logarithm() -> None:
    parameter = Integer("x", 1, 1000, Scaling.LOGARITHMIC)
    draws = [parameter.from_unit((index + 0.5) / 3000) for index in range(3000)]
    for value in (1, 2, 10, 40):
        share = math.log((value + 0.5) / (value - 0.5)) / math.log(1000.5 / 0.5)
        assert draws.count(value) == pytest.approx(3000 * share, abs=1)


@pytest.mark.parametrize(
    ("low", "high", "integer", "scaling"),
    [
        (0.01, 0.99, False, Scaling.LINEAR),
        (0.01, 1, False, Scaling.LOGARITHMIC),
        (0.07, 7, False, Scaling.LOGARITHMIC),
        (1, 99, True, Scaling.LINEAR),
        (1, 100, True, Scaling.LOGARITHMIC),
        (0, 1000, True, Scaling.LINEAR),
        (-1, 1, False, Scaling.LINEAR),
        (0.5, 0.99, False, Scaling.LINEAR),
        (0.9, 0.999, False, Scaling.REVERSE_LOGARITHMIC),
        (0.0, 0.99, False, Scaling.REVERSE_LOGARITHMIC),
        (0.9, 1, False, Scaling.LINEAR),
    ],
)
def test_automatic_scaling(low: float, high: float, scaling: Scaling, *, integer: bool) -> None:
    assert automatic_scaling(low, high, integer=integer) is scaling


DECIMALS = st.decimals(-1000, 1000, places=3)


@st.composite
def ranges(draw: st.DrawFn) -> Parameter:
    """Draw a parameter of any kind, as a spec could have it."""
    kind = draw(st.sampled_from(["continuous", "stepped", "integer", "categorical"]))
    low, step, count = draw(DECIMALS), draw(st.decimals("0.001", 50, places=3)), draw(st.integers(1, 60))
    scaling = draw(st.sampled_from(Scaling))
    if kind == "categorical":
        return Categorical("x", tuple(range(count)))
    if kind == "integer":
        size = int(step) + 1
        scaling = Scaling.LINEAR if scaling is Scaling.REVERSE_LOGARITHMIC else scaling
        least = abs(int(low)) + 1 if scaling is Scaling.LOGARITHMIC else int(low)
        return Integer("x", least, least + size * count, scaling, size)
    if scaling is Scaling.LOGARITHMIC:
        low = abs(low) + step
    if scaling is Scaling.REVERSE_LOGARITHMIC:
        low, step = abs(low) / 2000, Decimal("0.001") * draw(st.integers(1, 8))
    high = float(low + step * count)
    return Continuous("x", float(low), high, scaling, float(step) if kind == "stepped" else None)


@given(ranges(), st.floats(0, 1, exclude_max=True))
def test_every_draw_is_a_value_of_its_range(parameter: Parameter, u: float) -> None:
    assert parameter.contains(parameter.from_unit(u))


@given(ranges())
def test_every_value_is_drawn_somewhere_and_once(parameter: Parameter) -> None:
    if parameter.count is None:
        return
    values = [parameter.value_at(index) for index in range(parameter.count)]
    assert len(set(values)) == parameter.count
    assert all(parameter.contains(value) for value in values)
    if not isinstance(parameter, Categorical):
        assert (values[0], values[-1]) == (parameter.low, parameter.high)
        for value in values:
            assert isinstance(value, int | float)
            assert parameter.from_unit(min(parameter.to_unit(value), math.nextafter(1, 0))) == value


@given(
    st.integers(0, 400), st.integers(1, 400), st.sampled_from(["0.1", "0.01", "0.3", "0.07", "2.5", "1e-5"])
)
def test_stepped_values_are_exact_in_decimals(first: int, count: int, step: str) -> None:
    low, high = Fraction(step) * first, Fraction(step) * (first + count)
    parameter = Continuous("x", float(low), float(high), step=float(step))
    assert parameter.count == count + 1
    for index in (0, 1, count // 2, count):
        assert parameter.value_at(index) == float(low + Fraction(step) * index)
        assert not parameter.contains(math.nextafter(parameter.value_at(index), math.inf))


def test_contains_tells_types_apart() -> None:
    assert Continuous("x", 0, 2).contains(1)
    assert not Continuous("x", 0, 2).contains(True)
    assert not Continuous("x", 0, 2).contains("1")
    assert not Continuous("x", 0, 2).contains(math.nan)
    assert Integer("x", 0, 4, step=2).contains(2)
    assert not Integer("x", 0, 4, step=2).contains(3)
    assert not Integer("x", 0, 4).contains(2.0)
    assert not Integer("x", 0, 1).contains(True)
    categorical = Categorical("x", (1, "1", None))
    assert categorical.contains(1)
    assert categorical.contains(None)
    assert not categorical.contains(1.0)
    assert not categorical.contains(True)


SPACE = Space(
    (Integer("depth", 1, 3), Categorical("kind", ("a", None)), Continuous("rate", 0.1, 0.3, step=0.1))
)


def test_cells_are_every_configuration_once_the_last_parameter_fastest() -> None:
    assert SPACE.cardinality == 18
    cells = [SPACE.cell(index) for index in range(18)]
    assert cells[:4] == [
        {"depth": 1, "kind": "a", "rate": 0.1},
        {"depth": 1, "kind": "a", "rate": 0.2},
        {"depth": 1, "kind": "a", "rate": 0.3},
        {"depth": 1, "kind": None, "rate": 0.1},
    ]
    assert len({identity(cell) for cell in cells}) == 18
    assert all(SPACE.contains(cell) for cell in cells)
    assert list(cells[0]) == ["depth", "kind", "rate"]


@pytest.mark.parametrize("index", [-1, 18, 1000])
def test_a_cell_that_is_not_there_is_an_error(index: int) -> None:
    with pytest.raises(IndexError, match="18 cells"):
        SPACE.cell(index)


def test_a_continuous_space_has_no_cells() -> None:
    space = Space((*SPACE, Continuous("lr", 0, 1)))
    assert space.cardinality is None
    with pytest.raises(ValueError, match="lr has infinitely many values"):
        space.cell(0)


def test_a_space_contains_whole_configurations_only() -> None:
    assert SPACE.contains({"rate": 0.2, "kind": None, "depth": 2})
    assert not SPACE.contains({"kind": None, "depth": 2})
    assert not SPACE.contains({"rate": 0.2, "kind": None, "depth": 2, "more": 1})
    assert not SPACE.contains({"rate": 0.25, "kind": None, "depth": 2})


def test_it_borders_on_what_lies_within_a_ranges_width_of_it() -> None:
    space = Space(
        (
            Continuous("rate", 1e-2, 1.0, Scaling.LOGARITHMIC),
            Continuous("decay", 0.9, 0.99, Scaling.REVERSE_LOGARITHMIC),
            Integer("width", 0, 10, step=5),
            Categorical("kind", ("a", "b")),
            Continuous("momentum", 0.0, 1.0),
        ),
        {"momentum": (Condition("kind", ("a",)),)},
    )
    known: Values = {"rate": 0.1, "decay": 0.95, "width": 5, "kind": "b"}
    for change in ({}, {"rate": 90.0}, {"rate": 2e-4}, {"decay": 0.998}, {"decay": 0.1}, {"width": 12}):
        assert space.borders_on({**known, **change})
    for far in (
        {"rate": 200.0},
        {"rate": 0.0},
        {"decay": 1.0},
        {"decay": -3.0},
        {"width": 30},
        {"kind": "c"},
    ):
        assert not space.borders_on({**known, **far})
    for other in ({"momentum": 0.5}, {"width": True}, {"rate": "0.1"}, {"more": 1}):
        assert not space.borders_on({**known, **other})
    assert space.borders_on({**known, "kind": "a", "momentum": 2.0})
    assert not space.borders_on({"rate": 0.1})


def test_the_middle_is_one_of_the_space_under_its_scalings() -> None:
    space = Space(
        (
            Continuous("lr", 1e-4, 1, Scaling.LOGARITHMIC),
            Continuous("m", 0, 0.99, Scaling.REVERSE_LOGARITHMIC),
        )
    )
    assert space.middle() == pytest.approx({"lr": 0.01, "m": 0.9})
    assert SPACE.middle() == {"depth": 2, "kind": None, "rate": 0.2}


def test_identity_tells_types_apart_and_ignores_order() -> None:
    assert identity({"a": 1, "b": 2}) == identity({"b": 2, "a": 1})
    assert len({identity({"a": value}) for value in (1, 1.0, True, "1", None)}) == 5


def test_the_space_needs_no_heavy_package() -> None:
    code = "import sys, hpo.spec.space; print({'pydantic', 'yaml', 'numpy', 'optuna'} & sys.modules.keys())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"

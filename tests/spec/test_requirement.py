"""Requirements: how far values miss an inequality, in their unit and relative to its bound."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo.spec.requirement import LEAST, Requirement

METRICS = ["latency", "f1", "gap", "train:loss"]
VALUES = {"latency": 60.0, "f1": 0.8, "gap": 0.0, "train:loss": 2.0}


@pytest.mark.parametrize(
    "text",
    [
        "latency < 60.5",
        "latency <= 60",
        "latency >= 60",
        "gap <= 0",
        "50 < latency < 70",
        "`train:loss` / 2 <= 1",
        "max(f1, 0.9) > 0.85",
        "latency > f1",
        "f1 > 0.5 < latency",
    ],
)
def test_what_meets_a_requirement_misses_it_by_nothing(text: str) -> None:
    assert Requirement.of(text, METRICS).violation(VALUES) is None


@pytest.mark.parametrize(
    ("text", "by", "relative"),
    [
        ("latency < 50", 10.0, 0.2),
        ("50 > latency", 10.0, 0.2),
        ("latency <= 40 + 8", 12.0, 0.25),
        ("latency > 75", 15.0, 0.2),
        ("f1 - 1 > 0", 0.2, 0.2),  # a bound of 0 counts as 1
        ("f1 - 1.8 >= -0.5", 0.5, 1.0),
        ("latency < 60", 0.0, LEAST),
        ("gap < 0", 0.0, LEAST),
        ("10 < latency < 40", 20.0, 0.5),
        ("80 < latency < 90", 20.0, 0.25),
        ("f1 > latency", 59.2, 59.2 / 60),
        ("latency < f1", 59.2, 59.2 / 0.8),
        ("90 < latency < 48", 42.0, 1 / 3 + 0.25),
    ],
)
def test_how_far_a_requirement_is_missed(text: str, by: float, relative: float) -> None:
    found = Requirement.of(text, METRICS).violation(VALUES)
    assert found is not None
    assert found.requirement == text
    assert found.by == pytest.approx(by)
    assert found.relative == pytest.approx(relative)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("latency < 60", "latency is 60"),
        ("memory < 3", "no line of the log gave memory"),
        ("memory < disk", "no line of the log gave disk and memory"),
        ("odd < 3", "odd is nan"),
        ("endless > 3", "endless is inf"),
        ("latency / gap < 3", "it cannot be computed: gap is 0, latency is 60"),
        ("log(gap) < 3", "it cannot be computed: gap is 0"),
        ("(0 - f1) ** 0.5 < 3", "it cannot be computed: f1 is 0.8"),
    ],
)
def test_why_a_requirement_is_missed(text: str, why: str) -> None:
    values = {**VALUES, "odd": math.nan, "endless": math.inf}
    found = Requirement.of(text, [*values, "memory", "disk"]).violation(values)
    assert found is not None
    assert found.why == why
    assert (found.relative == math.inf) == (text != "latency < 60")
    assert (found.by == math.inf) == (text != "latency < 60")


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e9), st.sampled_from(["<", "<=", ">", ">="]))
def test_further_beyond_a_bound_is_further_from_it(
    bound: float, value: float, further: float, order: str
) -> None:
    """Whether and how much follow from the numbers; what is worse is never nearer."""
    requirement = Requirement.of(f"latency {order} {bound!r}", METRICS)
    holds = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[order]
    near = requirement.violation({"latency": value})
    assert (near is None) == holds
    worse = value + further if "<" in order else value - further
    far = requirement.violation({"latency": worse})
    assert near is None or (far is not None and far.relative >= near.relative > 0.0)

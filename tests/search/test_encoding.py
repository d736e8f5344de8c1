"""Parameters as coordinates that the model understands, and back."""

from __future__ import annotations

import numpy as np
import pytest

from hpo.search.bayesian.encoding import Encoding
from hpo.spec.conditions import Condition
from hpo.spec.space import Categorical, Continuous, Space
from tests.search.evidence import ENCODING, SPACE, points


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

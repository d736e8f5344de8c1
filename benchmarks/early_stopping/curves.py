"""Learning curves of a multilayer perceptron on scikit-learn's digits, trained epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from random import Random

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from hpo.spec.scaling import Scaling
from hpo.spec.space import Continuous, Integer, Space, Values

EPOCHS = 27

SPACE = Space(
    (
        Continuous("learning-rate", 1e-4, 1.0, Scaling.LOGARITHMIC),
        Continuous("momentum", 0.0, 0.99),
        Continuous("alpha", 1e-6, 1.0, Scaling.LOGARITHMIC),
        Integer("width", 4, 128, Scaling.LOGARITHMIC),
        Integer("batch", 16, 256, Scaling.LOGARITHMIC),
    )
)

Curve = tuple[float, ...]
"""The accuracy on held-out data after each epoch."""


def configurations(count: int) -> list[Values]:
    """Return a pool of random configurations, always the same ones."""
    random = Random(1)
    return [SPACE.from_unit([random.random() for _ in SPACE]) for _ in range(count)]


def curve_of(values: Values) -> Curve:
    """Train one configuration to its end."""
    train_x, test_x, train_y, test_y = _data()
    model = MLPClassifier(
        hidden_layer_sizes=(int(values["width"] or 0),),
        solver="sgd",
        learning_rate_init=float(values["learning-rate"] or 0.0),
        momentum=float(values["momentum"] or 0.0),
        alpha=float(values["alpha"] or 0.0),
        batch_size=int(values["batch"] or 0),
        random_state=0,
    )
    classes, scores = np.arange(10), []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        for _ in range(EPOCHS):
            try:
                model.partial_fit(train_x, train_y, classes=classes)
                scores.append(float(model.score(test_x, test_y)))
            except ValueError as error:
                if "non-finite" not in str(error):
                    raise
                scores.append(0.0)  # it has diverged
    return tuple(scores)


def pool(count: int, tell: Callable[[str], None]) -> list[Curve]:
    """Train the whole pool once; that takes some minutes."""
    curves = []
    for number, values in enumerate(configurations(count), 1):
        curves.append(curve_of(values))
        if number % 20 == 0:
            tell(f"{number} of {count} configurations trained")
    return curves


@cache
def _data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    features, labels = load_digits(return_X_y=True)
    return tuple(train_test_split(features / 16.0, labels, test_size=0.3, random_state=0, stratify=labels))

"""Related tuning tasks on scikit-learn's digits: a kernel machine behind a projection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import f1_score
from sklearn.svm import SVC

from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space, Values, identity

TRAINED, TESTED = 200, 400
Array = NDArray[np.float64]
Data = tuple[Array, Array, Array, Array]

SPACE = Space(
    (
        Continuous("C", 1e-3, 1e4, Scaling.LOGARITHMIC),
        Continuous("gamma", 1e-6, 1.0, Scaling.LOGARITHMIC),
        Integer("components", 2, 64, Scaling.LOGARITHMIC),
        Categorical("kernel", ("rbf", "poly", "sigmoid")),
    )
)
SHIFTED = Space(
    (
        Continuous("C", 1e-2, 1e5, Scaling.LOGARITHMIC),
        Continuous("gamma", 1e-5, 10.0, Scaling.LOGARITHMIC),
        Integer("components", 8, 64, Scaling.LOGARITHMIC),
        Categorical("kernel", ("rbf", "poly", "sigmoid")),
        Continuous("coef0", 0.0, 1.0),  # which the parent has not
    )
)
NARROWED = Space(
    (
        Continuous("C", 1e-1, 1e3, Scaling.LOGARITHMIC),
        Continuous("gamma", 1e-5, 1e-1, Scaling.LOGARITHMIC),
        Integer("components", 8, 64, Scaling.LOGARITHMIC),
        Categorical("kernel", ("rbf", "poly")),
    )
)

Score = Callable[[Values, Data], float]


@dataclass
class Task:
    """A score to be maximized over a space; every configuration is trained once."""

    name: str
    score: Score
    space: Space
    data: Data
    known: dict[object, float] = field(default_factory=dict)

    def __call__(self, values: Values) -> float:
        key = identity(values)
        if key not in self.known:
            self.known[key] = self.score(values, self.data)
        return self.known[key]


@dataclass(frozen=True)
class Family:
    """A parent's task, and those of its children."""

    name: str
    parent: Task
    transfer: list[Task]
    identical: Task


def families() -> list[Family]:
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    half = len(images) // 2
    data = _split(images[:half], labels[:half])
    augmented = _split(_augmented(images[half:]), labels[half:])
    found = []
    for name, score in {"kernel ridge, R²": _ridge, "support vectors, macro F1": _vectors}.items():
        parent = Task("digits", score, SPACE, data)
        other = Task("augmented digits", score, SPACE, augmented)
        moved = Task("augmented digits, other ranges", score, SHIFTED, augmented)
        found.append(Family(name, parent, [other, moved], replace(parent, space=NARROWED, known={})))
    return found


def _ridge(values: Values, data: Data) -> float:
    """Return R² of the classes as ten numbers each: a score without plateaus; at least -1."""
    x, y, x_test, y_test = data
    kernel = {name: values.get(name, 0.0) for name in ("gamma", "kernel", "coef0")}
    model = KernelRidge(alpha=1.0 / float(values["C"] or 0.0), **kernel)
    project, classes = _projection(values, x), np.eye(10)
    model.fit(project.transform(x), classes[y])
    return max(-1.0, float(model.score(project.transform(x_test), classes[y_test])))


def _vectors(values: Values, data: Data) -> float:
    """Return macro F1 of the classes: a score with a wide plateau, and noise on it."""
    x, y, x_test, y_test = data
    kernel = {name: values.get(name, 0.0) for name in ("C", "gamma", "kernel", "coef0")}
    project = _projection(values, x)
    model = SVC(max_iter=500, **kernel).fit(project.transform(x), y)
    return float(f1_score(y_test, model.predict(project.transform(x_test)), average="macro"))


def _projection(values: Values, x: Array) -> PCA:
    return PCA(int(values["components"] or 0), random_state=0).fit(x)


def _split(x: Array, y: Array) -> Data:
    tested = slice(TRAINED, TRAINED + TESTED)
    return x[:TRAINED], y[:TRAINED], x[tested], y[tested]


def _augmented(images: Array) -> Array:
    """Shift each image by up to a pixel, and add noise."""
    random = np.random.default_rng(1)
    moved = [
        np.roll(image.reshape(8, 8), tuple(random.integers(-1, 2, size=2)), (0, 1)).ravel()
        for image in images
    ]
    return np.clip(np.array(moved) + random.normal(0, 2.5, images.shape), 0, 16)

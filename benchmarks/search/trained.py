"""Models of scikit-learn on its bundled data sets, as tables: some configurations are trained, once.

Training takes too long to be repeated for every contender and seed. So each model is trained with the
configurations of a Sobol sequence, and extremely randomized trees (Geurts et al., 2006) over that table stand
in for it. They are kept in a folder that git ignores.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from benchmarks.search.synthetic import LOG, number
from benchmarks.search.tasks import Task
from hpo.search.bayesian.encoding import Encoding
from hpo.spec.space import Categorical, Continuous, Integer, Space, Values

CACHE = Path(__file__).resolve().parent / ".cache"
CONFIGURATIONS = 512
TREES = 30
FOLDS = 3

DRAWN, KEPT, ROUNDS = 20_000, 100, 30
"""How the optimum is looked for: among these draws, then around the best, ever closer, this many times."""

Array = NDArray[np.float64]
Data = tuple[Array, Array]


@dataclass(frozen=True)
class Learner:
    """A model to be tuned: builds an estimator, scored by cross-validation on some data."""

    name: str
    space: Space
    load: Callable[[], Data]
    estimator: Callable[[Values], object]
    noise: float = 0.0
    mishaps: float = 0.0

    def loss(self, values: Values) -> float:
        """Return 1 - accuracy, or 1 - R², but at most 2."""
        x, y = self.load()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what has not converged is a bad trial, and no news
            model = make_pipeline(StandardScaler(), self.estimator(values))
            return min(2.0, 1.0 - float(cross_val_score(model, x, y, cv=FOLDS).mean()))


class Forest:
    """Trees over the points of a space, as arrays of nodes: faster for one point than scikit-learn's."""

    def __init__(self, encoding: Encoding, nodes: Array, roots: Array) -> None:
        self._encoding = encoding
        self._feature, self._left, self._right = nodes[:, :3].astype(int).T
        self._threshold, self._value = nodes[:, 3], nodes[:, 4]
        self._roots = roots.astype(int)

    @classmethod
    def grown(cls, encoding: Encoding, points: Array, losses: Array) -> tuple[Array, Array]:
        """Return nodes and roots of trees that know these losses."""
        trees = ExtraTreesRegressor(TREES, min_samples_leaf=2, random_state=0)
        trees.fit(encoding.features(points), losses)
        nodes: list[Array] = []
        roots = []
        for tree in (each.tree_ for each in trees.estimators_):
            offset = sum(map(len, nodes))
            roots.append(offset)
            children = [tree.children_left + offset, tree.children_right + offset]
            nodes.append(np.column_stack([tree.feature, *children, tree.threshold, tree.value[:, 0, 0]]))
        return np.vstack(nodes), np.array(roots, dtype=float)

    def __call__(self, values: Values) -> float:
        return float(self.of(self._encoding.point(values)[None, :])[0])

    def of(self, points: Array) -> Array:
        """Return the losses at points of shape (n, d)."""
        features = self._encoding.features(points)
        node = np.tile(self._roots, (len(points), 1))
        row = np.arange(len(points))[:, None]
        while (inner := self._feature[node] >= 0).any():
            goes_left = features[row, np.maximum(self._feature[node], 0)] <= self._threshold[node]
            node = np.where(inner, np.where(goes_left, self._left[node], self._right[node]), node)
        return np.asarray(self._value[node].mean(axis=1))


def trained() -> list[Task]:
    """Return the tasks; those whose table is not there yet are trained, in a minute or so each."""
    return [_task(learner) for learner in LEARNERS]


def _task(learner: Learner) -> Task:
    encoding = Encoding(learner.space)
    path = CACHE / f"{learner.name.replace(',', '').replace(' ', '-')}.npz"
    if not path.exists():
        _train(learner, encoding, path)
    table = np.load(path)
    return Task(
        name=learner.name,
        space=learner.space,
        loss=Forest(encoding, table["nodes"], table["roots"]),
        optimum=float(table["optimum"]),
        noise=learner.noise,
        mishaps=learner.mishaps,
    )


def _train(learner: Learner, encoding: Encoding, path: Path) -> None:
    print(f"training {learner.name}, {CONFIGURATIONS} configurations", file=sys.stderr, flush=True)
    units = qmc.Sobol(len(learner.space), rng=0).random(CONFIGURATIONS)
    configurations = [learner.space.from_unit(unit.tolist()) for unit in units]
    points = np.array([encoding.point(values) for values in configurations])
    with threadpool_limits(limits=1):
        losses = np.array([learner.loss(values) for values in configurations])
    nodes, roots = Forest.grown(encoding, points, losses)
    optimum = _optimum(Forest(encoding, nodes, roots), encoding)
    CACHE.mkdir(exist_ok=True)
    np.savez(path, nodes=nodes, roots=roots, optimum=optimum)


def _optimum(forest: Forest, encoding: Encoding) -> float:
    """Return the least loss that a search much longer than any job finds."""
    random = np.random.default_rng(0)
    points = encoding.snapped(random.random((DRAWN, encoding.dimension)))
    losses = forest.of(points)
    for step in np.geomspace(0.3, 0.01, ROUNDS):
        best = points[np.argsort(losses, kind="stable")[:KEPT]]
        moved = best.repeat(20, axis=0)
        moved += step * random.standard_normal(moved.shape) * (random.random(moved.shape) < 0.5)
        points = np.vstack([best, encoding.snapped(np.clip(moved, 0.0, 1.0))])
        losses = forest.of(points)
    return float(losses.min())


def _digits() -> Data:
    x, y = load_digits(return_X_y=True)
    return x[:600], y[:600]


def _breast_cancer() -> Data:
    return cast("Data", load_breast_cancer(return_X_y=True))


def _wine() -> Data:
    return cast("Data", load_wine(return_X_y=True))


def _diabetes() -> Data:
    return cast("Data", load_diabetes(return_X_y=True))


def _vectors(values: Values) -> object:
    return SVC(max_iter=1000, **values)


def _tree(values: Values) -> object:
    return DecisionTreeClassifier(random_state=0, **values)


def _perceptron(values: Values) -> object:
    given = dict(values)
    width, layers = int(number(given, "width")), int(number(given, "layers"))
    del given["width"], given["layers"]
    return MLPClassifier((width,) * layers, solver="adam", max_iter=20, random_state=0, **given)


def _boosting(values: Values) -> object:
    return GradientBoostingRegressor(random_state=0, **values)


LEARNERS: Sequence[Learner] = (
    Learner(
        "support vectors on digits, mishaps",
        Space(
            (
                Continuous("C", 1e-3, 1e4, LOG),
                Continuous("gamma", 1e-6, 1.0, LOG),
                Categorical("kernel", ("rbf", "poly", "sigmoid")),
                Continuous("coef0", 0.0, 2.0),
            )
        ),
        _digits,
        _vectors,
        mishaps=0.1,
    ),
    Learner(
        "tree on breast cancer",
        Space(
            (
                Integer("max_depth", 1, 20),
                Integer("min_samples_leaf", 1, 100, LOG),
                Continuous("max_features", 0.05, 1.0),
                Categorical("criterion", ("gini", "entropy")),
                Continuous("ccp_alpha", 1e-5, 1e-1, LOG),
            )
        ),
        _breast_cancer,
        _tree,
    ),
    Learner(
        "perceptron on wine, noise",
        Space(
            (
                Continuous("learning_rate_init", 1e-4, 1.0, LOG),
                Continuous("alpha", 1e-6, 10.0, LOG),
                Continuous("beta_1", 0.0, 0.99),
                Integer("width", 2, 64, LOG),
                Integer("layers", 1, 3),
                Integer("batch_size", 8, 64, LOG),
                Categorical("activation", ("relu", "tanh", "logistic")),
            )
        ),
        _wine,
        _perceptron,
        noise=0.005,
    ),
    Learner(
        "boosting on diabetes",
        Space(
            (
                Continuous("learning_rate", 1e-3, 1.0, LOG),
                Integer("n_estimators", 5, 100, LOG),
                Integer("max_depth", 1, 8),
                Integer("min_samples_leaf", 1, 64, LOG),
                Continuous("subsample", 0.3, 1.0),
                Continuous("max_features", 0.1, 1.0),
            )
        ),
        _diabetes,
        _boosting,
    ),
)

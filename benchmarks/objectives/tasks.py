"""Tasks of several objectives: functions with known fronts, and models against what they cost.

ZDT: Zitzler, Deb and Thiele, Comparison of multiobjective evolutionary algorithms, 2000. DTLZ: Deb, Thiele,
Laumanns and Zitzler, Scalable multi-objective optimization test problems, 2002. Branin and Currin: as in
Belakaria et al., Max-value entropy search for multi-objective Bayesian optimization, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.search.synthetic import (
    LEARNERS,
    MEMORY,
    NETWORK,
    branin,
    cube,
    decades,
    learners,
    memory,
    network,
    number,
    out_of_memory,
)
from benchmarks.search.trained import trained
from hpo.core.settings import Goal
from hpo.report.pareto import hypervolume, pareto_front
from hpo.search.bayesian.encoding import Array, Encoding
from hpo.spec.space import Continuous, Space, Values

Losses = tuple[float, ...]

DRAWN, KEPT, ROUNDS, VARIED = 3_000, 120, 20, 5
"""How the best front is looked for: among these draws, then around it, ever closer, this many times."""

MARGIN = 0.1
"""How far the reference lies beyond the worst of the best front, as a share of the front's extent."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Losses to be minimized, what is seen of them, and where trials fail."""

    name: str
    space: Space
    losses: Callable[[Values], Losses]
    noise: float = 0.0  # standard deviation of what is observed of the first one
    fails: Callable[[Values], bool] | None = None
    front: tuple[Losses, ...] = ()  # the best one, where it is known

    @property
    def objectives(self) -> int:
        """How many losses there are."""
        return len(self.losses(self.space.middle()))

    def observe(self, values: Values, random: np.random.Generator) -> Losses | None:
        """Return what a trial reports; None for a failed one. The draws don't depend on the values."""
        error = self.noise * random.standard_normal()
        if self.fails is not None and self.fails(values):
            return None
        first, *others = self.losses(values)
        return (first + error, *others)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What a front covers, as a share of what the best one that is known covers."""

    reference: Losses
    whole: float

    @classmethod
    def of(cls, task: Task) -> Yardstick:
        """Return it by the best front, or the best one that a search much longer than any job finds."""
        front = np.array(task.front or best_front(task))
        best, worst = front.min(axis=0), front.max(axis=0)
        reference = tuple((worst + MARGIN * (worst - best)).tolist())
        return cls(reference, covered(list(map(tuple, front.tolist())), reference))

    def share(self, points: list[Losses]) -> float:
        """Return the share that some points cover."""
        return covered(points, self.reference) / self.whole


def covered(points: list[Losses], reference: Losses) -> float:
    return hypervolume(points, [Goal.MINIMIZE] * len(reference), reference)


def front_of(points: list[Losses]) -> list[int]:
    """Return the places of the points that none dominates."""
    return pareto_front(points, [Goal.MINIMIZE] * len(points[0])) if points else []


def best_front(task: Task) -> list[Losses]:
    """Return the best front that is found by varying the points of a front, from many draws."""
    encoding, random = Encoding(task.space), np.random.default_rng(0)

    def seen(points: Array) -> list[tuple[Array, Losses]]:
        known = [(point, encoding.values(point)) for point in encoding.snapped(np.clip(points, 0.0, 1.0))]
        return [
            (point, task.losses(values)) for point, values in known if not (task.fails and task.fails(values))
        ]

    found = seen(random.random((DRAWN, encoding.dimension)))
    for step in np.geomspace(0.3, 0.003, ROUNDS):
        found = _thinned([found[place] for place in front_of([losses for _, losses in found])])
        parents = np.array([point for point, _ in found]).repeat(VARIED, axis=0)
        moved = random.random(parents.shape) < max(0.3, 1.0 / encoding.dimension)
        found += seen(parents + step * random.standard_normal(parents.shape) * moved)
    return [found[place][1] for place in front_of([losses for _, losses in found])]


def _thinned(front: list[tuple[Array, Losses]]) -> list[tuple[Array, Losses]]:
    """Return some of a front's points, evenly by their order, the first and the last included."""
    return [front[place] for place in sorted(set(np.linspace(0, len(front) - 1, KEPT).astype(int).tolist()))]


def _unit(values: Values) -> Array:
    return np.array([number(values, name) for name in values])


def _zdt(values: Values, shape: Callable[[float, float], float]) -> Losses:
    x = _unit(values)
    g = 1.0 + 9.0 * float(x[1:].mean())
    return float(x[0]), g * shape(float(x[0]), g)


def zdt1(values: Values) -> Losses:
    return _zdt(values, lambda f, g: 1.0 - math.sqrt(f / g))


def zdt2(values: Values) -> Losses:
    return _zdt(values, lambda f, g: 1.0 - (f / g) ** 2)


def zdt3(values: Values) -> Losses:
    return _zdt(values, lambda f, g: 1.0 - math.sqrt(f / g) - f / g * math.sin(10.0 * math.pi * f))


def dtlz2(values: Values) -> Losses:
    x = _unit(values)
    one, other = 0.5 * math.pi * float(x[0]), 0.5 * math.pi * float(x[1])
    g = 1.0 + float(((x[2:] - 0.5) ** 2).sum())
    return g * math.cos(one) * math.cos(other), g * math.cos(one) * math.sin(other), g * math.sin(one)


ALONG = np.linspace(0.0, 1.0, 501).tolist()
SPHERE = tuple(
    (math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a))
    for a in np.linspace(0.0, 0.5 * math.pi, 25).tolist()
    for b in np.linspace(0.0, 0.5 * math.pi, 25).tolist()
)


def along(function: Callable[[Values], Losses]) -> tuple[Losses, ...]:
    """Return the front of one of ZDT's functions: where all but the first parameter are 0."""
    points = [function({"x0": at, **{f"x{axis}": 0.0 for axis in range(1, 5)}}) for at in ALONG]
    return tuple(points[place] for place in front_of(points))


def branin_currin(values: Values) -> Losses:
    x, y = number(values, "x"), number(values, "y")
    above = 2300.0 * x**3 + 1900.0 * x**2 + 2092.0 * x + 60.0
    below = 100.0 * x**3 + 500.0 * x**2 + 4.0 * x + 20.0
    currin = (1.0 - math.exp(-1.0 / (2.0 * y)) if y else 1.0) * above / below
    return branin({"x": 15.0 * x - 5.0, "y": 15.0 * y}), currin


def network_and_time(values: Values) -> Losses:
    """Return the loss, and what a step of such a network takes."""
    width, layers = number(values, "width"), number(values, "layers")
    return network(values), 0.2 + layers * (width / 256.0 + (width / 256.0) ** 2)


SECONDS = {"linear": 0.02, "rbf": 0.5, "poly": 0.3}


def learner_and_time(values: Values) -> Losses:
    """Return the loss, and how long a prediction takes."""
    if values["learner"] == "trees":
        return learners(values), 0.05 + 0.001 * number(values, "trees")
    if values["learner"] == "linear":
        return learners(values), SECONDS["linear"]
    return learners(values), SECONDS[str(values["kernel"])] * (1.0 + 0.1 * decades(values, "C") ** 2)


def loss_and_memory(values: Values) -> Losses:
    return memory(values), decades(values, "batch") + decades(values, "width") + decades(values, "depth")


def _with(name: str, cost: Callable[[Values], float]) -> tuple[Space, Callable[[Values], Losses], float]:
    """Return a trained model's space, its loss beside a cost, and its noise."""
    model = next(task for task in trained() if task.name.startswith(name))
    return model.space, lambda values: (model.loss(values), cost(values)), model.noise


def _weights(values: Values) -> float:
    """Return how many weights a perceptron on 13 features of three classes has."""
    width, layers = number(values, "width"), number(values, "layers")
    return 13 * width + (layers - 1) * width**2 + 3 * width


def _leaves(values: Values) -> float:
    """Return how many leaves boosted trees have at the most."""
    return number(values, "n_estimators") * math.exp2(number(values, "max_depth"))


def tasks() -> dict[str, Task]:
    """Return all tasks by name."""
    perceptron, on_wine, noise = _with("perceptron", _weights)
    boosting, on_diabetes, _ = _with("boosting", _leaves)
    unit = Space((Continuous("x", 0.0, 1.0), Continuous("y", 0.0, 1.0)))
    made = (
        Task(name="ZDT1, 5 parameters", space=cube(5, 0.0, 1.0), losses=zdt1, front=along(zdt1)),
        Task(name="ZDT2, 5 parameters", space=cube(5, 0.0, 1.0), losses=zdt2, front=along(zdt2)),
        Task(name="ZDT3, 5 parameters", space=cube(5, 0.0, 1.0), losses=zdt3, front=along(zdt3)),
        Task(name="DTLZ2, three objectives", space=cube(5, 0.0, 1.0), losses=dtlz2, front=SPHERE),
        Task(name="Branin and Currin, noise", space=unit, losses=branin_currin, noise=2.0),
        Task(name="network, time, noise", space=NETWORK, losses=network_and_time, noise=0.01),
        Task(name="learners, time, conditional", space=LEARNERS, losses=learner_and_time),
        Task(name="memory, failing region", space=MEMORY, losses=loss_and_memory, fails=out_of_memory),
        Task(name="perceptron on wine, weights, noise", space=perceptron, losses=on_wine, noise=noise),
        Task(name="boosting on diabetes, leaves", space=boosting, losses=on_diabetes),
    )
    return {task.name: task for task in made}

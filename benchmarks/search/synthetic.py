"""Functions with a known optimum: classic ones, and some that are like what is tuned.

Hartmann 6, Branin and Ackley: Surjanovic and Bingham, Virtual library of simulation experiments, 2013.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from benchmarks.search.tasks import Task
from hpo.spec.conditions import Condition
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space, Values

LOG = Scaling.LOGARITHMIC

WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
SHARPNESS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def number(values: Values, name: str) -> float:
    """Return the value of a parameter that is a number."""
    return float(cast("float", values[name]))


def decades(values: Values, name: str) -> float:
    """Return the decimal logarithm of a parameter's value."""
    return math.log10(number(values, name))


def cube(dimension: int, low: float, high: float) -> Space:
    return Space(tuple(Continuous(f"x{axis}", low, high) for axis in range(dimension)))


def hartmann6(values: Values) -> float:
    x = np.array([number(values, f"x{axis}") for axis in range(6)])
    return -float(WEIGHTS @ np.exp(-(SHARPNESS * (x - CENTRES) ** 2).sum(axis=1)))


def branin(values: Values) -> float:
    x, y = number(values, "x"), number(values, "y")
    valley = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def ackley(values: Values) -> float:
    x = np.array([number(values, f"x{axis}") for axis in range(5)])
    bowl, ripples = math.sqrt((x**2).mean()), float(np.cos(2 * np.pi * x).mean())
    return -20 * math.exp(-0.2 * bowl) - math.exp(ripples) + 20 + math.e


NETWORK = Space(
    (
        Categorical("optimizer", ("sgd", "adam", "rmsprop", "adagrad")),
        Categorical("activation", ("relu", "tanh", "gelu")),
        Continuous("learning_rate", 1e-6, 1.0, LOG),
        Continuous("weight_decay", 1e-8, 1e-1, LOG),
        Integer("layers", 1, 8),
        Integer("width", 8, 1024, LOG),
        Continuous("dropout", 0.0, 0.8),
    )
)
BEST_RATE = {"sgd": -1.0, "adam": -3.0, "rmsprop": -3.5, "adagrad": -2.0}
OF_OPTIMIZER = {"sgd": 0.06, "adam": 0.0, "rmsprop": 0.04, "adagrad": 0.12}
OF_ACTIVATION = {"relu": 0.02, "tanh": 0.08, "gelu": 0.0}


def network(values: Values) -> float:
    """Return a loss in [0, 1): the best learning rate depends on the optimizer and the width."""
    optimizer, activation = str(values["optimizer"]), str(values["activation"])
    size = decades(values, "width") - math.log10(256)
    off = decades(values, "learning_rate") - BEST_RATE[optimizer] + 0.4 * size
    loss = (0.15 if off < 0 else 0.5) * off * off  # too large is worse than too small
    loss += OF_OPTIMIZER[optimizer] + OF_ACTIVATION[activation] + 0.08 * size**2
    loss += (0.03 if activation == "tanh" else 0.015) * (number(values, "layers") - 4) ** 2
    loss += 0.3 * (number(values, "dropout") - 0.2) ** 2 + 0.01 * (decades(values, "weight_decay") + 4) ** 2
    return 1 - math.exp(-loss)


LEARNERS = Space(
    (
        Categorical("learner", ("kernel", "trees", "linear")),
        Continuous("C", 1e-3, 1e3, LOG),
        Categorical("kernel", ("rbf", "poly")),
        Continuous("gamma", 1e-5, 10.0, LOG),
        Integer("degree", 2, 5),
        Integer("trees", 10, 1000, LOG),
        Continuous("features", 0.05, 1.0),
        Continuous("penalty", 1e-6, 10.0, LOG),
    ),
    conditions={
        "C": (Condition("learner", ("kernel",)),),
        "kernel": (Condition("learner", ("kernel",)),),
        "gamma": (Condition("kernel", ("rbf",)),),
        "degree": (Condition("kernel", ("poly",)),),
        "trees": (Condition("learner", ("trees",)),),
        "features": (Condition("learner", ("trees",)),),
        "penalty": (Condition("learner", ("linear",)),),
    },
)


def learners(values: Values) -> float:
    """Return a loss of at least 0: the kernel machine is the best learner, once it is tuned."""
    if values["learner"] == "linear":
        return 0.25 + 0.01 * (decades(values, "penalty") + 2) ** 2
    if values["learner"] == "trees":
        few = 0.1 * (3 - decades(values, "trees")) ** 2
        return 0.12 + few + 0.3 * (number(values, "features") - 0.3) ** 2
    if values["kernel"] == "poly":
        return 0.08 + 0.05 * (decades(values, "C") - 0.5) ** 2 + 0.05 * abs(number(values, "degree") - 3)
    ridge = decades(values, "C") + decades(values, "gamma") + 1.0  # what one lacks the other one makes up for
    return 1 - math.exp(-0.2 * ridge**2 - 0.05 * (decades(values, "gamma") + 2.5) ** 2)


MEMORY = Space(
    (
        Integer("batch", 8, 4096, LOG),
        Integer("width", 16, 4096, LOG),
        Continuous("learning_rate", 1e-5, 1.0, LOG),
        Integer("depth", 1, 12),
    )
)


def memory(values: Values) -> float:
    """Return a loss that falls with size, up to where memory ends."""
    size = decades(values, "width") + 0.5 * math.log10(number(values, "depth"))
    off = decades(values, "learning_rate") + 2.5 - 0.5 * (decades(values, "batch") - 2)
    return (4.2 - size) * 0.2 + 0.1 * off**2 + 0.05 * (decades(values, "batch") - 2) ** 2


def out_of_memory(values: Values) -> bool:
    return number(values, "batch") * number(values, "width") * number(values, "depth") > 200_000


SYNTHETIC = (
    Task(name="hartmann 6", space=cube(6, 0.0, 1.0), loss=hartmann6, optimum=-3.32237),
    Task(
        name="branin, noise",
        space=Space((Continuous("x", -5.0, 10.0), Continuous("y", 0.0, 15.0))),
        loss=branin,
        optimum=0.397887,
        noise=1.0,
    ),
    Task(name="ackley 5", space=cube(5, -12.0, 20.0), loss=ackley, optimum=0.0),
    Task(name="network, noise", space=NETWORK, loss=network, optimum=0.0, noise=0.01),
    Task(name="learners, conditional", space=LEARNERS, loss=learners, optimum=0.0),
    Task(name="memory, failing region", space=MEMORY, loss=memory, optimum=0.099691, fails=out_of_memory),
)

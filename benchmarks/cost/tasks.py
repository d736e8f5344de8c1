"""Tasks whose trials take long or short by their parameters: mostly losses of the other benchmarks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.objectives.tasks import learner_and_time, network_and_time
from benchmarks.search.simulation import as_long
from benchmarks.search.synthetic import LOG, decades, number
from benchmarks.search.tasks import Task, tasks
from hpo.spec.space import Continuous, Integer, Space, Values

DRAWN = 4_000
"""Random configurations of which the mean duration is taken."""

SPREAD = 0.2
"""Standard deviation of the logarithm of a trial's duration, the parameters given."""


@dataclass(frozen=True)
class Timed:
    """A task, and the seconds that a trial of it takes in the median."""

    task: Task
    seconds: Callable[[Values], float]

    @cached_property
    def mean(self) -> float:
        """The seconds that random trials take in the mean."""
        random, space = np.random.default_rng(0), self.task.space
        units = random.random((DRAWN, len(space))).tolist()
        medians = [self.seconds(space.from_unit(unit)) for unit in units]
        return float(np.mean(medians)) * math.exp(0.5 * SPREAD**2)


def rising(values: Values) -> float:
    """Return a duration that is short where Hartmann's function has its optimum."""
    return math.pow(100.0, 0.5 * (number(values, "x0") + number(values, "x1")))


def falling(values: Values) -> float:
    """Return a duration that is long where Hartmann's function has its optimum."""
    return 100.0 / rising(values)


def step_of_network(values: Values) -> float:
    return network_and_time(values)[1]


def fit_of_learner(values: Values) -> float:
    return learner_and_time(values)[1]


def epoch_in_memory(values: Values) -> float:
    """Return what an epoch takes: the steps, and the products of matrices; the best networks are large."""
    steps = 4096 / number(values, "batch")
    return 0.02 * steps + number(values, "depth") * (number(values, "width") / 1024) ** 2


def fit_of_perceptron(values: Values) -> float:
    """Return what 20 epochs of 178 examples take."""
    width, layers = number(values, "width"), number(values, "layers")
    weights = 13 * width + (layers - 1) * width**2 + 3 * width
    return 20 * (178 / number(values, "batch_size") * 0.0002 + 178 * weights * 1e-7)


def fit_of_boosting(values: Values) -> float:
    share = number(values, "subsample") * number(values, "max_features")
    return 0.001 * number(values, "n_estimators") * (1.0 + number(values, "max_depth") * 4.0 * share)


EPOCHS = Space(
    (
        Continuous("learning_rate", 1e-5, 1.0, LOG),
        Continuous("dropout", 0.0, 0.8),
        Integer("width", 16, 1024, LOG),
        Integer("epochs", 1, 81, LOG),
        Continuous("share", 0.05, 1.0, LOG),
    )
)


def long_training(values: Values) -> float:
    """Return a loss that falls with the epochs and the share of the data, down to 0.28 with all of them."""
    size = decades(values, "width") - math.log10(256)
    off = decades(values, "learning_rate") + 2.5 + 0.3 * size
    loss = 0.05 * off**2 + 0.3 * (number(values, "dropout") - 0.3) ** 2 + 0.08 * size**2
    return loss + 0.54 / math.sqrt(number(values, "epochs")) + 0.22 * math.pow(number(values, "share"), -0.3)


def long_training_seconds(values: Values) -> float:
    return number(values, "epochs") * number(values, "share") * (1.0 + number(values, "width") / 256)


def timed() -> dict[str, Timed]:
    """Return all tasks by name."""
    known = tasks()
    training = Task(
        name="epochs and data", space=EPOCHS, loss=long_training, optimum=0.54 / 9 + 0.22, noise=0.005
    )
    return {
        "hartmann 6, cheap optimum": Timed(known["hartmann 6"], rising),
        "hartmann 6, expensive optimum": Timed(known["hartmann 6"], falling),
        "branin, noise, all as long": Timed(known["branin, noise"], as_long),
        "network, noise": Timed(known["network, noise"], step_of_network),
        "learners, conditional": Timed(known["learners, conditional"], fit_of_learner),
        "memory, failing region": Timed(known["memory, failing region"], epoch_in_memory),
        "epochs and data, noise": Timed(training, long_training_seconds),
        "perceptron on wine, noise": Timed(known["perceptron on wine, noise"], fit_of_perceptron),
        "boosting on diabetes": Timed(known["boosting on diabetes"], fit_of_boosting),
    }

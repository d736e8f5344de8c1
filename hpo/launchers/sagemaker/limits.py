"""What SageMaker takes in one request, and what of a run does not fit; bounds as in its service model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hpo.launchers.launcher import Obstacle
from hpo.launchers.sagemaker.fields import LONGEST_VALUE

MOST_HYPERPARAMETERS = 100
MOST_CHANNELS = 20
MOST_METRICS = 40
MOST_VARIABLES = 100
MOST_WORDS = 100
"""Of the entry point, and again of its arguments."""

LONGEST_HYPERPARAMETER = 2500
LONGEST_METRIC_NAME = 255
LONGEST_REGEX = 500
LONGEST_WORD = 256

HYPERPARAMETERS = "/opt/ml/input/config/hyperparameters.json"
"""Where a program finds them without arguments."""


def metric_obstacles(metrics: Mapping[str, str]) -> Iterator[Obstacle]:
    """Yield which metrics SageMaker cannot read."""
    way_on = "launcher.metric_definitions: false leaves the metrics to hpo alone"
    if len(metrics) > MOST_METRICS:
        text = f"SageMaker reads at most {MOST_METRICS} metrics, and these are {len(metrics)}; {way_on}"
        yield Obstacle(("metrics",), text)
    for name, regex in metrics.items():
        if len(name) > LONGEST_METRIC_NAME:
            text = f"SageMaker takes {LONGEST_METRIC_NAME} characters for a metric's name; {way_on}"
            yield Obstacle(("metrics", name), text)
        if len(regex) > LONGEST_REGEX:
            text = f"SageMaker takes {LONGEST_REGEX} characters for a regex, and these are {len(regex):,}"
            yield Obstacle(("metrics", name), f"{text}; {way_on}")
        if "\n" in regex or "\n" in name:
            text = f"SageMaker takes no line breaks in a metric's name or regex; {way_on}"
            yield Obstacle(("metrics", name), text)


def hyperparameter_obstacles(values: Mapping[str, str], fixed: Mapping[str, object]) -> Iterator[Obstacle]:
    """Yield which hyperparameters SageMaker does not take."""
    if len(values) > MOST_HYPERPARAMETERS:
        text = f"SageMaker takes {MOST_HYPERPARAMETERS} hyperparameters, and these are {len(values)}"
        yield Obstacle(("fixed",) if fixed else ("parameters",), f"{text}; put some into a file")
    for name, value in values.items():
        path = ("fixed" if name in fixed else "parameters", name)
        if len(value) > LONGEST_HYPERPARAMETER:
            text = f"SageMaker takes {LONGEST_HYPERPARAMETER:,} characters, and this value has {len(value):,}"
            yield Obstacle(path, f"{text}; put it into a file, and give its name")
        if "\n" in value:
            yield Obstacle(path, "SageMaker takes no line breaks in a hyperparameter; put it into a file")


def word_obstacles(key: str, words: Sequence[str], *, most: int) -> Iterator[Obstacle]:
    """Yield what of a command SageMaker does not take."""
    path, way_on = ("launcher", key), f"have the program read {HYPERPARAMETERS}"
    if len(words) > most:
        text = f"SageMaker takes {most} words with all parameters, and these are {len(words)}"
        yield Obstacle(path, f"{text}; {way_on}")
    for word in words:
        if len(word) > LONGEST_WORD:
            text = (
                f"SageMaker takes {LONGEST_WORD} characters for a word, and {word[:40]!r}… has {len(word):,}"
            )
            yield Obstacle(path, f"{text}; {way_on}")
        if "\n" in word:
            yield Obstacle(path, f"SageMaker takes no line breaks in a word, as in {word[:40]!r}")


def variable_obstacles(variables: Mapping[str, str], secrets: Mapping[str, str]) -> Iterator[Obstacle]:
    """Yield which variables SageMaker does not take."""
    if (count := len(variables)) > MOST_VARIABLES:
        text = f"SageMaker takes {MOST_VARIABLES} variables with hpo's own, and these are {count}"
        yield Obstacle(("launcher", "env"), f"{text}; put some into a file of a channel")
    for name, value in secrets.items():
        if len(value) > LONGEST_VALUE:
            text = f"SageMaker takes {LONGEST_VALUE} characters, and the value of {name} has {len(value):,}"
            yield Obstacle(("launcher", "env_from"), f"{text}; keep it in AWS Secrets Manager")

"""The library of search spaces: what is tuned of common learners, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal, get_args

from hpo.spec.nodes import MappingNode
from hpo.spec.reader import read_text
from hpo.spec.section import mistake

LearnerName = Literal["lightgbm", "mlp", "random-forest", "svm", "xgboost"]
"""The learners that the library has a search space of."""

LEARNERS: tuple[str, ...] = get_args(LearnerName)

AUTO = "auto"
"""What stands for a learner's parameters: for all of them, or as a key beside some."""

_SPACES = Path(__file__).parent / "spaces"
_IN_STEPS = frozenset({"lightgbm", "mlp", "xgboost"})


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner's search space: `parameters` and `fixed` as a spec has them, and where they are from.

    `in_steps` tells that it prints its metrics as it learns, after each round or epoch.
    """

    name: str
    space: MappingNode
    sources: str
    in_steps: bool


def asks_auto(parameters: object) -> bool:
    """Tell whether a spec's parameters are `auto`, or have it as a key, which no mapping is under."""
    if not isinstance(parameters, dict):
        return parameters == AUTO
    return not isinstance(parameters.get(AUTO), dict | None)


def may_ask(auto: object) -> bool:
    """Tell whether the key `auto` may have this value: true, or a list of the library's parameters."""
    return auto is True or isinstance(auto, list)


def refuse_auto(parameters: object, known: Mapping[str, object]) -> object:
    """Return a section's parameters, but refuse an `auto` that stands for nothing yet.

    `hpo.spec.autotune` has written out what it could; `known` are the section's fields that are right.
    """
    if isinstance(parameters, str) and not asks_auto(parameters):
        from hpo.spec.explain import did_you_mean

        guess = did_you_mean(parameters, [AUTO])
        raise mistake(f"it must be auto, or a mapping of names to parameters{guess}")
    if not asks_auto(parameters):
        return parameters
    asks_wrongly = isinstance(parameters, dict) and not may_ask(parameters[AUTO])
    if "learner" not in known or asks_wrongly:  # which is told elsewhere, and is why nothing was written out
        return {"unknown": {"type": "categorical", "values": [0]}}
    raise mistake(
        "hpo must know the learner to choose",
        hint=f"write learner: NAME, one of {', '.join(LEARNERS)}; or list the parameters yourself",
    )


def learner(name: str) -> Learner:
    """Return a learner of the library by its name, which must be one of `LEARNERS`.

    Its sources stand in the comment that its file begins with, below the first empty line.
    """
    path = _SPACES / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    space, _ = read_text(text, f"spaces/{path.name}")
    if not isinstance(space, MappingNode):
        raise TypeError(f"{path} is no mapping")
    heading = takewhile(lambda line: line.startswith("#"), text.splitlines())
    lines = [line.removeprefix("#").strip() for line in heading]
    sources = " ".join(lines[lines.index("") + 1 :])
    return Learner(name, space, sources, in_steps=name in _IN_STEPS)

"""What hpo chose for `parameters: auto`, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TypedDict, assert_never

from hpo.spec.autotune import Chosen
from hpo.spec.constraint import shown
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space

WIDTH = 88
"""Characters of a line of sources."""


class ChosenData(TypedDict):
    """What was chosen; `told_by` is the section of the spec that told the learner.

    `parameters` are ranges in words, by name, of those that are the library's, wholly or in part.
    """

    learner: str
    told_by: str
    parameters: dict[str, str]
    fixed: dict[str, Scalar]
    limits: dict[str, int]
    early_stopping: str | None
    sources: str


def chosen_data(chosen: Chosen | None, space: Space) -> ChosenData | None:
    """Return what was chosen for a job with this search space; None where nothing was."""
    if chosen is None:
        return None
    return ChosenData(
        learner=chosen.learner.name,
        told_by=chosen.told_by,
        parameters={
            parameter.name: described(parameter, space)
            for parameter in space
            if parameter.name in chosen.parameters
        },
        fixed=dict(chosen.fixed),
        limits=dict(chosen.limits),
        early_stopping=chosen.early_stopping,
        sources=chosen.learner.sources,
    )


def chosen_lines(data: ChosenData | None) -> Iterator[str]:
    """Yield what was chosen, in words, with its sources."""
    if data is None:
        return
    yield f"{_summary(data)}, by `{data['told_by']}`:"
    names = [*data["parameters"], *data["fixed"], *data["limits"], "early_stopping"]
    width = max(map(len, names))
    for name, text in data["parameters"].items():
        yield f"  {name.ljust(width)}  {text}"
    for name, value in data["fixed"].items():
        yield f"  {name.ljust(width)}  fixed to {shown(value)}"
    for name, limit in data["limits"].items():
        yield f"  {name.ljust(width)}  {limit}"
    if data["early_stopping"] is not None:
        yield f"  {'early_stopping'.ljust(width)}  {data['early_stopping']}: it prints its metrics in steps"
    yield "sources of the ranges:"
    yield from (f"  {line}" for line in wrap(data["sources"], WIDTH))


def chosen_line(data: ChosenData) -> str:
    """Return in one line what was chosen."""
    others = [f"{key} {limit}" for key, limit in data["limits"].items()]
    others += [f"early_stopping {data['early_stopping']}"] if data["early_stopping"] else []
    return f"{_summary(data)}{''.join(f', {other}' for other in others)}; `hpo plan` shows the ranges"


def _summary(data: ChosenData) -> str:
    count = len(data["parameters"])
    return f"chosen for {data['learner']}: {count} {'parameter' if count == 1 else 'parameters'}"


def described(parameter: Parameter, space: Space) -> str:
    """Return in words what a parameter can be, and when it is active."""
    when = "".join(f", where {condition}" for condition in space.conditions.get(parameter.name, ()))
    match parameter:
        case Categorical():
            return f"{', '.join(map(shown, parameter.values))}{when}"
        case Continuous() | Integer():
            kind = "integer" if isinstance(parameter, Integer) else "continuous"
            steps = f", in steps of {parameter.step:g}" if parameter.step not in (None, 1) else ""
            return f"{kind}, {parameter.low:g} to {parameter.high:g}, {parameter.scaling.value}{steps}{when}"
        case _:
            assert_never(parameter)

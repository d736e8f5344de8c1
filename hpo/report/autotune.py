"""What hpo chose for `parameters: auto`, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import TypedDict, assert_never

from hpo.spec.autotune import Chosen
from hpo.spec.constraint import shown
from hpo.spec.space import Categorical, Continuous, Integer, Parameter, Scalar, Space

WIDTH = 88
"""Characters of a line of sources."""


class ChosenData(TypedDict):
    """What was chosen; `told_by` is the section of the spec that told the learner.

    `parameters` are ranges in words, by name, of those that are the library's, wholly or in part. `limits`
    and `early_stopping` are the job's, the same for each of several algorithms.
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


Choices = Mapping[str | None, ChosenData]
"""What was chosen for each of several algorithms, by its name, or for a job without them, under None."""


def choices_of(parts: Mapping[str | None, tuple[Chosen | None, Space]]) -> Choices:
    """Return what was chosen for each search space of a job; nothing of those that are the user's own."""
    found = {name: chosen_data(chosen, space) for name, (chosen, space) in parts.items()}
    return {name: data for name, data in found.items() if data is not None}


def chosen_lines(choices: Choices) -> Iterator[str]:
    """Yield what was chosen, in words, with its sources."""
    of_the_job: dict[str, str] = {}
    for name, data in choices.items():
        of_the_job = _of_the_job(data, "it prints its" if name is None else "some print their")
        yield f"chosen for {_summary(name, data)}, by `{data['told_by']}`:"
        fixed = {key: f"fixed to {shown(value)}" for key, value in data["fixed"].items()}
        yield from _columns({**data["parameters"], **fixed, **(of_the_job if name is None else {})})
        yield "sources of the ranges:"
        yield from (f"  {line}" for line in wrap(data["sources"], WIDTH))
    if None not in choices and of_the_job:
        yield "chosen for all algorithms together:"
        yield from _columns(of_the_job)


def chosen_line(choices: Choices) -> str:
    """Return in one line what was chosen."""
    of_each = [_summary(name, data) for name, data in choices.items()]
    data = next(iter(choices.values()))
    others = [f"{key} {limit}" for key, limit in data["limits"].items()]
    others += [f"early_stopping {data['early_stopping']}"] if data["early_stopping"] else []
    return f"chosen for {', '.join([*of_each, *others])}; `hpo plan` shows the ranges"


def _summary(name: str | None, data: ChosenData) -> str:
    count = len(data["parameters"])
    whose = data["learner"] if name is None else f"{name} ({data['learner']})"
    return f"{whose}: {count} {'parameter' if count == 1 else 'parameters'}"


def _of_the_job(data: ChosenData, who: str) -> dict[str, str]:
    limits = {key: str(limit) for key, limit in data["limits"].items()}
    rule = data["early_stopping"]
    return limits if rule is None else {**limits, "early_stopping": f"{rule}: {who} metrics in steps"}


def _columns(rows: Mapping[str, str]) -> Iterator[str]:
    width = max(map(len, rows), default=0)
    yield from (f"  {name.ljust(width)}  {text}" for name, text in rows.items())


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

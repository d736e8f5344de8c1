"""What keeps an earlier job from being another one's parent, each with words of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hpo.core.inherit import Heir, kind_of, same
from hpo.core.prior import Parent, WarmStart
from hpo.core.settings import Goal, Objective

_TRANSFER = "with `type: transfer` that may change"


@dataclass(frozen=True, slots=True)
class Child:
    """What of a job is compared with its parents."""

    heir: Heir
    objective: Objective
    others: tuple[Objective, ...]  # the objectives beside the first one
    inputs: Mapping[str, str]  # channel → its whole address
    program: Mapping[str, str]  # image, command, …


def restrictions(child: Child, parent: Parent) -> Iterator[str]:
    """Yield why a job cannot begin with this parent; nothing where it can."""
    objective = child.objective
    if parent.metric is not None and parent.metric != objective.metric:
        yield (
            f"it was tuned for {parent.metric}, and this job for {objective.metric}: values of two metrics "
            "cannot be compared"
        )
    if parent.goal is not None and parent.goal is not objective.goal:
        yield f"its goal was to {parent.goal.value}, and this job's is to {objective.goal.value}"
    if parent.goals is not None:
        yield from _others(child.others, parent.goals)
    if not parent.trials:
        yield "it has no completed trial, and nothing to begin with"
    if child.heir.type is WarmStart.IDENTICAL:
        yield from _kinds(child.heir, parent)
        yield from _parameters(child.heir, parent)
        yield from _surroundings(child, parent)


def _others(others: Sequence[Objective], goals: Mapping[str, Goal]) -> Iterator[str]:
    for objective in others:
        goal = goals.get(objective.metric)
        if goal is None:
            yield (
                f"it was not tuned for {objective.metric}, as this job is, and its trials have no value of "
                f"that to be compared by: its objectives are {', '.join(goals)}"
            )
        elif goal is not objective.goal:
            here = objective.goal.value
            yield f"its goal was to {goal.value} {objective.metric}, and this job's is to {here} it"


def _kinds(heir: Heir, parent: Parent) -> Iterator[str]:
    for parameter in heir.space:
        kind, known = kind_of(parameter), parent.kinds.get(parameter.name)
        if known is not None and known is not kind:
            yield (
                f"`{parameter.name}` was {known.value} there and is {kind.value} here: "
                f"the type of a parameter may not change; {_TRANSFER}"
            )


def _parameters(heir: Heir, parent: Parent) -> Iterator[str]:
    tuned = {parameter.name for parameter in heir.space}
    given = parent.fixed or {}
    for name in (*parent.kinds, *given):
        if name not in tuned and name not in heir.fixed:
            yield (
                f"`{name}` was a parameter there and is none here: give it the value it shall have under "
                f"`fixed`; {_TRANSFER}"
            )
    for name, value in heir.fixed.items():
        if name in given and not same(given[name], value):
            yield (
                f"`fixed.{name}` was {_text(given[name])} there and is {_text(value)} here: "
                f"the value of a fixed parameter may not change; {_TRANSFER}"
            )
        elif parent.fixed is not None and name not in given and name not in parent.kinds:
            yield f"`fixed.{name}` is {_text(value)} here, and there was no such parameter; {_TRANSFER}"


def _surroundings(child: Child, parent: Parent) -> Iterator[str]:
    if parent.inputs is not None and parent.inputs != child.inputs:
        names = sorted(
            name
            for name in parent.inputs.keys() | child.inputs.keys()
            if parent.inputs.get(name) != child.inputs.get(name)
        )
        yield f"its data were others (inputs: {', '.join(names)}); {_TRANSFER}"
    for key in sorted(parent.program.keys() & child.program.keys()):
        if parent.program[key] != child.program[key]:
            yield (
                f"its program was another one (launcher.{key} was {parent.program[key]} there and is "
                f"{child.program[key]} here); {_TRANSFER}"
            )


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

"""What a job tunes for: one objective or several, and what a result must meet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Literal, cast

from pydantic import Field
from pydantic_core import PydanticCustomError, PydanticKnownError

from hpo.spec.expression import ExpressionError
from hpo.spec.requirement import Requirement
from hpo.spec.section import Section, Text, mistake


class OneOfSeveral(Section):
    """One of the metrics to tune for."""

    metric: Text = Field(description="one of `metrics`")
    goal: Literal["maximize", "minimize"] = Field(description="maximize or minimize: which way is better")
    take: Literal["last", "best"] = Field(default="last", description="which match is a trial's value")


class Objective(OneOfSeveral):
    """The metric to tune for."""

    step: Text | None = Field(
        default=None, description="the metric that counts its steps; by default every match is one"
    )


def no_objective() -> Objective:
    """Return what stands for a spec without `objective`: it is validated, and right beside `objectives`."""
    return cast("Objective", {})


def first_of(objectives: Sequence[OneOfSeveral] | None) -> Objective:
    """Return the objective that stands where one is needed; None are some that are wrong.

    Raises PydanticKnownError where there are none: then `objective` is missing.
    """
    if objectives is None:  # their mistake comes first
        return Objective(metric="?", goal="minimize")
    if not objectives:
        raise PydanticKnownError("missing")
    return Objective(**objectives[0].model_dump())


def objective_mistakes(spec: object) -> Iterator[PydanticCustomError]:
    """Yield what is wrong with a spec's objectives and requirements as written, beyond their types."""
    if not isinstance(spec, dict):
        return
    metrics = spec.get("metrics")
    if isinstance(metrics, dict):
        yield from _undefined(spec, metrics)
        yield from _unread(spec, metrics)
    if spec.get("objectives") is not None:
        yield from _of_several(spec, spec["objectives"])


def _undefined(spec: Mapping[str, object], metrics: Mapping[str, object]) -> Iterator[PydanticCustomError]:
    """Yield which names of metrics are none."""
    for at, name in _named(spec):
        if name not in metrics:
            from hpo.spec.explain import did_you_mean

            text = f"`metrics` has no such name{did_you_mean(name, list(metrics))}"
            yield mistake(text, hint=f"defined are: {', '.join(metrics) or 'none'}", at=at)


def objective_metrics(spec: Mapping[str, object]) -> list[str]:
    """Return which metrics a spec's objectives, as written, name: those of `objective` and `objectives`."""
    return [name for _, name in _named(spec)]


def _named(spec: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield where a spec's objectives name a metric, and its name."""
    objective = spec.get("objective")
    named: list[tuple[tuple[str | int, ...], object]] = []
    if isinstance(objective, dict):
        named += [(("objective", key), objective.get(key)) for key in ("metric", "step")]
    for index, each in enumerate(_listed(spec.get("objectives"))):
        if isinstance(each, dict):
            named.append((("objectives", index, "metric"), each.get("metric")))
    yield from ((at, name) for at, name in named if isinstance(name, str))


def required_metrics(require: object, metrics: Collection[str]) -> list[str]:
    """Return which of the metrics some requirements, as written, name; one that cannot be read names none."""
    named: set[str] = set()
    for text in _listed(require):
        if isinstance(text, str):
            with suppress(ExpressionError):
                named |= Requirement.of(text, metrics).metrics
    return [metric for metric in metrics if metric in named]


def _unread(spec: Mapping[str, object], metrics: Mapping[str, object]) -> Iterator[PydanticCustomError]:
    """Yield which requirements cannot be read."""
    for index, text in enumerate(_listed(spec.get("require"))):
        if isinstance(text, str) and text:
            try:
                Requirement.of(text, list(metrics))
            except ExpressionError as why:
                yield mistake(str(why), hint=why.hint, at=("require", index))


def _of_several(spec: Mapping[str, object], objectives: object) -> Iterator[PydanticCustomError]:
    """Yield what does not go with several objectives, and what is wrong between them."""
    several = _listed(objectives)
    if spec.get("objective") is not None:
        hint = "keep one of the two"
        yield mistake("the spec has an `objective`, too", hint=hint, at=("objectives",))
    if isinstance(objectives, list | tuple) and len(several) < 2:
        hint = "a single one goes under `objective`"
        yield mistake("several objectives are two or more", hint=hint, at=("objectives",))
    known: set[object] = set()
    for index, each in enumerate(several):
        metric = each.get("metric") if isinstance(each, dict) else None
        if isinstance(metric, str) and metric in known:
            yield mistake("another objective has it already", at=("objectives", index, "metric"))
        known.add(metric if isinstance(metric, str) else None)
    for at, text, hint in _meaningless(spec):
        yield mistake(text, hint=hint, at=at)


def _meaningless(spec: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield the keys that ask for one best value, why they cannot have it, and what to do."""
    match spec.get("stop_when"):
        case dict() as stop_when:
            for key in ("target", "not_improving_for", "converged"):
                if stop_when.get(key) not in (None, False):
                    text = "it is about the best value, and of several objectives there is no single one"
                    yield ("stop_when", key), text, "leave it out; `limits` end the job"
        case _:
            pass
    if spec.get("early_stopping") not in (None, "off"):
        text = "a trial is judged by one curve, and several objectives have one each"
        yield ("early_stopping",), text, "leave it out"
    if spec.get("strategy") == "hyperband" or _name(spec.get("strategy")) == "hyperband":
        text = "hyperband judges a trial by one curve, and several objectives have one each"
        yield ("strategy",), text, "take bayesian, random or grid"


def _name(strategy: object) -> object:
    return strategy.get("name") if isinstance(strategy, dict) else None


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []

"""What may be wrong with what ties parameters together: conditions, constraints, first trials.

It is told from the text, as far as that can be read, so that no other mistake hides it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from hpo.spec.conditions import Condition, Conditions, parents_first
from hpo.spec.constraint import Domain
from hpo.spec.explain import did_you_mean
from hpo.spec.expression import ExpressionError, parse
from hpo.spec.feasible import Survey, completed, survey
from hpo.spec.parameters import ParameterModel, allowed
from hpo.spec.section import mistake
from hpo.spec.space import Parameter, Scalar, Space, identity
from hpo.spec.tuned import as_value, domains_of, space_of

KEY = "[key]"
"""What ends the path of a mistake in a key itself, as in pydantic's."""

_PARAMETER: TypeAdapter[ParameterModel] = TypeAdapter(ParameterModel, config={"defer_build": True})


def untied(spec: object) -> Iterator[PydanticCustomError]:
    """Yield what is wrong in a spec as written, whatever else is wrong with it."""
    if not isinstance(spec, dict) or not isinstance(spec.get("parameters"), dict):
        return
    written = _Written.of(spec)
    wrong = [*_conditions(written), *_constraints(written), *_values(written)]
    yield from wrong
    if not wrong and len(written.models) == len(written.names):
        space = space_of(written.models, [text for _, text in written.constraints], written.fixed)
        infeasible = list(_infeasible(space)) if space.constraints else []
        yield from infeasible or _incomplete(space, written)
        yield from _uncountable(space, spec)


@dataclass(frozen=True, slots=True)
class _Written:
    """The sections, as far as they can be read."""

    names: list[str]
    models: dict[str, ParameterModel]
    parameters: dict[str, Parameter]
    fixed: dict[str, Scalar]
    constraints: list[tuple[int, str]]
    initial: list[tuple[int, dict[str, Scalar]]]
    command: list[str]

    @classmethod
    def of(cls, spec: Mapping[str, object]) -> _Written:
        sections = {key: spec.get(key) for key in ("parameters", "fixed", "launcher")}
        mappings = {key: value if isinstance(value, dict) else {} for key, value in sections.items()}
        models = dict(_readable(mappings["parameters"]))
        return cls(
            names=list(mappings["parameters"]),
            models=models,
            parameters={name: model.parameter(name) for name, model in models.items()},
            fixed=_scalars(mappings["fixed"]),
            constraints=[
                (i, text)
                for i, text in enumerate(_list(spec, "constraints"))
                if text and isinstance(text, str)
            ],
            initial=[
                (i, _scalars(each)) for i, each in enumerate(_list(spec, "initial")) if isinstance(each, dict)
            ],
            command=[str(word) for word in _list(mappings["launcher"], "command")],
        )


def _readable(parameters: Mapping[str, object]) -> Iterator[tuple[str, ParameterModel]]:
    for name, written in parameters.items():
        try:
            yield name, _PARAMETER.validate_python(written)
        except ValidationError:
            continue


def _list(section: Mapping[str, object], key: str) -> list[object]:
    value = section.get(key)
    return list(value) if isinstance(value, list | tuple) else []


def _scalars(section: Mapping[str, object]) -> dict[str, Scalar]:
    return {k: v for k, v in section.items() if v is None or isinstance(v, str | int | float | bool)}


def _conditions(written: _Written) -> Iterator[PydanticCustomError]:
    conditions = {name: model.when for name, model in written.models.items() if model.when}
    wrong = [
        found
        for name, when in conditions.items()
        for parent, values in when.items()
        for found in _condition(written, name, parent, values)
    ]
    yield from wrong
    for name in conditions:
        if any(f"{{{name}}}" in word for word in written.command):
            text = f"`launcher.command` has `{{{name}}}`, which is nothing where the parameter is not active"
            hint = "leave it out there: --name VALUE is appended, or put where the command has {args}"
            yield mistake(text, hint=hint, at=("parameters", name, "when"))
    ties = {
        name: tuple(Condition(parent, ()) for parent in when if parent in written.models)
        for name, when in conditions.items()
    }
    while circle := _circle(list(written.models), ties):
        name, _, _ = circle.partition(" ")
        text = f"the conditions lead in a circle: {circle}"
        yield mistake(text, hint="leave one of them out", at=("parameters", name, "when"))
        del ties[name]


def _circle(names: list[str], ties: Conditions) -> str:
    try:
        parents_first(names, ties)
    except ValueError as circle:
        return str(circle)
    return ""


def _condition(
    written: _Written, name: str, parent: str, values: tuple[Scalar, ...]
) -> Iterator[PydanticCustomError]:
    """Yield what is wrong with what one parameter needs of one other."""
    at = ("parameters", name, "when", parent)
    parameter = written.parameters.get(parent)
    if parent in written.fixed and parent not in written.names:
        hint = "a parameter depends on tuned ones alone: leave the condition out, or the parameter"
        yield mistake("it has one value always, under `fixed`", hint=hint, at=(*at, KEY))
    elif parent not in written.names:
        others = [other for other in written.names if other != name]
        text = f"there is no such parameter{did_you_mean(parent, others)}"
        hint = f"there are: {', '.join(others)}" if others else "there is no other parameter"
        yield mistake(text, hint=hint, at=(*at, KEY))
    elif parameter is not None and parameter.count is None:
        text = "a condition on a continuous parameter names single values, which it hardly ever has"
        yield mistake(text, hint="give it a step, or tune a categorical that decides", at=(*at, KEY))
    elif not values:
        yield mistake("there is no value", hint=f"write {parent}: [VALUE]", at=at)
    elif parameter is not None:
        for index, value in enumerate(values):
            if not parameter.contains(as_value(parameter, value)):
                yield mistake(f"`{parent}` never has this value", hint=allowed(parameter), at=(*at, index))


def _constraints(written: _Written) -> Iterator[PydanticCustomError]:
    domains = {name: Domain(is_unknown=True) for name in written.names} | domains_of(written.parameters)
    for index, text in written.constraints:
        try:
            parse(text, domains, written.fixed)
        except ExpressionError as why:
            yield mistake(str(why), hint=why.hint, at=("constraints", index))


def _values(written: _Written) -> Iterator[PydanticCustomError]:
    for index, values in written.initial:
        for name, value in values.items():
            at = ("initial", index, name)
            parameter = written.parameters.get(name)
            if name in written.fixed and name not in written.names:
                yield mistake("it has one value always, under `fixed`", hint="leave it out", at=(*at, KEY))
            elif name not in written.names:
                text = f"there is no such parameter{did_you_mean(name, written.names)}"
                yield mistake(text, hint=f"there are: {', '.join(written.names)}", at=(*at, KEY))
            elif parameter is not None and not parameter.contains(as_value(parameter, value)):
                yield mistake("it is none of the parameter's values", hint=allowed(parameter), at=at)


def _infeasible(space: Space) -> Iterator[PydanticCustomError]:
    found = survey(space)
    for index, why in found.mismatches.items():
        hint = "compare first what it can be, as in depth == null or depth < 9"
        yield mistake(why, hint=hint, at=("constraints", index))
    if not found.fitting and not found.mismatches:
        what = "configurations" if found.is_exact else "random configurations"
        text = f"none of {found.of:,} {what} keeps to them"
        yield mistake(text, hint=_never_held(space, found), at=("constraints",))


def _uncountable(space: Space, spec: Mapping[str, object]) -> Iterator[PydanticCustomError]:
    if spec.get("strategy") not in ("grid", {"name": "grid"}) or not space.is_finite:
        return
    if space.cardinality is None:
        text = "there are too many combinations to list those that keep to the constraints"
        yield mistake(text, hint="take fewer values, or another strategy", at=("strategy",))


def _never_held(space: Space, found: Survey) -> str:
    held = list(zip(space.constraints, found.holding, strict=True))
    never = [f"`{constraint.text}`" for constraint, count in held if not count]
    if never:
        equal = "; of continuous parameters none ever equals another" if "==" in "".join(never) else ""
        return f"never held: {', '.join(never)}{equal}"
    return "each of them holds for some, but not together"


def _incomplete(space: Space, written: _Written) -> Iterator[PydanticCustomError]:
    """Yield first trials that cannot be made whole within the conditions and constraints."""
    first: dict[object, str] = {}
    parameters = {parameter.name: parameter for parameter in space}
    try:
        completed(space, {})
    except ValueError as why:
        yield mistake(f"from the defaults nothing is found that fits: {why}", at=("parameters",))
        return
    for index, values in written.initial:
        try:
            whole = completed(space, {n: as_value(parameters[n], value) for n, value in values.items()})
        except ValueError as why:
            yield mistake(str(why), at=("initial", index))
            continue
        known = first.setdefault(identity(whole), f"initial.{index}")
        if known != f"initial.{index}":
            yield mistake(
                f"it is the same configuration as `{known}`", hint="leave it out", at=("initial", index)
            )

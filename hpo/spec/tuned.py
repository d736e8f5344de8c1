"""The search space that the sections of a spec make together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpo.spec.conditions import Condition
from hpo.spec.constraint import Domain
from hpo.spec.expression import ExpressionError, parse
from hpo.spec.feasible import completed
from hpo.spec.parameters import ParameterModel
from hpo.spec.space import Categorical, Continuous, Parameter, Scalar, Space, Values, identity


def space_of(
    models: Mapping[str, ParameterModel],
    constraints: Sequence[str] = (),
    fixed: Values | None = None,
) -> Space:
    """Return the search space, with `auto` scalings decided; what ties parameters together must be right."""
    parameters = {name: model.parameter(name) for name, model in models.items()}
    domains = domains_of(parameters)
    return Space(
        tuple(parameters.values()),
        conditions_of(models, parameters),
        tuple(parse(text, domains, fixed) for text in constraints),
        {name: model.default for name, model in models.items() if model.default is not None},
    )


def first_configurations(space: Space, initial: Sequence[Values]) -> tuple[dict[str, Scalar], ...]:
    """Return what is tried before anything else: the defaults, where there are any, then `initial`.

    What is missing is completed. Raises ValueError as `completed` does.
    """
    parameters = {parameter.name: parameter for parameter in space}
    given = [{name: as_value(parameters[name], value) for name, value in each.items()} for each in initial]
    first = [completed(space, each) for each in ([{}, *given] if space.defaults else given)]
    return tuple({identity(values): values for values in first}.values())


def combinations(
    models: Mapping[str, ParameterModel], constraints: Sequence[str], fixed: Values
) -> int | None:
    """Return how many configurations there are; None where that cannot be told, as for what is no space."""
    try:
        return space_of(models, constraints, fixed).cardinality
    except (KeyError, ValueError, ExpressionError):  # what is wrong is told elsewhere
        return None


def conditions_of(
    models: Mapping[str, ParameterModel], parameters: Mapping[str, Parameter]
) -> dict[str, tuple[Condition, ...]]:
    """Return what activates each of the parameters that are not always active."""
    return {
        name: tuple(
            Condition(parent, tuple(as_value(parameters[parent], value) for value in values))
            for parent, values in model.when.items()
        )
        for name, model in models.items()
        if model.when
    }


def domains_of(parameters: Mapping[str, Parameter]) -> dict[str, Domain]:
    """Return what each parameter can be in a constraint."""
    return {
        name: Domain(parameter.values if isinstance(parameter, Categorical) else None)
        for name, parameter in parameters.items()
    }


def as_value(parameter: Parameter, value: Scalar) -> Scalar:
    """Return a value as the parameter has it: 1 is 1.0 where it is continuous."""
    if isinstance(parameter, Continuous) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value

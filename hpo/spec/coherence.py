"""What may be wrong between the sections of a spec: told from the text, so that no other mistake hides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic_core import PydanticCustomError

from hpo.spec.algorithms import SECTION, all_metrics, each_alone, located, misplaced
from hpo.spec.learners import AUTO, asks_auto, may_ask
from hpo.spec.objectives import objective_mistakes
from hpo.spec.repeats import seeds_given_twice
from hpo.spec.section import mistake
from hpo.spec.stopping import percentile_without_its_rule, stopped_twice
from hpo.spec.ties import untied


def incoherences(spec: object) -> Iterator[PydanticCustomError]:
    """Yield what does not go together in a spec as written, whatever else is wrong with it."""
    if isinstance(spec, dict) and isinstance(spec.get(SECTION), dict):
        yield from _in_several(spec)
    else:
        yield from objective_mistakes(spec)
        yield from _in_one(spec)
    yield from stopped_twice(spec)
    yield from percentile_without_its_rule(spec)
    yield from seeds_given_twice(spec)


def _in_several(spec: Mapping[str, object]) -> Iterator[PydanticCustomError]:
    """Yield what does not go together in a spec of several algorithms."""
    yield from misplaced(spec)
    yield from objective_mistakes({**spec, "metrics": all_metrics(spec)})
    for name, own, alone in each_alone(spec):
        for error in _in_one(alone):
            yield located(error, name, own)


def _in_one(spec: object) -> Iterator[PydanticCustomError]:
    """Yield what does not go together in one search space."""
    yield from _asked_wrongly(spec)
    yield from _tuned_and_fixed(spec)
    yield from _endless_grid(spec)
    yield from _warm_grid(spec)
    yield from _warm_front(spec)
    yield from untied(spec)


def _asked_wrongly(spec: object) -> Iterator[PydanticCustomError]:
    match spec:
        case {"parameters": dict() as parameters} if asks_auto(parameters) and not may_ask(parameters[AUTO]):
            text = "it must be true, or a list of parameters that the library has"
            yield mistake(text, at=("parameters", AUTO))
        case _:
            return


def _tuned_and_fixed(spec: object) -> Iterator[PydanticCustomError]:
    match spec:
        case {"parameters": dict() as parameters, "fixed": dict() as fixed}:
            both = [name for name in fixed if name in parameters]
        case _:
            return
    for name in both:
        text = "it is tuned under `parameters`, too"
        yield mistake(text, hint="keep one of the two", at=("fixed", name))


def _endless_grid(spec: object) -> Iterator[PydanticCustomError]:
    match spec:
        case {"parameters": dict() as parameters, "strategy": "grid" | {"name": "grid"}}:
            continuous = [name for name, parameter in parameters.items() if _is_endless(parameter)]
        case _:
            return
    for name in continuous:
        text = "a grid cannot list the values of a continuous parameter without a step"
        yield mistake(text, hint="give it a step, or take another strategy", at=("parameters", name))


def _warm_grid(spec: object) -> Iterator[PydanticCustomError]:
    match spec:
        case {"warm_start": dict(), "strategy": "grid" | {"name": "grid"}}:
            text = "a grid tries every combination, whatever other jobs have found"
            yield mistake(text, hint="leave it out, or take another strategy", at=("warm_start",))
        case _:
            return


def _warm_front(spec: object) -> Iterator[PydanticCustomError]:
    match spec:
        case {"warm_start": {"type": "transfer"}, "objectives": list() | tuple()}:
            text = "a transfer says where to begin by one value of each trial, and not by several"
            hint = "take `type: identical`, leave it out, or tune for one `objective`"
            yield mistake(text, hint=hint, at=("warm_start", "type"))
        case _:
            return


def _is_endless(parameter: object) -> bool:
    match parameter:
        case {"type": "continuous", **rest}:
            return rest.get("step") is None
        case _:
            return False

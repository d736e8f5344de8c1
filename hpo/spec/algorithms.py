"""The section `algorithms`: several programs of one job, each with a search space of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from hpo.spec.learners import LearnerName, refuse_auto
from hpo.spec.names import ALGORITHM
from hpo.spec.objectives import objective_metrics, required_metrics
from hpo.spec.parameters import ParameterModel
from hpo.spec.section import Constraints, Initial, ParameterName, Section, SpecScalar, Text, mistake
from hpo.spec.warm_start import WarmStart

SECTION = "algorithms"

OVERLAID = ("fixed", "metrics", "launcher")
"""Sections that all algorithms share, each with its own over them, key by key."""

OWN = ("learner", "parameters", "constraints", "initial")
"""Sections that each algorithm has for itself, and then the job has not."""

INSTEAD = ("warm_start",)
"""Sections of the job in whose place each algorithm may have one of its own."""


def _algorithm_name(name: str) -> str:
    if not ALGORITHM.fullmatch(name):
        raise mistake(
            "an algorithm's name is 1 to 64 letters (a to z), digits, _, . and -, the first one a letter or _"
        )
    return name


AlgorithmName = Annotated[
    str,
    AfterValidator(_algorithm_name),
    WithJsonSchema({"type": "string", "pattern": f"^{ALGORITHM.pattern}$"}),
]


def nothing_to_tune(at: Sequence[str] = ()) -> PydanticCustomError:
    """Return the mistake of parameters that are none."""
    hint = "as in lr: {type: continuous, min: 1.0e-4, max: 0.1}"
    return mistake("there is nothing to tune", hint=hint, at=at)


class AlgorithmLauncher(Section):
    """Options of the job's launcher, over those that the job gives it: its command, its image."""

    model_config = ConfigDict(extra="allow")

    kind: Text | None = Field(default=None, description="the job's, as all algorithms run on one kind")


class Algorithm(Section):
    """One of several algorithms: what it has for itself, beside what all of them share."""

    learner: LearnerName | None = Field(
        default=None, description="what its program trains, for `parameters: auto`: a learner of the library"
    )
    parameters: Mapping[ParameterName, ParameterModel] = Field(
        description="what is tuned: continuous, integer and categorical parameters, by name",
        json_schema_extra={"minProperties": 1},
    )
    fixed: Mapping[ParameterName, SpecScalar] = Field(
        default_factory=dict, description="parameters given to each of its trials, over the job's"
    )
    constraints: Constraints = Field(
        default=(), description="comparisons that each of its trials' parameters keep to"
    )
    initial: Initial = Field(
        default=(), description="what to try first of it: values of some parameters, or of all"
    )
    metrics: Mapping[Text, Text] = Field(
        default_factory=dict, description="name → regex with one group, over the job's"
    )
    launcher: AlgorithmLauncher = Field(
        default_factory=AlgorithmLauncher, description="options of the launcher, over the job's"
    )
    warm_start: WarmStart | None = Field(
        default=None, description="what it begins with, in the place of the job's"
    )

    @field_validator("parameters", mode="before")
    @classmethod
    def _are_written_out(cls, data: object, info: ValidationInfo) -> object:
        return refuse_auto(data, info.data)

    @field_validator("parameters")
    @classmethod
    def _are_some(cls, parameters: Mapping[str, ParameterModel]) -> Mapping[str, ParameterModel]:
        if not parameters:
            raise nothing_to_tune()
        return parameters


_Written = Mapping[str, object]
"""A section as written."""


def each_alone(spec: _Written) -> Iterator[tuple[str, _Written, _Written]]:
    """Yield each algorithm's name, its section, and the spec as it would be with this one only."""
    algorithms = spec.get(SECTION)
    shared = {key: value for key, value in spec.items() if key not in {SECTION, *OWN}}
    for name, algorithm in algorithms.items() if isinstance(algorithms, dict) else ():
        if isinstance(algorithm, dict):
            own = {key: algorithm[key] for key in OWN if key in algorithm}
            over = {key: _laid_over(spec, algorithm, key) for key in OVERLAID}
            instead = {key: algorithm[key] for key in INSTEAD if algorithm.get(key) is not None}
            yield name, algorithm, {**shared, **own, **over, **instead}


def all_metrics(spec: _Written) -> _Written:
    """Return the metrics of all algorithms of a spec as written; where names are equal, any one's."""
    found = [alone["metrics"] for _, _, alone in each_alone(spec)]
    return {name: regex for metrics in found if isinstance(metrics, dict) for name, regex in metrics.items()}


def _laid_over(spec: _Written, algorithm: _Written, key: str) -> object:
    match spec.get(key), algorithm.get(key):
        case dict() as below, dict() as above:
            return {**below, **above}
        case below, above:
            return below if above is None else above


def located(error: PydanticCustomError, name: str, algorithm: _Written) -> PydanticCustomError:
    """Return a mistake in one algorithm's sections with its place in the whole spec: the algorithm's own."""
    context = error.context or {}
    at = tuple(context["at"])
    if is_own(at, algorithm):
        at = (SECTION, name, *at)
    return mistake(context["text"], hint=context["hint"], at=at)


def is_own(path: tuple[str | int, ...], algorithm: _Written) -> bool:
    """Tell whether what stands at a path, seen from an algorithm alone, is its own, and not the job's."""
    if not path or path[0] not in {*OWN, *OVERLAID, *INSTEAD}:
        return False
    if path[0] in INSTEAD:
        return algorithm.get(str(path[0])) is not None
    if path[0] in OWN or not path[1:]:
        return True
    section = algorithm.get(str(path[0]))
    return isinstance(section, dict) and path[1] in section


def misplaced(spec: _Written) -> Iterator[PydanticCustomError]:
    """Yield what a spec of several algorithms, as written, says in the wrong place."""
    for key in OWN:
        if spec.get(key) is not None:
            text = f"with `{SECTION}`, each of them has its own"
            yield mistake(text, hint=f"move it below `{SECTION}`", at=(key,))
    yield from _without_metric(spec)
    launcher = spec.get("launcher")
    kind = (launcher.get("kind") if isinstance(launcher, dict) else None) or "process"
    for name, algorithm, _ in each_alone(spec):
        match algorithm:
            case {"launcher": {"kind": str() as other}} if other != kind:
                text = f"all algorithms run on one kind of launcher, which is {kind}"
                at = (SECTION, name, "launcher", "kind")
                yield mistake(text, hint="leave it out, or give it under `launcher`", at=at)
            case _:
                pass


def _without_metric(spec: _Written) -> Iterator[PydanticCustomError]:
    """Yield which algorithms lack a metric that is an objective or required, where others have it."""
    defined = all_metrics(spec)
    named = dict.fromkeys(required_metrics(spec.get("require"), list(defined)), "`require`")
    named |= {name: "the objective" for name in objective_metrics(spec) if name in defined}
    for wanted, names in named.items():
        for name, _, alone in each_alone(spec):
            given = alone["metrics"]
            if not isinstance(given, dict) or wanted not in given:
                hint = f"define it under `{SECTION}.{name}.metrics`, or for all of them under `metrics`"
                text = f"it has no metric `{wanted}`, which {names} names"
                yield mistake(text, hint=hint, at=(SECTION, name))

"""The JSON Schema says what the loader takes."""

from collections.abc import Callable

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from hpo.errors import SpecError
from hpo.spec.document import Document
from hpo.spec.load import schema, spec_of

Read = Callable[..., Document]


class ProcessOptions(BaseModel):
    """Programs."""

    model_config = ConfigDict(extra="forbid")

    command: list[str] = Field(description="what to run")


class Volume(BaseModel):
    """A folder."""

    path: str


class ClusterOptions(BaseModel):
    """A cluster."""

    model_config = ConfigDict(extra="forbid")

    queue: str
    volumes: list[Volume] = Field(default_factory=list)


SCHEMA = schema({"process": ProcessOptions, "cluster": ClusterOptions})


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator.check_schema(schema())
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    "override",
    [
        "strategy=grid",
        "strategy={name: random}",
        "strategy={name: hyperband, max_resource: 9}",
        "strategy={name: bayesian, improvement_per: second}",
        "limits.max_runtime=90",
        "limits.max_runtime=1.5h",
        "seed=0",
        "parameters.lr={type: continuous, min: 0, max: 0.5, step: 0.1}",
        "parameters.kind={type: categorical, values: [a, 1, 0.5, true, null]}",
        "fixed={a: 1, b: x, c: null}",
        "stop_when={target: 1, not_improving_for: 3}",
        "early_stopping=off",
        "early_stopping=median",
        "early_stopping={rule: median, min_steps: 4}",
        "stop_when={converged: true, running: finish}",
        "inputs={train: ./data}",
        "launcher.kind=process",
    ],
)
def test_what_the_loader_takes_is_valid(read: Read, text: str, override: str) -> None:
    base = text.replace("max_jobs: 5", "max_jobs: 8") if "strategy=grid" in override else text
    document = read(base, overrides=(override,))
    assert spec_of(document) is not None
    assert not document.problems
    Draft202012Validator(SCHEMA).validate(document.value())


@pytest.mark.parametrize(
    "override",
    [
        "name=a_b",
        "nam=a",
        "strategy=gird",
        "strategy={name: random, max_resource: 9}",
        "strategy={name: random, improvement_per: second}",
        "strategy={name: bayesian, improvement_per: minute}",
        "limits.max_jobs=0",
        "limits.max_jobs='5'",
        "limits.max_runtime=2w",
        "seed=-1",
        "objective.goal=up",
        "parameters.lr={type: continuous, min: 0}",
        "parameters.lr={type: integer, min: 0, max: 1, scaling: reverse-logarithmic}",
        "parameters.kind={type: categorical, values: []}",
        "parameters.9a={type: integer, min: 0, max: 1}",
        "fixed={a: [1]}",
        "fixed={a b: 1}",
        "inputs={a b: x}",
        "early_stopping=mean",
        "early_stopping={min_trials: 3}",
        "stop_when.running=on",
        "warm_start={parents: [a]}",
        "warm_start={type: identical, parents: []}",
    ],
)
def test_what_the_schema_refuses_the_loader_refuses_too(read: Read, text: str, override: str) -> None:
    document = read(text, overrides=(override,))
    spec_of(document)
    with pytest.raises(SpecError):
        document.raise_problems()
    assert not Draft202012Validator(SCHEMA).is_valid(document.value())


@pytest.mark.parametrize(
    ("launcher", "valid"),
    [
        ({"command": ["a"]}, True),
        ({"kind": "process", "command": ["a"]}, True),
        ({"kind": "cluster", "queue": "long", "volumes": [{"path": "/data"}]}, True),
        ({"kind": "cluster", "command": ["a"]}, False),
        ({"queue": "long"}, False),
        ({"kind": "cloud", "command": ["a"]}, False),
        ({"kind": "process"}, False),
    ],
)
def test_every_launcher_brings_its_options(
    read: Read, text: str, launcher: dict[str, object], *, valid: bool
) -> None:
    spec = read(text).value()
    assert isinstance(spec, dict)
    assert Draft202012Validator(SCHEMA).is_valid({**spec, "launcher": launcher}) is valid


def test_without_launchers_their_options_are_left_open(read: Read, text: str) -> None:
    Draft202012Validator(schema()).validate(read(text).value())

"""The section `algorithms`: what of it is an algorithm's own, and what the job's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from hpo.launchers import registry
from hpo.spec.document import Document
from hpo.spec.load import schema, spec_of
from tests.spec.conftest import Load, Read, Refuse

SPEC = """\
name: digits
objective: {metric: f1, goal: maximize}
metrics: {f1: 'f1: (\\S+)', loss: 'loss=(\\S+)'}
algorithms:
  forest:
    parameters: {depth: {type: integer, min: 1, max: 8}}
    fixed: {epochs: 3}
    launcher: {command: [python, forest.py]}
  boosting:
    parameters:
      depth: {type: continuous, min: 0.5, max: 2.0, step: 0.5}
      kind: {type: categorical, values: [a, b]}
    constraints: ["depth < limit"]
    initial: [{kind: b}]
    metrics: {f1: 'eval: (\\S+)'}
    launcher: {command: [python, boosting.py]}
fixed: {epochs: 1, limit: 1.8}
limits: {max_jobs: 5}
"""

SCHEMA = schema({kind: registry.options_model(kind) for kind in ("process", "docker")})


def test_an_algorithm_alone_has_its_own_sections_over_the_jobs(load: Load) -> None:
    spec = load(SPEC)
    forest, boosting = spec.alone("forest"), spec.alone("boosting")
    assert forest.metrics == {"f1": r"f1: (\S+)", "loss": r"loss=(\S+)"}
    assert boosting.metrics == {"f1": r"eval: (\S+)", "loss": r"loss=(\S+)"}
    assert (forest.fixed, boosting.fixed) == ({"epochs": 3, "limit": 1.8}, {"epochs": 1, "limit": 1.8})
    assert (forest.space().cardinality, boosting.space().cardinality) == (8, 6)
    assert forest.first_configurations() == ()
    assert boosting.first_configurations()[0]["kind"] == "b"
    assert len(spec.space()) == 0


def test_a_grid_of_several_is_all_of_their_cells(load: Load, refuse: Refuse) -> None:
    assert load(SPEC, overrides=("strategy=grid", "limits={max_jobs: 14}")).limits.max_jobs == 14
    without = SPEC.replace("limits: {max_jobs: 5}\n", "")
    assert load(without, overrides=("strategy=grid",)).limits.max_jobs == 14
    (problem,) = refuse(SPEC, overrides=("strategy=grid",))
    assert "the grid has 14 combinations" in problem


def test_overlays_and_overrides_reach_into_an_algorithm(load: Load, refuse: Refuse) -> None:
    overlay = (
        "algorithms: {forest: {parameters: {depth: {max: 4}, width: {type: integer, min: 1, max: 2}}}}\n"
    )
    spec = load(SPEC, overlay, overrides=("algorithms.boosting.fixed.limit=0.7",))
    assert spec.alone("forest").space().cardinality == 4 * 2
    assert spec.alone("boosting").space().cardinality == 2
    (problem,) = refuse(SPEC, "algorithms: {forest: {parameters: {depth: {max: 0}}}}\n")
    assert problem.startswith("overlay-1.yaml:1:49: `algorithms.forest.parameters.depth.max` is 0;")


@pytest.mark.parametrize(
    "override",
    [
        "fixed={}",
        "launcher={kind: docker, image: x}",
        "launcher={threads: 2}",
        "algorithms.forest.launcher={threads: 2}",
        "strategy={name: hyperband, max_resource: 9}",
    ],
)
def test_the_schema_takes_what_the_loader_does(read: Read, override: str) -> None:
    overrides = (override, *(("algorithms.boosting.constraints=[]",) if override == "fixed={}" else ()))
    Draft202012Validator(SCHEMA).validate(read(SPEC, overrides=overrides).value())


@pytest.mark.parametrize(
    "override",
    [
        "parameters={x: {type: integer, min: 1, max: 2}}",
        "initial=[{depth: 1}]",
        "algorithms.third={launcher: {threads: 2}}",
        "algorithms.forest.launcher.threds=2",
        "algorithms.forest.strategy=grid",
        "algorithms.2nd={parameters: {x: {type: integer, min: 1, max: 2}}}",
    ],
)
def test_the_schema_refuses_what_the_loader_does(read: Read, override: str) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(read(SPEC, overrides=(override,)).value())
    one = SPEC[: SPEC.index("algorithms:")] + SPEC[SPEC.index("fixed: {epochs: 1") :]
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(read(one).value())


_PATHS = [
    *[
        "algorithms",
        "algorithms.forest",
        "algorithms.forest.parameters",
        "algorithms.forest.parameters.depth",
    ],
    *["algorithms.forest.fixed", "algorithms.forest.fixed.depth", "algorithms.forest.constraints", "metrics"],
    *["algorithms.forest.initial", "algorithms.forest.metrics", "algorithms.forest.launcher", "strategy"],
    *["algorithms.forest.launcher.kind", "algorithms.forest.more", "objective.metric", "objective.step"],
    *["parameters", "fixed", "fixed.kind", "launcher", "launcher.kind", "limits.max_jobs", "initial"],
]
_VALUES = [
    "",
    "1",
    "x",
    "[]",
    "[a]",
    "{}",
    "[{depth: 1}]",
    "{a: [1]}",
    "{f1: 1}",
    "{depth: {type: integer}}",
    "grid",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@settings(max_examples=200, derandomize=True, database=None)
@given(st.lists(st.tuples(st.sampled_from(_PATHS), st.sampled_from(_VALUES)), max_size=4))
def test_any_values_are_a_spec_or_mistakes_with_their_places(
    folder: Path, overrides: list[tuple[str, str]]
) -> None:
    path = folder / "spec.yaml"
    path.write_text(SPEC)
    document = Document.read([path], overrides=[f"{key}={value}" for key, value in overrides])
    spec = spec_of(document)
    assert (spec is None) <= bool(document.problems)
    for problem in document.problems:
        assert problem.message
        assert problem.path
        assert problem.file
    if spec is not None and not document.problems:
        for name in spec.algorithms:
            assert len(spec.alone(name).space()) > 0

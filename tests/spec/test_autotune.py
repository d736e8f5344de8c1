"""`parameters: auto` is written out of the library, and what the user has written stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from hpo.spec.autotune import Chosen, at_a_time, choose, trials
from hpo.spec.document import Document
from hpo.spec.learners import LEARNERS
from hpo.spec.load import schema, spec_of
from hpo.spec.models import Spec
from hpo.spec.scaling import Scaling
from hpo.spec.space import Continuous, Integer

SPACES = Path(__file__).parents[2] / "configs" / "spaces"

SPEC: dict[str, object] = {
    "name": "job",
    "objective": {"metric": "f1", "goal": "maximize"},
    "metrics": {"f1": r"f1: (\S+)"},
    "parameters": "auto",
}


def read(**sections: object) -> Document:
    return Document.read([{**SPEC, **sections}])


def chosen(**sections: object) -> tuple[Spec, Chosen]:
    """Return the spec with what was chosen for it; there must be no mistakes."""
    document = read(**sections)
    found = choose(document)
    spec = spec_of(document)
    document.raise_problems()
    assert spec is not None
    return spec, found[None]


def mistakes(**sections: object) -> dict[str, str]:
    document = read(**sections)
    choose(document)
    spec_of(document)
    return {problem.path: f"{problem.message} ({problem.hint})" for problem in document.problems}


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_s_whole_space_is_taken(name: str) -> None:
    spec, found = chosen(learner=name)
    overlay = Document.read([SPACES / f"{name}.yaml"])
    wanted, fixed = overlay.value("parameters"), overlay.value("fixed") or {}
    assert isinstance(wanted, dict)
    assert isinstance(fixed, dict)
    assert spec.learner == name
    assert found.parameters == tuple(spec.parameters) == tuple(wanted)
    for each, parameter in spec.parameters.items():
        assert parameter == type(parameter).model_validate(wanted[each])
    assert spec.fixed == found.fixed == fixed
    assert spec.limits.max_jobs == 10 * len(spec.parameters)
    assert spec.early_stopping == ("off" if name in {"random-forest", "svm"} else "median")
    assert found.told_by == "learner"
    assert len(found.learner.sources) > 50


def test_every_space_of_the_library_is_a_learner_s() -> None:
    assert {path.stem for path in SPACES.glob("*.yaml")} == set(LEARNERS)


@pytest.mark.parametrize(
    ("parameters", "most", "parallel"), [(1, 20, 1), (2, 20, 1), (4, 40, 2), (9, 90, 4), (20, 200, 4)]
)
def test_limits_grow_with_the_parameters(parameters: int, most: int, parallel: int) -> None:
    assert trials(parameters) == most
    assert at_a_time(most) == parallel


def test_what_is_written_stands() -> None:
    spec, found = chosen(
        learner="xgboost",
        fixed={"eta": 0.1, "nthread": 2},
        limits={"max_jobs": 7, "max_runtime": "1h"},
        early_stopping="off",
    )
    assert "eta" not in spec.parameters
    assert spec.fixed == {"eta": 0.1, "nthread": 2}
    assert (spec.limits.max_jobs, spec.limits.max_parallel_jobs, spec.limits.max_runtime) == (7, 1, 3600)
    assert spec.early_stopping == "off"
    assert (found.limits, found.early_stopping) == ({"max_parallel_jobs": 1}, None)


def test_single_ranges_are_given_beside_it() -> None:
    spec, found = chosen(
        learner="lightgbm",
        parameters={
            "auto": True,
            "learning_rate": {"max": 0.1},
            "num_leaves": {"type": "categorical", "values": [7, 31]},
            "max_depth": {"type": "integer", "min": 3, "max": 9},
            "extra": {"type": "integer", "min": 1, "max": 2},
        },
    )
    rate = spec.parameters["learning_rate"].parameter("lr")
    assert rate == Continuous("lr", 0.005, 0.1, Scaling.LOGARITHMIC)
    assert spec.parameters["num_leaves"].type == "categorical"
    assert not {"num_leaves", "max_depth", "extra"} & set(found.parameters)
    assert spec.fixed == {"bagging_freq": 1}  # the library's max_depth: -1 is tuned here
    assert spec.limits.max_jobs == 100  # ten parameters


def test_only_the_named_ones_are_taken_with_those_they_depend_on() -> None:
    spec, _ = chosen(learner="random-forest", parameters={"auto": ["max_samples", "n_estimators"]})
    assert list(spec.parameters) == ["bootstrap", "max_samples"]
    assert spec.fixed == {"n_estimators": 500}
    assert spec.limits.max_jobs == 20
    spec, _ = chosen(learner="random-forest", parameters={"auto": ["criterion"]})
    assert (list(spec.parameters), spec.fixed) == (["criterion"], {})


def test_they_are_called_as_the_list_spells_them() -> None:
    spec, found = chosen(
        learner="lightgbm",
        parameters={"auto": ["num-leaves", "learning_rate", "bagging-freq"], "num-leaves": {"max": 64}},
    )
    assert list(spec.parameters) == ["learning_rate", "num-leaves"] == list(found.parameters)
    assert spec.parameters["num-leaves"].parameter("n") == Integer("n", 4, 64, Scaling.LOGARITHMIC)
    assert spec.fixed == {"bagging-freq": 1}
    spec, _ = chosen(learner="mlp", parameters={"auto": ["momentum", "learning_rate"]})
    assert {name: dict(parameter.when) for name, parameter in spec.parameters.items()} == {
        "optimizer": {},
        "learning_rate": {},
        "momentum": {"optimizer": ("sgd",)},
    }


@pytest.mark.parametrize(
    ("sections", "wanted"),
    [
        ({"fixed": {"kernel": "linear"}}, {"C": {}}),
        ({"fixed": {"kernel": "rbf"}}, {"C": {}, "gamma": {}}),
        (
            {"parameters": {"auto": True, "kernel": {"values": ["rbf", "linear"]}}},
            {"kernel": {}, "C": {}, "gamma": {"kernel": ("rbf",)}},
        ),
        (
            {"parameters": {"auto": True, "gamma": {"when": {"kernel": ["poly"]}}}},
            {
                "kernel": {},
                "C": {},
                "gamma": {"kernel": ("poly",)},
                "degree": {"kernel": ("poly",)},
                "coef0": {"kernel": ("poly",)},
            },
        ),
    ],
)
def test_conditions_follow_what_is_fixed_and_what_is_left(
    sections: dict[str, object], wanted: dict[str, object]
) -> None:
    spec, _ = chosen(learner="svm", **sections)
    assert {name: dict(parameter.when) for name, parameter in spec.parameters.items()} == wanted


def test_nothing_else_stops_trials_of_hyperband() -> None:
    spec, found = chosen(learner="xgboost", strategy={"name": "hyperband", "max_resource": 27})
    assert (spec.early_stopping, found.early_stopping) == ("off", None)


def test_trials_are_not_judged_by_one_of_several_objectives() -> None:
    several = [{"metric": "f1", "goal": "maximize"}, {"metric": "loss", "goal": "minimize"}]
    metrics = {"f1": "f1: (.+)", "loss": "loss: (.+)"}
    spec, found = chosen(learner="xgboost", objective=None, objectives=several, metrics=metrics, repeats=2)
    assert (spec.early_stopping, found.early_stopping) == ("off", None)


def test_a_launcher_may_tell_the_learner() -> None:
    document = read()
    assert choose(document, told={None: "xgboost"})[None].told_by == "launcher"
    assert document.value("learner") == "xgboost"
    _, found = chosen(learner="svm")
    assert found.learner.name == "svm"


def test_what_was_written_out_is_not_chosen_again() -> None:
    document = read(learner="mlp")
    choose(document)
    assert choose(document) == {}


@pytest.mark.parametrize(
    ("sections", "wanted"),
    [
        ({}, {"parameters": "`parameters` is `auto`; hpo must know the learner to choose (write learner"}),
        ({"parameters": {"auto": True}}, {"parameters": "`parameters`: hpo must know the learner to choose"}),
        ({"learner": "xgbost"}, {"learner": "did you mean `xgboost`?"}),
        (
            {"learner": "xgbost", "limits": {"max_jobs": 0}},
            {"learner": "xgb", "limits.max_jobs": "1 or more"},
        ),
        (
            {"learner": "svm", "parameters": {"auto": False}},
            {"parameters.auto": "it must be true, or a list"},
        ),
        ({"learner": "svm", "parameters": {"auto": 1}}, {"parameters.auto": "it must be true, or a list"}),
        (
            {"learner": "svm", "parameters": {"auto": ["Gama", "C"]}},
            {"parameters.auto.0": "did you mean `gamma`? (there are: kernel, C, gamma, degree, coef0)"},
        ),
        (
            {"learner": "xgboost", "parameters": {"auto": True, "eta": {"max": 0.001}}},
            {"parameters.eta.max": "it must be more than min, which is 0.005"},
        ),
        (
            {
                "learner": "svm",
                "fixed": {"kernel": "rbf"},
                "parameters": {"auto": True, "degree": {"max": 3}},
            },
            {"parameters.degree.when.kernel": "it has one value always, under `fixed`"},
        ),
        ({"learner": "svm", "limits": 3}, {"limits": "it must be a mapping"}),
        ({"learner": "random-forest", "fixed": 3}, {"fixed": "it must be a mapping"}),
    ],
)
def test_mistakes_are_told_each_at_its_place(sections: dict[str, object], wanted: dict[str, str]) -> None:
    found = mistakes(**sections)
    assert found.keys() == wanted.keys()
    for path, text in wanted.items():
        assert text in found[path]


def test_a_parameter_may_be_called_auto() -> None:
    document = read(parameters={"auto": {"type": "integer", "min": 1, "max": 2}}, limits={"max_jobs": 2})
    assert choose(document) == {}
    spec = spec_of(document)
    document.raise_problems()
    assert spec is not None
    assert list(spec.parameters) == ["auto"]


@pytest.mark.parametrize(
    ("parameters", "valid"),
    [
        ("auto", True),
        ({"auto": True}, True),
        ({"auto": ["eta"], "eta": {"max": 0.1}}, True),
        ({"auto": {"type": "integer", "min": 1, "max": 2}}, True),
        ("all", False),
        ({"auto": False}, False),
        ({"eta": {"max": 0.1}}, False),
    ],
)
def test_the_schema_takes_it(parameters: object, *, valid: bool) -> None:
    spec = {**SPEC, "learner": "xgboost", "parameters": parameters}
    assert Draft202012Validator(schema()).is_valid(spec) is valid
    assert not Draft202012Validator(schema()).is_valid({**spec, "learner": "xgb"})

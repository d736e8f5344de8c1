"""`parameters: auto` of some of several algorithms: each has its own learner, the job its limits."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from hpo.spec.autotune import Chosen, choose
from hpo.spec.document import Document
from hpo.spec.load import schema, spec_of
from hpo.spec.models import Spec

FOREST = {"learner": "random-forest", "parameters": "auto"}
BOOSTING = {"learner": "xgboost", "parameters": {"auto": ["eta", "max-depth"], "eta": {"max": 0.1}}}
OWN = {"parameters": {"x": {"type": "continuous", "min": 0.0, "max": 1.0}}}


def read(algorithms: dict[str, object], **sections: object) -> Document:
    spec: dict[str, object] = {
        "name": "job",
        "objective": {"metric": "f1", "goal": "maximize"},
        "metrics": {"f1": r"f1: (\S+)"},
    }
    return Document.read([spec | {"algorithms": algorithms} | sections])


def chosen(algorithms: dict[str, object], **sections: object) -> tuple[Spec, dict[str | None, Chosen]]:
    """Return the spec with what was chosen for it; there must be no mistakes."""
    document = read(algorithms, **sections)
    found = choose(document)
    spec = spec_of(document)
    document.raise_problems()
    assert spec is not None
    assert choose(document) == {}, "it is written out"
    return spec, found


def test_each_learner_s_space_is_its_algorithm_s() -> None:
    spec, found = chosen({"forest": FOREST, "boosting": BOOSTING, "own": OWN}, fixed={"criterion": "gini"})
    forest, boosting = spec.alone("forest"), spec.alone("boosting")
    assert "criterion" not in forest.parameters, "it is fixed for all of them"
    assert len(forest.parameters) == 5
    assert forest.fixed == {"criterion": "gini", "n_estimators": 500}
    assert list(boosting.parameters) == ["eta", "max-depth"]
    assert boosting.parameters["eta"].model_dump()["max"] == 0.1
    assert boosting.fixed == {"criterion": "gini"}
    assert (forest.learner, boosting.learner, spec.learner) == ("random-forest", "xgboost", None)
    assert [each.told_by for each in found.values()] == [
        "algorithms.forest.learner", "algorithms.boosting.learner",
    ]  # fmt: skip
    assert found["forest"].fixed == {"n_estimators": 500}
    assert list(found) == ["forest", "boosting"]


def test_the_job_has_as_many_trials_as_all_of_them_would_have_alone() -> None:
    spec, found = chosen({"forest": FOREST, "boosting": BOOSTING, "own": OWN})
    assert (spec.limits.max_jobs, spec.limits.max_parallel_jobs) == (60 + 20 + 20, 4)
    assert {str(each.limits) for each in found.values()} == {"{'max_jobs': 100, 'max_parallel_jobs': 4}"}
    spec, found = chosen({"forest": FOREST, "own": OWN}, limits={"max_jobs": 40})
    assert found["forest"].limits == {"max_parallel_jobs": 2}


@pytest.mark.parametrize(
    ("algorithms", "strategy", "rule"),
    [
        ({"forest": FOREST, "boosting": BOOSTING}, "bayesian", "median"),
        ({"forest": FOREST, "boosting": BOOSTING}, {"name": "hyperband", "max_resource": 9}, None),
        ({"forest": FOREST, "svm": FOREST | {"learner": "svm"}}, "bayesian", None),
        ({"boosting": BOOSTING, "own": OWN}, "bayesian", None),
    ],
)
def test_trials_are_stopped_early_where_all_learners_are_known_and_some_print_in_steps(
    algorithms: dict[str, object], strategy: object, rule: str | None
) -> None:
    spec, found = chosen(algorithms, strategy=strategy)
    assert spec.early_stopping == (rule or "off")
    assert {each.early_stopping for each in found.values()} == {rule}


def test_a_launcher_may_tell_the_learner_of_one() -> None:
    document = read({"forest": FOREST, "boosting": {"parameters": "auto"}})
    assert choose(document, told={"boosting": "xgboost"})["boosting"].told_by == "launcher"
    assert document.value("algorithms.boosting.learner") == "xgboost"


@pytest.mark.parametrize(
    ("algorithm", "sections", "wanted"),
    [
        ({"parameters": "auto"}, {}, {"algorithms.boosting.parameters": "hpo must know the learner"}),
        (
            {"parameters": "auto", "learner": "xgbost"},
            {},
            {"algorithms.boosting.learner": "did you mean `xgboost`?"},
        ),
        (
            {"parameters": {"auto": 1}, "learner": "svm"},
            {},
            {"algorithms.boosting.parameters.auto": "it must be true, or a list"},
        ),
        (
            {"parameters": {"auto": ["Gama"]}, "learner": "svm"},
            {},
            {
                "algorithms.boosting.parameters": "there is nothing to tune",
                "algorithms.boosting.parameters.auto.0": "did you mean `gamma`?",
            },
        ),
        (
            {"parameters": {"auto": True, "eta": {"max": 0.001}}, "learner": "xgboost"},
            {"learner": "svm"},
            {
                "algorithms.boosting.parameters.eta.max": "it must be more than min, which is 0.005",
                "learner": "with `algorithms`, each of them has its own",
            },
        ),
    ],
)
def test_mistakes_are_told_each_at_its_place(
    algorithm: dict[str, object], sections: dict[str, object], wanted: dict[str, str]
) -> None:
    document = read({"forest": FOREST, "boosting": algorithm}, **sections)
    choose(document)
    spec_of(document)
    found = {problem.path: problem.message for problem in document.problems}
    assert found.keys() == wanted.keys()
    for path, text in wanted.items():
        assert text in found[path]


def test_the_schema_takes_it() -> None:
    takes = Draft202012Validator(schema()).is_valid
    limits = {"max_jobs": 3}
    assert takes(read({"forest": FOREST, "boosting": BOOSTING}, limits=limits).value())
    assert not takes(read({"forest": FOREST, "boosting": BOOSTING}, limits=limits, learner="svm").value())
    assert not takes(
        read({"forest": FOREST, "boosting": {**BOOSTING, "learner": "xgb"}}, limits=limits).value()
    )

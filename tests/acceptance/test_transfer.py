"""Acceptance line 17: a warm start from jobs of other data, through the real command line."""

from __future__ import annotations

from tests.acceptance.parents import HILL, OTHER_DATA, STEEP, X, child, parent, told, trials
from tests.command_line import Hpo


def test_acceptance_17_a_transfer_takes_other_data_and_ranges_and_is_told(hpo: Hpo) -> None:
    parent(hpo, fixed={"epochs": 3})
    child(
        hpo,
        "transfer",
        program='echo "loss=$4"',
        parameters={"y": {"type": "integer", "min": 1, "max": 9}, "x": X | {"max": 2.0}},
        **OTHER_DATA,
    )
    planned = hpo("plan", "spec.yaml", "--json").json["warm_start"]
    said = hpo("run", "spec.yaml").err
    data = told(hpo)
    assert planned == [data]
    assert (data["parent"], data["type"], data["used"], data["trials"]) == ("first", "transfer", 8, 8)
    assert data["lacked"] == {"y": 5}
    assert data["ignored"] == ["epochs"]
    line = "parent    first (transfer): 8 of 8 trials are used; y was not known there, 5 is assumed"
    for shown in (said, hpo("status", "second").out, hpo("plan", "spec.yaml", "--set", "name=x").out):
        assert line in shown


def test_acceptance_17_a_parents_score_is_never_the_childs(hpo: Hpo) -> None:
    parent(hpo)  # its values are below 1
    child(hpo, "transfer", program='echo "loss=$((100 + HPO_TRIAL))"')
    hpo("run", "spec.yaml")
    best = hpo("best", "second", "--json").json
    assert (best["origin"], best["value"], best["trial"]) == ("second", 101.0, 1)
    assert len(hpo("best", "second", "--json", "--top", "99").json) == 8
    chosen = [trial["proposed_by"] for trial in trials(hpo)]
    assert chosen[0].startswith("parent: trial ")
    assert chosen[0].endswith(" of first")
    assert hpo("status", "second", "--json").json["chosen_by"]["parent"] >= 1
    first_values = trials(hpo)[0]["parameters"]
    assert first_values == hpo("best", "first", "--json").json["parameters"]


def test_acceptance_17_the_model_expects_what_a_parent_does_that_agrees(hpo: Hpo) -> None:
    parent(hpo, jobs=12)
    child(hpo, "transfer", program=STEEP, limits={"max_jobs": 12})
    hpo("run", "spec.yaml")
    believed = [t for t in trials(hpo) if "beginning with what parents expect" in t["proposed_by"]]
    assert believed
    assert all(t["proposed_by"].startswith("model of ") for t in believed)
    assert hpo("best", "second", "--json").json["value"] < 5.0  # a hundred times the parent's scale


def test_acceptance_17_a_parent_with_inverted_scores_is_left_alone(hpo: Hpo) -> None:
    parent(hpo, program=HILL, jobs=12)
    child(hpo, "transfer", limits={"max_jobs": 16})
    hpo("run", "spec.yaml")
    chosen = [trial["proposed_by"] for trial in trials(hpo)]
    assert sum(by.startswith("parent") for by in chosen) <= 2
    assert not any("parents expect" in by for by in chosen)
    assert hpo("best", "second", "--json").json["value"] < 0.05


def test_a_hint_of_a_parent_is_no_evidence_of_the_child(hpo: Hpo) -> None:
    parent(hpo)
    child(hpo, "transfer")
    hpo("run", "spec.yaml")
    child(hpo, "identical", "second", name="third")
    hpo("run", "spec.yaml")
    assert told(hpo, "third")["trials"] == 8

"""A job of several objectives that begins with the trials of earlier ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from hpo.core.settings import Goal
from hpo.report.pareto import pareto_front
from tests.command_line import Hpo

PROGRAM = """
awk -v x="$2" -v n="$4" 'BEGIN { print "acc=" 1 - (x - 0.7) ^ 2; print "latency=" 10 * n + 40 * x }'
"""
ACC = {"metric": "acc", "goal": "maximize"}
LATENCY = {"metric": "latency", "goal": "minimize"}
GOALS = [Goal.MAXIMIZE, Goal.MINIMIZE]

SEVERAL: dict[str, Any] = {
    "strategy": "bayesian",
    "objectives": [ACC, LATENCY],
    "metrics": {"acc": r"acc=(\S+)", "latency": r"latency=(\S+)"},
    "parameters": {
        "x": {"type": "continuous", "min": 0.0, "max": 1.0},
        "n": {"type": "integer", "min": 1, "max": 9},
    },
    "limits": {"max_jobs": 12},
    "objective": None,
}


def child(hpo: Hpo, *parents: str, **sections: object) -> None:
    start = {"type": "identical", "parents": list(parents)}
    hpo.job(
        PROGRAM, **{**SEVERAL, "name": "child", "limits": {"max_jobs": 5}, "warm_start": start, **sections}
    )


@pytest.fixture(scope="module")
def hpo(shared_hpo: Hpo) -> Hpo:
    """The command line with an ended job of two objectives, and one of one objective."""
    shared_hpo.job(PROGRAM, **{**SEVERAL, "name": "parent"})
    shared_hpo("run", "spec.yaml")
    one = {"objective": ACC, "objectives": None}
    shared_hpo.job(PROGRAM, **{**SEVERAL, "name": "single", "limits": {"max_jobs": 3}, **one})
    shared_hpo("run", "spec.yaml")
    return shared_hpo


def values(trials: list[dict[str, Any]]) -> list[list[float]]:
    return [[trial["values"]["acc"], trial["values"]["latency"]] for trial in trials]


def test_the_model_has_the_parents_trials_and_they_may_be_on_the_front(hpo: Hpo) -> None:
    child(hpo, "parent")
    assert "parent    parent (identical): 12 of 12 trials are used" in hpo("plan", "spec.yaml").out
    said = hpo("run", "spec.yaml").out
    own, before = hpo("trials", "child", "--json").json, hpo("trials", "parent", "--json").json
    assert "random start" in own[0]["proposed_by"], "one of its own, as far from the parents' as can be"
    assert own[-1]["proposed_by"].startswith(
        "model of 4 trials and 12 of parents where the objectives weigh 0."
    )
    everything = [*(("parent", trial) for trial in before), *(("child", trial) for trial in own)]
    expected = [everything[index] for index in pareto_front(values([t for _, t in everything]), GOALS)]
    front = hpo("best", "child", "--json").json
    assert [(each["origin"], each["trial"]) for each in front] == [(job, t["trial"]) for job, t in expected]
    assert [each["values"] for each in front] == [trial["values"] for _, trial in expected]
    assert {each["origin"] for each in front} == {"parent", "child"}
    ours = [trial["trial"] for job, trial in expected if job == "child"]
    assert [trial["trial"] for trial in own if trial["on_front"]] == sorted(ours)
    status = hpo("status", "child", "--json").json
    parents = len(front) - len(ours)
    assert (status["front"]["size"], status["front"]["trials"], status["front"]["parents"]) == (
        len(front),
        ours,
        parents,
    )
    assert f"and {parents} of parents; hypervolume " in hpo("status", "child").out
    assert f"the Pareto front, {len(ours)} of 5 trials, and {parents} of parents:" in said
    header, first, *_ = hpo("best", "child").out.splitlines()
    assert header.split()[:2] == ["trial", "of"]
    assert first.split()[1] == front[0]["origin"]
    best = max(each["values"]["acc"] for each in front)
    assert f"acc is {best:.6g}"[:10] in hpo("best", "child", "--fail-if", "acc < 2", status=3).err
    program = "import hpo; print([[each.origin, each.trial] for each in hpo.front('child')])"
    assert json.loads(hpo.python(program).replace("'", '"')) == [[e["origin"], e["trial"]] for e in front]
    hpo("delete", "child", "--yes")


def test_the_objectives_may_stand_in_another_order(hpo: Hpo) -> None:
    child(hpo, "parent", objectives=[LATENCY, ACC], strategy="random", limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    before = {trial["trial"]: trial["values"] for trial in hpo("trials", "parent", "--json").json}
    inherited = [each for each in hpo("best", "child", "--json").json if each["origin"] == "parent"]
    assert inherited
    assert all(each["values"] == before[each["trial"]] for each in inherited)
    hpo("delete", "child", "--yes")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_table_of_trials_is_a_parent(hpo: Hpo, form: str) -> None:
    hpo("trials", "parent", "--format", form, "--output", f"old.{form}")
    child(hpo, f"old.{form}", name=f"of-{form}", strategy="random", limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    inherited = {each["trial"]: each for each in hpo("best", f"of-{form}", "--json").json}
    front = hpo("best", "parent", "--json").json
    for each in front:
        if each["trial"] in inherited and inherited[each["trial"]]["origin"] == "old":
            assert inherited[each["trial"]]["values"] == each["values"]
    assert any(each["origin"] == "old" for each in inherited.values())


def test_what_it_was_begun_with_is_handed_on(hpo: Hpo) -> None:
    child(hpo, "parent", name="second", strategy="random", limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    child(hpo, "second", name="third", strategy="random", limits={"max_jobs": 1}, objectives=[LATENCY, ACC])
    hpo("run", "spec.yaml")
    origins = {each["origin"] for each in hpo("best", "third", "--json").json}
    assert "parent" in origins
    (data,) = hpo("status", "third", "--json").json["warm_start"]
    assert (data["trials"], data["used"]) == (13, 13)


def test_what_lacks_values_of_an_objective_is_refused(hpo: Hpo) -> None:
    hpo.write("old.csv", "x,n,acc\n0.5,3,0.9\n")
    child(hpo, "single", "old.csv", "optuna:study.log")
    said = hpo("run", "spec.yaml", status=2).err
    assert (
        "single: it was not tuned for latency, as this job is, and its trials have no value of that" in said
    )
    assert "old.csv has no column with values of latency; its columns are: x, n, acc" in said
    assert (
        "optuna:study.log: its trials have one value each, and this job is tuned for acc and latency" in said
    )


def test_another_goal_is_refused(hpo: Hpo) -> None:
    child(hpo, "parent", objectives=[ACC, {**LATENCY, "goal": "maximize"}])
    said = hpo("plan", "spec.yaml", status=2).err
    assert "its goal was to minimize latency, and this job's is to maximize it" in said


def test_a_job_of_one_objective_takes_its_values_from_one_of_several(hpo: Hpo) -> None:
    one = {"objective": LATENCY, "objectives": None, "strategy": "random", "limits": {"max_jobs": 1}}
    child(hpo, "parent", name="narrow", **one)
    hpo("run", "spec.yaml")
    least = min(trial["values"]["latency"] for trial in hpo("trials", "parent", "--json").json)
    assert hpo("best", "narrow", "--json").json["value"] <= least


def test_each_algorithm_begins_with_its_own(hpo: Hpo) -> None:
    def write(name: str, **sections: object) -> None:
        hpo.job(PROGRAM, **{**SEVERAL, "name": name, **sections})
        spec = yaml.safe_load(hpo.text("spec.yaml"))
        parameters = spec.pop("parameters")
        own = {"parameters": parameters, "metrics": spec.pop("metrics")}
        hpo.write("spec.yaml", yaml.safe_dump({**spec, "algorithms": {"one": own, "other": own}}))

    write("both", limits={"max_jobs": 8})
    hpo("run", "spec.yaml")
    write("both-2", limits={"max_jobs": 4}, warm_start={"type": "identical", "parents": ["both"]})
    hpo("run", "spec.yaml")
    counts = [each["used"] for each in hpo("status", "both-2", "--json").json["warm_start"]]
    assert len(counts) == 2
    assert sum(counts) == 8
    own = [trial["algorithm"] for trial in hpo("trials", "both", "--json").json]
    for each in hpo("best", "both-2", "--json").json:
        if each["origin"] == "both":
            assert each["algorithm"] == own[each["trial"] - 1]


def test_the_next_round_may_begin_with_this_ones_trials(hpo: Hpo) -> None:
    text = hpo("narrow", "parent", "--warm-start").out
    assert yaml.safe_load(text)["warm_start"] == {"type": "identical", "parents": ["parent"]}
    hpo.write("round-2.yaml", text)
    assert "parent    parent (identical): " in hpo("plan", "round-2.yaml").out

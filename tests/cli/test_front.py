"""Several objectives: the Pareto front of a job, from the command line with real programs."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
import yaml

from hpo.core.settings import Goal
from hpo.report.pareto import hypervolume, pareto_front
from tests.command_line import Hpo

PROGRAM = """
awk -v x="$2" -v n="$4" 'BEGIN { print "acc=" 1 - (x - 0.7) ^ 2; print "latency=" 10 * n + 40 * x }'
"""
"""More is slower, and best where `x` is 0.7."""

SEVERAL: dict[str, Any] = {
    "objectives": [{"metric": "acc", "goal": "maximize"}, {"metric": "latency", "goal": "minimize"}],
    "metrics": {"acc": r"acc=(\S+)", "latency": r"latency=(\S+)", "memory": r"memory=(\S+)"},
    "parameters": {
        "x": {"type": "continuous", "min": 0.0, "max": 1.0},
        "n": {"type": "integer", "min": 1, "max": 9},
    },
    "limits": {"max_jobs": 20},
}


def points(trials: list[dict[str, Any]]) -> list[list[float]]:
    return [[trial["values"]["acc"], trial["values"]["latency"]] for trial in trials]


@pytest.fixture(scope="module")
def hpo(shared_hpo: Hpo) -> Hpo:
    """The command line with one ended job of two objectives and a requirement."""
    shared_hpo.job(
        PROGRAM, **SEVERAL, objective=None, require=["latency < 80", "acc > 0.6"], strategy="bayesian"
    )
    shared_hpo("run", "spec.yaml")
    return shared_hpo


GOALS = [Goal.MAXIMIZE, Goal.MINIMIZE]


def test_best_is_the_pareto_front(hpo: Hpo) -> None:
    trials = hpo("trials", "job", "--json").json
    feasible = [trial for trial in trials if trial["values"]["latency"] < 80 and trial["values"]["acc"] > 0.6]
    expected = [feasible[index]["trial"] for index in pareto_front(points(feasible), GOALS)]
    best = hpo("best", "job", "--json").json
    assert [each["trial"] for each in best] == expected
    assert 1 < len(expected) < len(feasible) < len(trials) == 20
    first = best[0]
    of_trial = next(trial for trial in trials if trial["trial"] == first["trial"])
    assert first == {
        "job": "job",
        "trial": first["trial"],
        "algorithm": None,
        "values": of_trial["values"],
        "goals": {"acc": "maximize", "latency": "minimize"},
        "parameters": of_trial["parameters"],
        "status": "completed",
        "origin": "job",
        "cost": None,
        "fixed": {},
    }
    assert [trial["trial"] for trial in trials if trial["on_front"]] == sorted(expected)
    by_value = [trial["trial"] for trial in hpo("trials", "job", "--json", "--sort", "value").json]
    assert by_value[: len(expected)] == expected
    assert set(by_value[len(expected) : len(feasible)]) == {t["trial"] for t in feasible} - set(expected)


def test_the_front_is_a_table(hpo: Hpo) -> None:
    best = hpo("best", "job", "--json").json
    header, *rows = hpo("best", "job").out.splitlines()
    assert header.split() == ["trial", "acc", "(maximize)", "latency", "(minimize)", "x", "n"]
    shown = [[row.split()[0], float(row.split()[1]), float(row.split()[2])] for row in rows]
    assert shown == [
        [str(each["trial"]), *(float(f"{value:.6g}") for value in each["values"].values())] for each in best
    ]


@pytest.mark.parametrize("form", ["args", "env", "yaml"])
def test_the_front_in_other_formats_is_all_of_it(hpo: Hpo, form: str) -> None:
    text = hpo("best", "job", "--format", form).out
    for each in hpo("best", "job", "--json").json:
        assert repr(each["parameters"]["x"]) in text


def test_status_has_the_front_and_what_is_required(hpo: Hpo) -> None:
    status = hpo("status", "job", "--json").json
    trials = hpo("trials", "job", "--json").json
    feasible = [trial for trial in trials if trial["feasible"]]
    front = [trial for trial in feasible if trial["on_front"]]
    accuracies, latencies = zip(*points(feasible), strict=True)
    worst = [min(accuracies), max(latencies)]
    assert status["best"] is None
    assert status["front"]["size"] == len(front)
    assert sorted(status["front"]["trials"]) == [trial["trial"] for trial in front]
    assert status["front"]["reference"] == {"acc": worst[0], "latency": worst[1]}
    assert status["front"]["hypervolume"] == pytest.approx(hypervolume(points(front), GOALS, worst))
    assert status["require"] == {
        "completed": 20,
        "met": len(feasible),
        "missed": {
            "latency < 80": sum(trial["values"]["latency"] >= 80 for trial in trials),
            "acc > 0.6": sum(trial["values"]["acc"] <= 0.6 for trial in trials),
        },
        "nearest": None,
    }
    text = hpo("status", "job").out
    assert f"front     {len(front)} trials: " in text
    assert f"require   met by {len(feasible)} of 20 completed trials; missed: latency < 80 in " in text
    assert f"front of {len(front)}" in hpo("list").out


def test_what_the_model_weighed_is_said(hpo: Hpo) -> None:
    assert hpo("status", "job", "--json").json["chosen_by"] == {"random": 8, "model": 12}
    trials = hpo("trials", "job", "--json").json
    assert trials[8]["proposed_by"].startswith("model of 8 trials where the objectives weigh 0.")
    assert trials[8]["proposed_by"] in hpo("why", "job", "9").out
    plan = hpo("plan", "spec.yaml", "--json").json
    assert plan["model"] == "the objectives made one, weighed otherwise for each trial"
    assert [each["metric"] for each in plan["objectives"]] == ["acc", "latency"]
    assert plan["require"] == ["latency < 80", "acc > 0.6"]
    text = hpo("plan", "spec.yaml").out
    assert text.startswith("job: maximize acc, minimize latency\n")
    assert "\nmodel     the objectives made one, weighed otherwise for each trial\n" in text
    assert "\nrequire   latency < 80; acc > 0.6\n" in text


def test_a_trial_says_what_it_misses_and_by_how_much(hpo: Hpo) -> None:
    trials = hpo("trials", "job", "--json").json
    slow = next(
        trial for trial in trials if trial["values"]["latency"] >= 80 and trial["values"]["acc"] > 0.6
    )
    latency = slow["values"]["latency"]
    assert (slow["status"], slow["feasible"], slow["on_front"]) == ("completed", False, False)
    [violation] = slow["violations"]
    assert violation == {
        "requirement": "latency < 80",
        "by": pytest.approx(latency - 80),
        "why": f"latency is {latency:.6g}",
    }
    told = f"misses latency < 80 by {latency - 80:.6g}: latency is {latency:.6g}"
    assert told in hpo("trials", "job").out
    assert f"require   {told}" in hpo("why", "job", str(slow["trial"])).out
    why = hpo("why", "job", str(slow["trial"]), "--json").json
    assert (why["feasible"], why["on_front"], why["violations"]) == (False, False, [violation])
    assert why["best"] is None
    good = next(trial for trial in trials if trial["on_front"])
    text = hpo("why", "job", str(good["trial"])).out
    assert "front     on it\nrequire   met\n" in text


def test_the_tables_have_a_column_of_each_objective(hpo: Hpo) -> None:
    header, *rows = hpo("trials", "job").out.splitlines()
    assert header.split() == ["trial", "status", "acc", "latency", "front", "seconds", "x", "n", "reason"]
    trials = hpo("trials", "job", "--json").json
    assert [" * " in row for row in rows] == [trial["on_front"] for trial in trials]
    table = list(csv.DictReader(hpo("trials", "job", "--format", "csv").out.splitlines()))
    assert [float(row["objective:latency"]) for row in table] == [t["values"]["latency"] for t in trials]
    assert [row["on_front"] for row in table] == [str(t["on_front"]).lower() for t in trials]
    assert [row["feasible"] for row in table] == [str(t["feasible"]).lower() for t in trials]


@pytest.mark.parametrize(
    ("condition", "status", "said"),
    [
        ("acc < 0.5", 0, ""),
        ("acc < 1.1", 3, "the gate is not met: acc is 0."),
        ("`latency` > 1e-9", 3, "the gate is not met: latency is "),
        ("best < 0.5", 2, "of several objectives there is no `best`; name one of them, acc, latency"),
        ("memory < 0.5", 2, "there is no `memory`"),
    ],
)
def test_a_gate_is_about_the_best_value_of_one_objective(
    hpo: Hpo, condition: str, status: int, said: str
) -> None:
    assert said in hpo("best", "job", "--fail-if", condition, status=status).err
    assert said in hpo("wait", "job", "--fail-if", condition, status=status).err


def test_a_gate_about_nothing_is_refused_before_anything_is_started(hpo: Hpo) -> None:
    said = hpo("run", "spec.yaml", "--name", "gated", "--fail-if", "best < 1", status=2).err
    assert "of several objectives there is no `best`" in said
    hpo("status", "gated", status=4)


def test_ranges_are_narrowed_around_the_front(hpo: Hpo) -> None:
    narrowed = hpo("narrow", "job")
    front = [trial["parameters"] for trial in hpo("best", "job", "--json").json]
    completed = sum(trial["feasible"] for trial in hpo("trials", "job", "--json").json)
    assert (
        f"# narrowed around the front, the best {len(front)} of {completed} trials of job\n" in narrowed.out
    )
    after = yaml.safe_load(narrowed.out)
    assert after["name"] == "job-2"
    assert [each["metric"] for each in after["objectives"]] == ["acc", "latency"]
    for name, before in SEVERAL["parameters"].items():
        least, greatest = (end(values[name] for values in front) for end in (min, max))
        after_it = after["parameters"][name]
        assert before["min"] <= after_it["min"] <= least <= greatest <= after_it["max"] <= before["max"]
    assert after["parameters"]["n"]["max"] < 9, "none that is slow and no better is on the front"
    assert "is widened" not in narrowed.err
    hpo.write("round-2.yaml", narrowed.out)
    assert hpo("plan", "round-2.yaml", "--json").json["model"]


@pytest.mark.parametrize("option", ["--top=5", "--fraction=0.3"])
def test_what_narrows_around_one_best_trial_is_refused(hpo: Hpo, option: str) -> None:
    said = hpo("narrow", "job", option, status=2).err
    assert "job has several objectives, and " in said
    assert option.partition("=")[0] in said


def test_the_front_has_no_top(hpo: Hpo) -> None:
    assert "the front of job has no order" in hpo("best", "job", "--top", "2", status=2).err


def test_what_was_judged_may_not_change(hpo: Hpo) -> None:
    said = hpo("resume", "job", "--set", 'require=["acc > 0"]', status=2).err
    assert "`require` may not change: its trials were judged by it" in said


def test_from_python(hpo: Hpo) -> None:
    program = (
        "import hpo, json\n"
        "result = hpo.tune('spec.yaml', resume=True)\n"
        "front = hpo.front('job')\n"
        "assert list(result.front) == front and result.best is None\n"
        "try: hpo.best('job')\n"
        "except hpo.HpoError as error: print(error)\n"
        "print(json.dumps([[each.trial, each.values, each.parameters] for each in front]))\n"
    )
    said, front = hpo.python(program).splitlines()
    assert "has no single best trial" in said
    best = hpo("best", "job", "--json").json
    assert json.loads(front) == [[each["trial"], each["values"], each["parameters"]] for each in best]


def test_with_repeats_each_objective_and_requirement_is_about_all_of_them(hpo: Hpo) -> None:
    program = """
awk -v x="$2" -v n="$4" -v seed="$6" 'BEGIN { print "acc=" x; print "latency=" n + seed }'
"""
    hpo.job(
        program, **SEVERAL | {"limits": {"max_jobs": 6}}, objective=None, repeats=3, require=["latency < 9"]
    )
    said = hpo("run", "spec.yaml", "--name", "repeated")
    assert said.err.count("repeat 2 of 3  acc = ") == 6
    trials = hpo("trials", "repeated", "--json").json
    for trial in trials:
        x, n = trial["parameters"]["x"], trial["parameters"]["n"]
        assert trial["values"] == {"acc": pytest.approx(x, rel=1e-4), "latency": n + 2.0}
        assert [each["values"]["latency"] for each in trial["repeats"]] == [n + 1.0, n + 2.0, n + 3.0]
        assert trial["feasible"] is (n + 2.0 < 9)
    front = hpo("best", "repeated", "--json").json
    assert {each["trial"] for each in front} == {t["trial"] for t in trials if t["on_front"]}
    header = hpo("trials", "repeated").out.splitlines()[0].split()
    assert header[:7] == ["trial", "status", "acc", "latency", "spread", "front", "seconds"]
    assert ", latency = " in hpo("why", "repeated", "1").out

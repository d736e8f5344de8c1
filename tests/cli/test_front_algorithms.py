"""A job of several algorithms and several objectives: the front of all, and each algorithm's own."""

from __future__ import annotations

import csv
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from hpo.core.settings import Goal
from hpo.report.pareto import hypervolume, pareto_front
from tests.command_line import Hpo

PROGRAM = """
kind=$1; x=0; while [ $# -gt 1 ]; do [ "$1" = --x ] && x=$2; shift; done
awk -v x="$x" -v kind="$kind" 'BEGIN {
  if (kind == "exact") { print "acc=" 0.9 + 0.05 * x; print "latency=" 50 + 20 * x }
  if (kind == "fast") { print "acc=" 0.6 + 0.1 * x; print "ms: " 5 + 10 * x }
  if (kind == "behind") { print "acc=" 0.5 + 0.05 * x; print "latency=" 60 + 20 * x }
}'
"""
"""Of two algorithms none is better than the other one, and a third is worse than both, whatever x is."""

GOALS = [Goal.MAXIMIZE, Goal.MINIMIZE]
X: dict[str, Any] = {"type": "continuous", "min": 0.0, "max": 1.0}


def algorithm(kind: str, **sections: object) -> dict[str, Any]:
    return {"parameters": {"x": X}, "launcher": {"command": ["sh", "train.sh", kind]}, **sections}


ALGORITHMS: dict[str, Any] = {
    "behind": algorithm("behind"),
    "exact": algorithm("exact", fixed={"epochs": 9}),
    "fast": algorithm("fast", metrics={"latency": r"ms: (\S+)"}),
}


def write(hpo: Hpo, **sections: object) -> None:
    given: dict[str, object] = {
        "objective": None,
        "objectives": [{"metric": "acc", "goal": "maximize"}, {"metric": "latency", "goal": "minimize"}],
        "metrics": {"acc": r"acc=(\S+)", "latency": r"latency=(\S+)"},
        "strategy": "bayesian",
        "launcher": {},
    }
    hpo.job(PROGRAM, **{**given, **sections})
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"]
    hpo.write("spec.yaml", yaml.safe_dump({**spec, "algorithms": ALGORITHMS}, sort_keys=False))


def points(trials: list[dict[str, Any]]) -> list[list[float]]:
    return [[trial["values"]["acc"], trial["values"]["latency"]] for trial in trials]


def front_of(trials: list[dict[str, Any]]) -> list[int]:
    return [trials[index]["trial"] for index in pareto_front(points(trials), GOALS)]


@pytest.fixture(scope="module")
def done(shared_hpo: Hpo) -> Hpo:
    """A job of 24 trials, which has ended."""
    write(shared_hpo, limits={"max_jobs": 24, "max_parallel_jobs": 2})
    plan = shared_hpo("plan", "spec.yaml").out
    assert "\nmodel     the objectives made one, weighed otherwise for each trial\nalgorithm " in plan
    shared_hpo("run", "spec.yaml")
    return shared_hpo


def test_those_on_the_front_share_the_trials(done: Hpo) -> None:
    trials = done("trials", "job", "--json").json
    shares = Counter(trial["algorithm"] for trial in trials)
    assert shares["behind"] <= 5
    assert min(shares["exact"], shares["fast"]) >= 6
    said = [trial["proposed_by"] for trial in trials]
    assert any("promises most where the objectives weigh 0." in text for text in said)
    assert done("status", "job", "--json").json["chosen_by"]["model"] >= 1


def test_best_is_the_front_of_all_or_of_one(done: Hpo) -> None:
    trials = done("trials", "job", "--json").json
    front = done("best", "job", "--json").json
    assert [each["trial"] for each in front] == front_of(trials)
    assert {each["algorithm"]: each["fixed"] for each in front} == {"exact": {"epochs": 9}, "fast": {}}
    assert sorted(front_of(trials)) == [trial["trial"] for trial in trials if trial["on_front"]]
    for name in ALGORITHMS:
        own = [trial for trial in trials if trial["algorithm"] == name]
        best = done("best", "job", "--algorithm", name, "--json").json
        assert [each["trial"] for each in best] == front_of(own)
        shown = done("trials", "job", "--algorithm", name, "--json").json
        assert sorted(front_of(own)) == [trial["trial"] for trial in shown if trial["on_front"]]
    header = done("best", "job").out.splitlines()[0].split()
    assert header == ["trial", "algorithm", "acc", "(maximize)", "latency", "(minimize)", "x"]
    args = done("best", "job", "--algorithm", "exact", "--format", "args").out.splitlines()
    assert args[0].startswith("--epochs 9 --x ")
    table = done("trials", "job", "--format", "csv").out.splitlines()
    assert [row["algorithm"] for row in csv.DictReader(table)] == [trial["algorithm"] for trial in trials]
    done("best", "job", "--fail-if", "acc < 0.8")
    done("best", "job", "--algorithm", "fast", "--fail-if", "acc < 0.8", status=3)


def test_status_has_the_front_of_each(done: Hpo) -> None:
    trials = done("trials", "job", "--json").json
    status = done("status", "job", "--json").json
    text = done("status", "job").out
    reference = status["front"]["reference"]
    for each in status["algorithms"]:
        own = [trial for trial in trials if trial["algorithm"] == each["name"]]
        front, count = each["front"], each["on_front"]
        assert each["best"] is None
        assert (front["trials"], front["reference"]) == (front_of(own), reference)
        volume = hypervolume(points(own), GOALS, list(reference.values()))
        assert front["hypervolume"] == pytest.approx(volume)
        assert count == sum(trial["on_front"] for trial in own)
        assert f"algorithm {each['name']}: {len(own)} completed; front of {front['size']} trials: " in text
        assert f"hypervolume {volume:.6g}; {count} on that of all\n" in f"{text}\n"
    assert [bool(each["on_front"]) for each in status["algorithms"]] == [False, True, True]


def test_each_is_narrowed_around_its_own_front(done: Hpo) -> None:
    trials = done("trials", "job", "--json").json
    said = done("narrow", "job").err
    for name in ("exact", "fast"):
        own = [trial for trial in trials if trial["algorithm"] == name]
        if len(own) < 10:
            assert (
                f"{name}: left as it is: {len(own)} of its trials have completed, and 10 are needed" in said
            )
        else:
            about = f"the best {max(3, len(front_of(own)))} of {len(own)} trials of {name} of job"
            assert f"narrowed around the front, {about}" in said


def test_why_tells_of_the_front(done: Hpo) -> None:
    why = done("why", "job", "1", "--json").json
    assert (why["algorithm"], why["best"], why["on_front"]) == ("behind", None, False)


def test_python_has_the_front_with_its_algorithms(done: Hpo, monkeypatch: pytest.MonkeyPatch) -> None:
    import hpo

    monkeypatch.setenv("HPO_HOME", str(done.home))
    front = done("best", "job", "--json").json
    assert [(each.trial, each.algorithm) for each in hpo.front("job")] == [
        (each["trial"], each["algorithm"]) for each in front
    ]


def test_a_killed_and_edited_job_goes_on_as_the_uninterrupted_one(
    hpo: Hpo, eventually: Callable[[Callable[[], object]], None]
) -> None:
    found = []
    for name in ("whole", "cut"):
        write(hpo, name=name, limits={"max_jobs": 14}, require=["latency < 65"])
        if name == "whole":
            hpo("run", "spec.yaml")
        else:
            process = hpo.start("run", "spec.yaml")
            eventually((hpo.home / "jobs" / name / "trials" / "0006" / "run-1" / "log").exists)
            process.send_signal(signal.SIGKILL)
            process.wait()
            hpo("run", "spec.yaml", "--or-resume")
        edits = ("algorithms.fast.parameters.x.max=0.5", "limits.max_jobs=20")
        hpo("resume", name, *(part for edit in edits for part in ("--set", edit)))
        keys = ("algorithm", "parameters", "proposed_by", "feasible")
        found.append([[trial[key] for key in keys] for trial in hpo("trials", name, "--json").json])
    whole, cut = found
    assert len(cut) == 20
    assert cut == whole
    later = [values["x"] for name, values, *_ in cut[14:] if name == "fast"]
    assert later
    assert max(later) <= 0.5

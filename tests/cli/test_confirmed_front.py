"""`hpo confirm NAME` of several objectives: trials of the front again, each with several seeds."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from hpo.core.settings import Goal
from hpo.report.pareto import pareto_front
from tests.command_line import Hpo

PROGRAM = """
import argparse, random
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--seed", type=int, default=0)
a = parser.parse_args()
luck = random.Random(f"{a.x} {a.seed}").uniform(-SPREAD, SPREAD)
print(f"acc={a.x + luck} latency={10 * a.x * a.x + luck}")
if a.seed:
    open("seeds", "a").write(f"{a.x!r} {a.seed}\\n")
"""
"""More is better, and takes longer: without luck everything is on the front."""

GOALS = [Goal.MAXIMIZE, Goal.MINIMIZE]


def job(hpo: Hpo, spread: float) -> None:
    hpo.write("train.py", PROGRAM.replace("SPREAD", str(spread)))
    sections: dict[str, Any] = {
        "objectives": [{"metric": "acc", "goal": "maximize"}, {"metric": "latency", "goal": "minimize"}],
        "metrics": {"acc": r"acc=(\S+)", "latency": r"latency=(\S+)"},
        "parameters": {"x": {"type": "continuous", "min": 0.0, "max": 1.0}},
        "limits": {"max_jobs": 8, "max_parallel_jobs": 2},
        "launcher": {"command": ["python", "train.py"]},
    }
    hpo.job("", objective=None, **sections)
    hpo("run", "spec.yaml")


def test_trials_from_end_to_end_of_the_front_are_run_with_every_seed(hpo: Hpo) -> None:
    job(hpo, spread=0.3)
    front = hpo("best", "job", "--json").json
    assert len(front) >= 3
    said = hpo("confirm", "job", "--top", "2", "--seeds", "3")
    ends = [front[0], front[-1]]
    runs = sorted(hpo.text("seeds").splitlines())
    assert runs == sorted(f"{end['parameters']['x']!r} {seed}" for end in ends for seed in (1, 2, 3))
    found = hpo("confirm", "job", "--top", "2", "--seeds", "3", "--json").json
    assert sorted(hpo.text("seeds").splitlines()) == runs, "it was all there"
    assert {trial["trial"] for trial in found["trials"]} == {end["trial"] for end in ends}
    assert found["goals"] == {"acc": "maximize", "latency": "minimize"}
    for trial in found["trials"]:
        (winner,) = (end for end in ends if end["trial"] == trial["trial"])
        assert (trial["n"], trial["failed"], trial["parameters"]) == (3, 0, winner["parameters"])
        for metric, each in trial["values"].items():
            values = [run["values"][metric] for run in trial["runs"]]
            assert each["value"] == winner["values"][metric]
            assert each["mean"] == pytest.approx(statistics.fmean(values))
            assert each["spread"] == pytest.approx(statistics.stdev(values))
            assert (each["least"], each["greatest"]) == (min(values), max(values))
    means = [[each["mean"] for each in trial["values"].values()] for trial in found["trials"]]
    on_front = pareto_front(means, GOALS)
    assert [trial["on_front"] for trial in found["trials"]] == [place in on_front for place in range(2)]
    assert found["seeds_matter"] is True
    header = " ".join(said.out.splitlines()[1].split())
    assert header == "trial acc at first mean spread latency at first mean spread n failed front"
    assert f"by their means {len(on_front)} of 2 are on the front: " in said.out
    assert hpo("status", "job-confirm", "--json").json["max_jobs"] == 6


def test_a_program_that_ignores_the_seed_is_told_of(hpo: Hpo) -> None:
    job(hpo, spread=0.0)
    said = hpo("confirm", "job", "--top", "3", "--seeds", "2")
    assert "by their means 3 of 3 are on the front: " in said.out
    assert "every seed gave the same value: does the program read `--seed`?" in said.out

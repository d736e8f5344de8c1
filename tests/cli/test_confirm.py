"""`hpo confirm NAME`: the winners again, each with several seeds."""

from __future__ import annotations

import signal
import statistics
from collections.abc import Callable
from typing import Any

import pytest

from hpo.report.welch import two_sided, welch
from tests.command_line import PATIENCE, Hpo

Eventually = Callable[[Callable[[], object]], None]

PROGRAM = """
import argparse, json, os, random, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--kind")
a = parser.parse_args()
if a.seed is not None:
    open("seeds", "a").write(f"{a.x!r} {a.seed}\\n")
    sys.exit(3) if os.path.exists(f"broken{a.seed}") else None
    time.sleep(60) if a.seed > 2 and os.path.exists("slow") else None
print(f"loss={a.x + SPREAD * random.Random(f'{a.x} {a.seed}').uniform(-1, 1)}")
"""

PARAMETERS = {
    "x": {"type": "continuous", "min": 0.0, "max": 100.0, "default": 50.0},
    "kind": {"type": "categorical", "values": ["${b}", 1, True]},
}


def job(hpo: Hpo, spread: float, **sections: object) -> None:
    hpo.write("train.py", PROGRAM.replace("SPREAD", str(spread)))
    parameters = {**PARAMETERS, "kind": {"type": "categorical", "values": ["$${b}", 1, True]}}
    given: dict[str, Any] = {
        "parameters": parameters,
        "fixed": {"seed": 7},
        "limits": {"max_jobs": 6, "max_parallel_jobs": 2, "max_failures": 4},
        "stop_when": {"target": -1000.0},
        "launcher": {"command": ["python", "train.py"]},
    }
    hpo.job("", **(given | sections))
    hpo("run", "spec.yaml")
    (hpo.folder / "seeds").unlink()


def test_winners_are_run_with_every_seed_and_told_apart(hpo: Hpo) -> None:
    job(hpo, spread=0.001)
    best = hpo("best", "job", "--top", "2", "--json").json
    said = hpo("confirm", "job", "--top", "2", "--seeds", "4")
    runs = hpo.text("seeds").splitlines()
    assert sorted(runs) == sorted(
        f"{trial['parameters']['x']!r} {seed}" for trial in best for seed in (1, 2, 3, 4)
    )
    one, other = best[0]["trial"], best[1]["trial"]
    assert f"trial {one} and trial {other} can be told apart" in said.out
    found = hpo("confirm", "job", "--top", "2", "--seeds", "4", "--json").json
    assert hpo.text("seeds").splitlines() == runs  # it was all there
    assert [trial["trial"] for trial in found["trials"]] == [one, other]
    for trial, winner in zip(found["trials"], best, strict=True):
        values = [run["value"] for run in trial["runs"]]
        assert trial["parameters"] == winner["parameters"]
        assert (trial["n"], trial["failed"], trial["value"]) == (4, 0, winner["value"])
        assert trial["mean"] == pytest.approx(statistics.fmean(values))
        assert trial["spread"] == pytest.approx(statistics.stdev(values))
        assert [run["seed"] for run in trial["runs"]] == [1, 2, 3, 4]
    comparison = found["comparison"]
    assert comparison["p_value"] < 1e-6
    assert comparison["can_be_told_apart"] is True
    follow_up = hpo("status", "job-confirm", "--json").json
    assert (follow_up["status"], follow_up["max_jobs"]) == ("completed", 8)


def test_what_the_seed_decides_cannot_be_told_apart(hpo: Hpo) -> None:
    job(hpo, spread=1000.0)
    said = hpo("confirm", "job", "--top", "2", "--seeds", "3", "--json")
    assert said.json["comparison"]["can_be_told_apart"] is False
    assert said.json["seeds_matter"] is True


def test_a_program_that_ignores_the_seed_is_told_of(hpo: Hpo) -> None:
    job(hpo, spread=0.0)
    said = hpo("confirm", "job", "--top", "2", "--seeds", "2")
    assert "every seed gave the same value: does the program read `--seed`?" in said.out
    assert "a test needs two values of each, and some spread" in said.out
    assert "p = " not in said.out


def test_failed_runs_are_left_out_and_can_be_run_again(hpo: Hpo) -> None:
    job(hpo, spread=0.1)
    hpo.write("broken2", "")
    said = hpo("confirm", "job", "--top", "2", "--seeds", "3")
    assert "2 runs failed and are in no mean; again: hpo retry job-confirm" in said.out
    (hpo.folder / "broken2").unlink()
    hpo("retry", "job-confirm")
    found = hpo("confirm", "job", "--top", "2", "--seeds", "3", "--json").json
    assert [(trial["n"], trial["failed"]) for trial in found["trials"]] == [(3, 0), (3, 0)]


def test_it_goes_on_after_a_kill(hpo: Hpo, eventually: Eventually) -> None:
    job(hpo, spread=0.1)
    process = hpo.start("confirm", "job", "--seeds", "4")
    eventually(lambda: len(hpo.text("seeds").splitlines()) >= 3)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    found = hpo("confirm", "job", "--seeds", "4", "--json").json
    assert [trial["n"] for trial in found["trials"]] == [4, 4, 4]
    runs = hpo.text("seeds").splitlines()
    assert len(runs) == len(set(runs)) == 12


def test_how_to_go_on_with_an_interrupted_one_is_said_whatever_its_name_and_seeds(
    hpo: Hpo, eventually: Eventually
) -> None:
    job(hpo, spread=0.1)
    (hpo.folder / "slow").touch()
    process = hpo.start("confirm", "job", "--seeds", "9", "--name", "again")
    eventually(lambda: len(hpo.text("seeds").splitlines()) >= 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert "again is interrupted; the same `hpo confirm` once more goes on with it" in hpo.text("err")


def test_other_winners_or_seeds_are_another_job(hpo: Hpo) -> None:
    job(hpo, spread=0.1)
    hpo("confirm", "job", "--top", "1", "--seeds", "1")
    refused = hpo("confirm", "job", "--top", "2", "--seeds", "2", status=2).err
    assert "job job-confirm is there already, and has run other trials, or other seeds" in refused
    assert hpo("confirm", "job", "--seeds", "2", "--name", "again", "--json").json["confirmed_by"] == "again"


def test_what_cannot_be_confirmed_is_said(hpo: Hpo) -> None:
    hpo.job("exit 1", limits={"max_jobs": 1})
    hpo("run", "spec.yaml", status=1)
    assert "no completed trial yet" in hpo("confirm", "job", status=1).err
    hpo.job("echo loss=1", name="tuned")
    hpo("run", "spec.yaml")
    said = hpo("confirm", "tuned", "--seed-name", "x", status=2).err
    assert "x is tuned by tuned" in said
    assert "--seed-name" in said


def test_winners_outside_of_ranges_that_were_narrowed_since_are_confirmed_too(hpo: Hpo) -> None:
    job(hpo, spread=0.1)
    best = hpo("best", "job", "--json").json
    low = best["parameters"]["x"]
    hpo("edit", "job", "--set", f"parameters.x={{min: {low + 1}, default: {low + 2}}}")
    found = hpo("confirm", "job", "--top", "1", "--seeds", "2", "--json").json
    assert found["trials"][0]["parameters"] == best["parameters"]
    assert found["trials"][0]["n"] == 2


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [  # scipy 1.17, ttest_ind(equal_var=False)
        ([1.0, 2.0, 3.0, 4.0, 5.0], [4.0, 5.0, 6.0, 7.0, 9.0], 0.02152400418154051),
        ([0.961, 0.967, 0.958, 0.97, 0.963], [0.955, 0.951, 0.96, 0.949, 0.957], 0.012238363677430327),
        ([1.0, 1.0, 2.0], [10.0, 11.0, 12.5], 0.0015883821211770358),
    ],
)
def test_welch_s_test_is_that_of_a_library(one: list[float], other: list[float], p: float) -> None:
    assert welch(one, other) == pytest.approx(p, rel=1e-9)
    assert welch(other, one) == pytest.approx(p, rel=1e-9)
    assert welch(one, one) == pytest.approx(1.0)
    assert welch(one[:1], other) is None
    assert welch([1.0, 1.0], [2.0, 2.0]) is None


def test_student_s_t_has_the_tails_of_its_tables() -> None:
    for degrees, t in {1: 12.706, 4: 2.776, 10: 2.228, 30: 2.042, 1e6: 1.96}.items():
        assert two_sided(t, degrees) == pytest.approx(0.05, abs=2e-4)
    assert two_sided(0.0, 3) == 1.0

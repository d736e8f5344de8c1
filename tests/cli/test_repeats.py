"""`repeats`: each trial several times, with several seeds."""

from __future__ import annotations

import csv
import json
import random
import signal
import statistics
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo

Eventually = Callable[[Callable[[], object]], None]

PROGRAM = """
import argparse, os, pathlib, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--seed", type=int)
a = parser.parse_args()
with open("started", "a") as file:
    file.write(f"{os.environ['HPO_TRIAL']} {a.seed}\\n")
kept = pathlib.Path(os.environ["SM_MODEL_DIR"], "../checkpoints/state")
print("goes on" if kept.exists() else "begins anew")
kept.touch()
sys.exit(3) if os.path.exists(f"broken{a.seed}") else None
while a.seed > 1 and os.path.exists("closed"):
    time.sleep(0.01)
for step in (1, 2, 3):
    print(f"other={a.seed}")
    print(f"loss={a.x + a.seed ** 2 / 100 + 1 / step!r}", flush=True)
    time.sleep(float(os.environ.get("PAUSE", 0)))
"""


def job(hpo: Hpo, **sections: object) -> None:
    hpo.write("train.py", PROGRAM)
    given: dict[str, Any] = {
        "metrics": {"loss": r"loss=(\S+)", "other": r"other=(\S+)"},
        "repeats": 3,
        "limits": {"max_jobs": 4, "max_parallel_jobs": 2},
        "launcher": {"command": ["python", "train.py"]},
    }
    hpo.job("", **(given | sections))


def expected(x: float, seed: int) -> float:
    return x + seed**2 / 100 + 1 / 3


def started(hpo: Hpo) -> Counter[str]:
    """Return how often each trial was started with each seed."""
    return Counter(hpo.text("started").splitlines())


def once(trials: int, seeds: int) -> dict[str, int]:
    return {f"{trial} {seed}": 1 for trial in range(1, trials + 1) for seed in range(1, seeds + 1)}


def test_every_trial_is_run_with_each_seed_and_has_their_mean(hpo: Hpo) -> None:
    job(hpo)
    said = hpo("run", "spec.yaml")
    assert started(hpo) == once(4, 3)
    assert said.err.count("repeat 2 of 3  loss = ") == 4
    for trial in hpo("trials", "job", "--json").json:
        values = [expected(trial["parameters"]["x"], seed) for seed in (1, 2, 3)]
        assert list(trial["parameters"]) == ["x"]
        assert [(each["seed"], each["run"]) for each in trial["repeats"]] == [(1, 1), (2, 2), (3, 3)]
        assert [each["value"] for each in trial["repeats"]] == values
        assert [each["metrics"]["other"] for each in trial["repeats"]] == [1.0, 2.0, 3.0]
        assert trial["value"] == pytest.approx(statistics.fmean(values))
        assert trial["metrics"] == {"other": 2.0, "loss": trial["value"]}
        assert trial["spread"] == pytest.approx(statistics.stdev(values))
        assert trial["attempts"] == 1
        assert trial["seconds"] == pytest.approx(sum(each["seconds"] for each in trial["repeats"]))
        for run in (1, 2, 3):
            log = hpo("logs", "job", str(trial["trial"]), "--run", str(run)).out
            assert log.startswith("begins anew\n"), "each repeat has checkpoints of its own"


def test_repeats_are_shown_wherever_trials_are(hpo: Hpo) -> None:
    job(hpo)
    hpo("run", "spec.yaml")
    status = hpo("status", "job", "--json").json
    assert status["counts"]["completed"] == 4
    assert status["repeats"] == {
        "count": 3,
        "score": "mean",
        "seed_name": "seed",
        "seeds": [1, 2, 3],
        "completed": 12,
        "runs": 12,
    }
    text = hpo("status", "job").out
    assert (
        "runs      12 of 12 have given a value: 3 of each trial, with seed 1 to 3; their mean counts" in text
    )
    best = hpo("best", "job", "--json").json
    assert [each["seed"] for each in best["repeats"]] == [1, 2, 3]
    assert status["best"] == {key: best[key] for key in status["best"]}
    shown = hpo("best", "job").out
    assert f"3 repeats with a spread of {best['spread']:.6g}" in shown
    assert f"with seed 1: {best['repeats'][0]['value']!r}, seed 2: " in shown
    assert hpo("best", "job", "--format", "args").out == f"--x {best['parameters']['x']!r}\n"
    header, *rows = hpo("trials", "job").out.splitlines()
    assert header.split()[:5] == ["trial", "status", "loss", "spread", "seconds"]
    assert all(row.split()[3] == f"{best['spread']:.6g}" for row in rows)
    (first, *_) = csv.DictReader(hpo("trials", "job", "--format", "csv").out.splitlines())
    assert float(first["spread"]) == pytest.approx(best["spread"])
    why = hpo("why", "job", "1", "--json").json
    assert [(run["repeat"], run["seed"]) for run in why["runs"]] == [(1, 1), (2, 2), (3, 3)]
    assert "repeat 2 with seed 2, succeeded after " in hpo("why", "job", "1").out


def test_the_median_counts_and_the_seed_has_another_name_where_the_spec_says_so(hpo: Hpo) -> None:
    job(hpo, repeats={"count": 4, "score": "median", "seed_name": "random.state"}, limits={"max_jobs": 1})
    hpo.write("train.py", PROGRAM.replace('"--seed"', '"--random.state", dest="seed"'))
    hpo("run", "spec.yaml")
    (trial,) = hpo("trials", "job", "--json").json
    values = [each["value"] for each in trial["repeats"]]
    assert len(values) == 4
    assert trial["value"] == pytest.approx(statistics.median(values))


def test_a_plan_and_a_try_tell_of_the_runs(hpo: Hpo) -> None:
    job(hpo, limits={"max_jobs": 4, "max_parallel_jobs": 2, "max_job_runtime": "1m"})
    text = hpo("plan", "spec.yaml").out
    assert "runs      12: 3 of each trial, with seed 1 to 3; their mean counts" in text
    assert "time      at most 6m 00s" in text
    assert "--seed 1" in text
    plan = hpo("plan", "spec.yaml", "--json").json
    assert (plan["max_jobs"], plan["repeats"]["runs"], plan["longest_seconds"]) == (4, 12, 360.0)
    assert hpo("plan", "spec.yaml", "--set", "repeats=null", "--json").json["repeats"] is None
    tried = hpo("try", "spec.yaml", "--json").json
    assert tried["parameters"] == {"x": 0.5, "seed": 1}
    assert tried["value"] == expected(0.5, 1)


def test_a_repeat_that_fails_fails_its_trial_and_a_retry_goes_on_there(hpo: Hpo) -> None:
    job(hpo, limits={"max_jobs": 2, "max_failures": 9})
    hpo.write("broken2", "")
    said = hpo("run", "spec.yaml", status=1)
    assert "repeat 2 of 3: exit status 3" in said.err
    for trial in hpo("trials", "job", "--json").json:
        assert (trial["status"], trial["reason"], trial["value"]) == ("failed", "exit status", None)
        assert trial["detail"].startswith("repeat 2 of 3: exit status 3")
        assert [each["value"] is None for each in trial["repeats"]] == [False, True]
    assert "exit status: repeat" not in hpo("trials", "job").out
    (hpo.folder / "broken2").unlink()
    hpo("retry", "job")
    assert started(hpo) == once(2, 3) | {"1 2": 2, "2 2": 2}
    for trial in hpo("trials", "job", "--json").json:
        assert trial["value"] == pytest.approx(expected(trial["parameters"]["x"], 0) + 0.14 / 3)
        assert trial["attempts"] == 2
        log = hpo("logs", "job", str(trial["trial"]), "--run", "3").out
        assert log.startswith("goes on\n"), "the runs of one repeat share their checkpoints"


def test_a_job_that_was_stopped_goes_on_with_the_repeats_that_are_missing(
    hpo: Hpo, eventually: Eventually
) -> None:
    job(hpo)
    hpo.write("closed", "")
    process = hpo.start("run", "spec.yaml")
    eventually(lambda: len(hpo.text("started").splitlines()) == 4)
    hpo("stop", "job")
    process.wait(PATIENCE)
    (hpo.folder / "closed").unlink()
    before = hpo("status", "job", "--json").json
    assert before["status"] == "stopped"
    assert before["repeats"]["completed"] == 2
    hpo("resume", "job")
    after = hpo("status", "job", "--json").json
    assert (after["counts"]["completed"], after["repeats"]["completed"]) == (4, 12)
    again = started(hpo)
    assert set(again) == set(once(4, 3))
    assert {run for run, count in again.items() if count > 1} == {"1 2", "2 2"}, "what was stopped"


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 22))]
)
def test_acceptance_15_no_repeat_is_lost_or_run_twice_under_sigkill(hpo: Hpo, seed: int) -> None:
    rng = random.Random(seed)
    job(hpo, launcher={"command": ["python", "train.py"], "env": {"PAUSE": "0.03"}})
    command = ["run", "spec.yaml", "--or-resume"]
    for _ in range(3):
        process = hpo.start(*command)
        try:
            process.wait(timeout=rng.uniform(0.2, 2.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
    hpo(*command)
    assert started(hpo) == once(4, 3)
    trials = hpo("trials", "job", "--json").json
    assert [trial["value"] for trial in trials] == [
        pytest.approx(expected(trial["parameters"]["x"], 0) + 0.14 / 3) for trial in trials
    ]


def test_the_first_repeat_decides_whether_a_trial_is_stopped_early(hpo: Hpo, eventually: Eventually) -> None:
    xs = [0.1, 0.2, 0.3, 0.9]
    job(
        hpo,
        repeats=2,
        early_stopping={"rule": "median", "min_trials": 3, "min_steps": 1},
        initial=[{"x": x} for x in xs],
        limits={"max_jobs": 4},
        launcher={"command": ["python", "train.py"], "env": {"PAUSE": "0.3"}},
    )
    hpo("run", "spec.yaml")
    trials = hpo("trials", "job", "--json").json
    assert [trial["status"] for trial in trials] == ["completed"] * 3 + ["pruned"]
    assert [len(trial["repeats"]) for trial in trials] == [2, 2, 2, 1]
    saved = hpo("status", "job", "--json").json["saved_by_early_stopping"]
    assert saved["trials"] == 1
    assert saved["steps"] >= 3 + 1, "as a whole trial has two runs of three steps"


def test_winners_are_confirmed_with_seeds_that_did_not_choose_them(hpo: Hpo) -> None:
    job(hpo, repeats={"count": 2, "seed_name": "seed"})
    hpo("run", "spec.yaml")
    found = hpo("confirm", "job", "--top", "2", "--seeds", "2", "--json").json
    assert [[run["seed"] for run in trial["runs"]] for trial in found["trials"]] == [[3, 4], [3, 4]]
    assert found["seed_name"] == "seed"
    assert found["trials"][0]["trial"] == hpo("best", "job", "--json").json["trial"]


def test_a_program_that_ignores_its_seed_is_told_of(hpo: Hpo) -> None:
    hpo.job("echo loss=1", repeats=2, limits={"max_jobs": 2})
    assert "every seed gave the same value: does the program read `--seed`?" in hpo("run", "spec.yaml").err
    assert len(hpo("status", "job", "--json").json["warnings"]) == 1
    job(hpo, name="heeds", repeats=2, limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    assert hpo("status", "heeds", "--json").json["warnings"] == []


def test_events_tell_of_each_repeat(hpo: Hpo) -> None:
    job(hpo, repeats=2, limits={"max_jobs": 1})
    events = [json.loads(line) for line in hpo("run", "spec.yaml", "--json").out.splitlines()]
    (repeat,) = [event for event in events if event["event"] == "repeat"]
    assert (repeat["trial"], repeat["repeat"], repeat["seed"]) == (1, 1, 1)
    last = [event for event in events if event["event"] == "trial"][-1]
    assert [each["value"] for each in last["repeats"]] == [
        repeat["value"],
        pytest.approx(last["value"] + 0.015),
    ]


def test_mistakes_are_told_at_their_keys(hpo: Hpo) -> None:
    job(hpo, repeats=0)
    assert "`repeats` is 0; it must be 1 or more" in hpo.refused("run", "spec.yaml")
    job(hpo, repeats=2, fixed={"seed": 7})
    assert "`repeats` is 2; every run is given its seed as the parameter seed, which is fixed" in hpo.refused(
        "run", "spec.yaml"
    )
    job(hpo, repeats={"count": 2, "seed_name": "x", "score": "best"})
    said = hpo.refused("run", "spec.yaml")
    assert (
        "`repeats.seed_name` is `x`; every run is given its seed as the parameter x, which is tuned" in said
    )
    assert "`repeats.score` is `best`; it must be mean or median" in said


def test_what_its_values_are_made_of_does_not_change_once_a_job_has_begun(hpo: Hpo) -> None:
    job(hpo, repeats=2, limits={"max_jobs": 1})
    hpo("run", "spec.yaml")
    said = hpo("edit", "job", "--set", "repeats=3", status=2).err
    assert "`repeats` may not change: the values of its trials are made of them" in said
    assert (
        "began with another spec"
        in hpo("run", "spec.yaml", "--or-resume", "--set", "repeats=3", status=2).err
    )

"""What is required of metrics, from the command line with real programs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.cli.test_front import PROGRAM, SEVERAL
from tests.command_line import Hpo

ONE = {**SEVERAL, "objective": SEVERAL["objectives"][0], "objectives": None}


def test_the_best_is_the_best_of_those_that_meet_what_is_required(hpo: Hpo) -> None:
    hpo.job(PROGRAM, **{**ONE, "limits": {"max_jobs": 12}}, name="one", require=["latency > 60"])
    said = hpo("run", "spec.yaml").err
    trials = hpo("trials", "one", "--json", "--sort", "value").json
    feasible = [trial for trial in trials if trial["metrics"]["latency"] > 60]
    best = hpo("best", "one", "--json").json
    assert best["value"] == max(trial["value"] for trial in feasible) < max(t["value"] for t in trials)
    assert [trial["trial"] for trial in trials[: len(feasible)]] == [t["trial"] for t in feasible]
    assert [trial["feasible"] for trial in trials] == [True] * len(feasible) + [False] * (12 - len(feasible))
    assert all(trial["values"] is None and trial["on_front"] is None for trial in trials)
    assert "  misses latency > 60 by " in said
    assert f"require   met by {len(feasible)} of 12 completed trials; missed: latency > 60 in " in said
    assert hpo("list", "--json").json[-1]["best"]["value"] == best["value"]


def test_where_nothing_is_feasible_the_nearest_is_shown_and_there_is_no_best(hpo: Hpo) -> None:
    hpo.job(PROGRAM, **{**ONE, "limits": {"max_jobs": 5}}, name="none", require=["latency < 5"])
    said = hpo("run", "spec.yaml", status=1).err
    trials = hpo("trials", "none", "--json").json
    nearest = min(trials, key=lambda trial: float(trial["metrics"]["latency"]))
    assert "all 5 trials have ended, and none that completed meets `require`" in said
    best = hpo("best", "none", status=1)
    assert best.out == ""
    assert best.err.startswith("hpo: none of the 5 completed trials of none meets `require`\n")
    missed = f"misses latency < 5 by {nearest['metrics']['latency'] - 5:.6g}"
    assert f"nearest   trial {nearest['trial']}: acc = " in best.err
    assert missed in best.err
    assert missed in hpo("status", "none").out
    status = hpo("status", "none", "--json").json
    assert (status["status"], status["best"]) == ("failed", None)
    assert status["require"]["nearest"]["trial"] == nearest["trial"]
    assert status["require"]["nearest"]["parameters"] == nearest["parameters"]
    hpo("wait", "none", status=1)


def test_a_required_metric_that_is_never_read_is_warned_of(hpo: Hpo) -> None:
    require = ["memory < 500", "latency < 1000"]
    hpo.job(PROGRAM, **{**ONE, "limits": {"max_jobs": 2}}, name="unread", require=require)
    warning = "require: no completed trial's log gave memory, so that none meets `memory < 500`"
    assert warning in hpo("run", "spec.yaml", status=1).err
    [told] = hpo("status", "unread", "--json").json["warnings"]
    assert told.startswith(warning)
    trial = hpo("trials", "unread", "--json").json[0]
    assert trial["violations"] == [
        {"requirement": "memory < 500", "by": None, "why": "no line of the log gave memory"}
    ]
    tried = hpo("try", "spec.yaml", status=1)
    assert "would be no result, as it misses memory < 500: no line of the log gave memory" in tried.out
    hpo.write("log", "acc=0.5\nlatency=3\n")
    assert "0 matches in 2 lines for `memory" in hpo("metrics", "spec.yaml", "--log", "log", status=1).out
    hpo.write("log", "acc=0.5\nlatency=3\nmemory=1\n")
    hpo("metrics", "spec.yaml", "--log", "log")


def test_a_trial_without_one_objective_fails_with_the_doctors_words(hpo: Hpo) -> None:
    hpo.job(
        "echo acc=1; echo latenci=3", **{**SEVERAL, "limits": {"max_jobs": 1}}, objective=None, name="mute"
    )
    hpo("run", "spec.yaml", status=1)
    [trial] = hpo("trials", "mute", "--json").json
    assert (trial["status"], trial["reason"]) == ("failed", "no metric")
    assert trial["values"] == {"acc": 1.0, "latency": None}
    assert "0 matches in 2 lines for `latency=(\\S+)` (latency)" in trial["detail"]
    assert "acc=(" not in trial["detail"]


def test_try_tells_all_values(hpo: Hpo) -> None:
    hpo.job(PROGRAM, **SEVERAL, objective=None, require=["latency < 60"])
    tried = hpo("try", "spec.yaml")
    assert "a trial like this would complete with acc = 0.96, latency = 70.0" in tried.out
    assert "and would be no result, as it misses latency < 60 by 10: latency is 70" in tried.out
    violations = hpo("try", "spec.yaml", "--json").json["violations"]
    assert violations == [{"requirement": "latency < 60", "by": 10.0, "why": "latency is 70"}]


def test_parents_are_judged_by_what_the_new_job_requires(hpo: Hpo) -> None:
    hpo.job(PROGRAM, **{**ONE, "limits": {"max_jobs": 8}}, name="parent")
    hpo("run", "spec.yaml")
    known = hpo("trials", "parent", "--json").json
    feasible = [trial for trial in known if trial["metrics"]["latency"] > 60]
    warm = {"type": "identical", "parents": ["parent"]}
    sections = {**ONE, "limits": {"max_jobs": 1}, "require": ["latency > 60"], "warm_start": warm}
    hpo.job(PROGRAM, **sections, name="child", strategy="bayesian")
    assert (
        f"{len(feasible)} of 8 trials are used; {8 - len(feasible)} not known to meet what is required"
        in (hpo("run", "spec.yaml", status=None).err)
    )
    best = max(feasible, key=lambda trial: float(trial["value"]))
    chosen = hpo("best", "child", "--json").json
    assert chosen["value"] >= best["value"]
    own = hpo("trials", "child", "--json").json
    among = feasible if chosen["origin"] == "parent" else [t for t in own if t["metrics"]["latency"] > 60]
    assert chosen["trial"] in {trial["trial"] for trial in among}
    hpo("trials", "parent", "--format", "csv", "--output", "known.csv")
    hpo.job(PROGRAM, **{**sections, "warm_start": {"type": "identical", "parents": ["known.csv"]}}, name="x")
    said = hpo("run", "spec.yaml", status=2).err
    assert "only one value of its trials is known, and not whether they meet `require`" in said


def test_a_killed_job_goes_on_with_the_trials_of_the_uninterrupted_one(
    hpo: Hpo, eventually: Callable[[Callable[[], object]], None]
) -> None:
    slow = f"sleep 0.1\n{PROGRAM}"
    hpo.job(slow, **{**SEVERAL, "limits": {"max_jobs": 12}}, objective=None, strategy="bayesian")
    for name in ("whole", "cut"):
        process = hpo.start("run", "spec.yaml", "--name", name)
        if name == "cut":

            def has_begun() -> bool:
                listed = hpo("trials", "cut", "--json", status=None)
                return listed.status == 0 and len(listed.json) >= 6

            eventually(has_begun)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            hpo("resume", "cut")
        else:
            assert process.wait() == 0
    whole, cut = (hpo("trials", name, "--json").json for name in ("whole", "cut"))
    keys = ("parameters", "values", "feasible", "on_front", "proposed_by")
    assert [[trial[key] for key in keys] for trial in cut] == [[t[key] for key in keys] for t in whole]
    assert len(cut) == 12

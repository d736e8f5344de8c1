"""Acceptance line 16: a warm start from jobs of the same data, through the real command line."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.parents import BOWL, OTHER_DATA, X, child, parent, told, trials
from tests.command_line import Hpo
from tests.terminal import Terminal


def test_acceptance_16_parents_values_are_evidence_and_the_best_may_be_one_of_them(hpo: Hpo) -> None:
    parent(hpo, jobs=12)
    child(hpo, "identical", program="echo loss=5", limits={"max_jobs": 3})
    hpo.write("train.sh", "echo loss=5")  # the same command; its best must then be the parent's
    said = hpo("run", "spec.yaml")
    first = hpo("best", "first", "--json").json
    best = hpo("best", "second", "--json").json
    assert (best["job"], best["origin"], best["trial"]) == ("second", "first", first["trial"])
    assert (best["value"], best["parameters"]) == (first["value"], first["parameters"])
    shown = f"trial {first['trial']} of first, a parent"
    assert shown in said.out
    assert shown in hpo("status", "second").out
    assert shown in hpo("best", "second").out
    assert hpo("status", "second", "--json").json["best"]["origin"] == "first"
    top = hpo("best", "second", "--json", "--top", "15").json
    assert [entry["origin"] for entry in top] == ["first"] * 12 + ["second"] * 3
    assert told(hpo)["used"] == 12
    chosen = [trial["proposed_by"] for trial in trials(hpo)]
    assert chosen[0].startswith("model of 0 trials and 12 of parents")
    assert len(trials(hpo)) == 3  # the parents' do not count for max_jobs


def test_acceptance_16_a_running_job_has_no_best_but_what_beats_the_parents(hpo: Hpo) -> None:
    parent(hpo, jobs=6)
    best = hpo("best", "first", "--json").json["trial"]
    child(hpo, "identical", limits={"max_jobs": 2})
    hpo.write("train.sh", "echo loss=5")  # the same command; its best must then be the parent's
    with Terminal(hpo, "run", "spec.yaml") as terminal:
        terminal.wait_for(rf"best: \S+ \(trial {best} of first, a parent\)")
        assert "best so far" not in terminal.wait_for(r"2/2 +trial 2 +completed")
    hpo.write("train.sh", "echo loss=-5")
    first, second = hpo("run", "spec.yaml", "--name", "third").err.splitlines()[1:3]
    assert first.endswith("best so far")
    assert not second.endswith("best so far")


def test_acceptance_16_the_childs_own_best_is_its_own(hpo: Hpo) -> None:
    parent(hpo)
    child(hpo, "identical", program=BOWL, limits={"max_jobs": 20})
    hpo("run", "spec.yaml")
    best = hpo("best", "second", "--json").json
    assert best["origin"] == "second"
    assert best["value"] < hpo("best", "first", "--json").json["value"]
    assert "a parent" not in hpo("status", "second").out


@pytest.fixture(scope="module")
def with_parent(shared_hpo: Hpo) -> Hpo:
    """A job to begin with, for children that never run."""
    parent(shared_hpo, fixed={"epochs": 3})
    return shared_hpo


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        pytest.param(
            {"objective": {"metric": "other", "goal": "minimize"}, "metrics": {"other": "(.+)"}},
            "it was tuned for loss, and this job for other",
            id="metric",
        ),
        pytest.param(
            {"objective": {"metric": "loss", "goal": "maximize"}},
            "its goal was to minimize, and this job's is to maximize",
            id="goal",
        ),
        pytest.param(
            {"parameters": {"x": {"type": "integer", "min": 0, "max": 1}}},
            "`x` was continuous there and is integer here",
            id="type",
        ),
        pytest.param({"parameters": {"y": X}}, "`x` was a parameter there and is none here", id="removed"),
        pytest.param(
            {"fixed": {"epochs": 5}},
            "`fixed.epochs` was 3 there and is 5 here: the value of a fixed parameter may not change",
            id="fixed",
        ),
        pytest.param(
            {"fixed": {"epochs": 3, "batch": 8}},
            "`fixed.batch` is 8 here, and there was no such parameter",
            id="fixed_added",
        ),
        pytest.param(OTHER_DATA, "its data were others (inputs: train)", id="data"),
        pytest.param(
            {"launcher": {"command": ["sh", "./train.sh"]}}, "its program was another one", id="program"
        ),
        pytest.param(
            {"parameters": {"x": X, "y": X}},
            "none of its trials can be used: 8 without a value of y",
            id="added",
        ),
        pytest.param({"name": "first"}, "a job cannot be a parent of its own", id="itself"),
        pytest.param({"strategy": "grid", "parameters": {"x": X | {"step": 0.5}}}, "a grid tries", id="grid"),
        pytest.param(
            {"parameters": {"x": X | {"min": 10.0, "max": 10.5}}},
            "none of its trials can be used: 8 out of range",
            id="nothing_left",
        ),
    ],
)
def test_acceptance_16_each_restriction_has_words_of_its_own(
    with_parent: Hpo, sections: dict[str, Any], words: str
) -> None:
    hpo = with_parent
    child(hpo, "identical", **{"fixed": {"epochs": 3}, "limits": {}, **sections})
    if "strategy" not in sections:
        hpo("plan", "spec.yaml", "--set", "limits.max_jobs=5", status=2)
    said = hpo(
        "run", "spec.yaml", *([] if "strategy" in sections else ["--set", "limits.max_jobs=5"]), status=2
    )
    assert words in said.err
    assert "spec.yaml:" in said.err
    assert not (hpo.home / "jobs" / "second").exists()


def test_acceptance_16_a_parent_that_runs_or_has_nothing_is_refused(
    hpo: Hpo, eventually: Callable[[Callable[[], object]], None]
) -> None:
    hpo.job("exit 1", name="failed")
    hpo("run", "spec.yaml", status=1)
    hpo.job("touch up; sleep 60", name="running")
    hpo("run", "spec.yaml", "--detach")
    eventually((hpo.folder / "up").exists)  # before the next job's program is written in its place
    child(hpo, "transfer", "failed", "running", "nobody")
    said = hpo("run", "spec.yaml", status=2).err
    assert "failed: it has no completed trial" in said
    assert "running: it is still running: wait for its end with `hpo wait running`" in said
    assert "nobody: there is no job nobody" in said
    assert "the spec has 3 mistakes" in said
    hpo("stop", "running", "--now", status=None)


@pytest.mark.parametrize("kind", ["identical", "transfer"])
def test_acceptance_16_parents_may_be_deleted_and_a_resume_is_the_uninterrupted_job(
    hpo: Hpo, kind: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    parent(hpo)
    for name in ("whole", "cut"):
        child(hpo, kind, name=name, limits={"max_jobs": 12})
        if name == "whole":
            hpo("run", "spec.yaml")
    process = hpo.start("run", "spec.yaml")
    log = hpo.home / "jobs" / "cut" / "trials" / "0005" / "run-1" / "log"
    eventually(log.exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    hpo("delete", "first", "--yes")
    hpo("run", "spec.yaml", "--or-resume")  # reads no parent again
    whole, cut = (
        [(trial["parameters"], trial["proposed_by"]) for trial in trials(hpo, name)]
        for name in ("whole", "cut")
    )
    assert len(cut) == 12
    assert cut == whole
    assert told(hpo, "cut")["used"] == 8


def test_no_trial_counts_twice_in_a_chain(hpo: Hpo) -> None:
    parent(hpo)
    child(hpo, "identical")
    hpo("run", "spec.yaml")
    child(hpo, "identical", "second", "first", name="third")
    hpo("run", "spec.yaml")
    second, first = hpo("status", "third", "--json").json["warm_start"]
    assert (second["used"], second["trials"]) == (16, 16)
    assert (first["used"], first["repeated"], first["trials"]) == (0, 8, 8)
    origins = {entry["origin"] for entry in hpo("best", "third", "--json", "--top", "24").json}
    assert origins == {"first", "second", "third"}


@pytest.mark.parametrize("strategy", ["random", "hyperband"])
def test_a_strategy_that_learns_nothing_says_so(hpo: Hpo, strategy: str) -> None:
    fixed = {"epochs": 3}
    parent(hpo, fixed=fixed)
    child(hpo, "identical", strategy=strategy, fixed=fixed)
    said = hpo("run", "spec.yaml").err
    assert f"the strategy {strategy} draws its values without the parents' trials" in said
    hpo.job(BOWL, name="cold", strategy=strategy, fixed=fixed, limits={"max_jobs": 8})
    hpo("run", "spec.yaml")
    cold, warm = ([trial["parameters"] for trial in trials(hpo, name)] for name in ("cold", "second"))
    assert cold == warm

"""Acceptance lines 16 to 18: warm start, through the real command line."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.command_line import Hpo
from tests.terminal import Terminal

X: dict[str, Any] = {"type": "continuous", "min": 0.0, "max": 1.0}
BOWL = """awk -v x="$SM_HP_X" 'BEGIN {d = x - 0.3; printf "loss=%.17g\\n", d < 0 ? -d : d}'"""
"""The best is at 0.3."""

STEEP = """awk -v x="$SM_HP_X" 'BEGIN {d = 100 * (x - 0.32); printf "loss=%.17g\\n", d < 0 ? -d : d}'"""
"""The other's shape on another scale, and nearly its best."""

HILL = """awk -v x="$SM_HP_X" 'BEGIN {d = x - 0.3; printf "loss=%.17g\\n", d < 0 ? d : -d}'"""
"""The best is where the other's worst is."""


def parent(hpo: Hpo, name: str = "first", program: str = BOWL, jobs: int = 8, **sections: object) -> None:
    """Run a job to begin with."""
    hpo.job(program, name=name, limits={"max_jobs": jobs}, **sections)
    hpo("run", "spec.yaml")


def child(hpo: Hpo, kind: str, *parents: str, program: str = BOWL, **sections: object) -> None:
    """Write the spec of a job with parents."""
    warm_start = {"type": kind, "parents": list(parents or ("first",))}
    given: dict[str, object] = {"name": "second", "strategy": "bayesian", "limits": {"max_jobs": 8}}
    hpo.job(program, **{**given, **sections}, warm_start=warm_start)


def told(hpo: Hpo, name: str = "second") -> dict[str, Any]:
    (data,) = hpo("status", name, "--json").json["warm_start"]
    assert isinstance(data, dict)
    counts = ("used", "failed", "unfinished", "out_of_range", "incomplete", "different", "repeated")
    assert sum(data[count] for count in counts) == data["trials"]
    return data


def trials(hpo: Hpo, name: str = "second") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", name, "--json").json
    return found


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


OTHER_DATA = {"inputs": {"train": "."}}


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


@pytest.mark.parametrize("kind", ["identical", "transfer"])
def test_acceptance_18_points_outside_of_narrowed_ranges_are_counted(hpo: Hpo, kind: str) -> None:
    parent(hpo)
    inside = [t for t in trials(hpo, "first") if t["parameters"]["x"] <= 0.5]
    child(hpo, kind, parameters={"x": X | {"max": 0.5}})
    said = hpo("run", "spec.yaml").err
    data = told(hpo)
    assert (data["used"], data["out_of_range"]) == (len(inside), 8 - len(inside))
    assert 0 < len(inside) < 8
    out = 8 - len(inside)
    left = {"identical": "of use to a model alone", "transfer": "left out"}[kind]
    assert data["beyond"] == {"identical": out, "transfer": 0}[kind]
    assert f"{len(inside)} of 8 trials are used; {out} out of range, {left}; " in said
    assert f"; out of range were x in {out}\n" in said
    assert data["outside"] == {"x": out}
    child(hpo, kind, "second", name="third", parameters={"x": X})
    hpo("run", "spec.yaml")  # for which they were kept
    later = told(hpo, "third")
    assert (later["trials"], later["out_of_range"]) == (16, 0)
    assert later["used"] == 16 - later["repeated"]  # a transfer tries the parent's best ones again


def test_acceptance_18_choices_added_and_removed_and_parameters_fixed(hpo: Hpo) -> None:
    kinds = {"type": "categorical", "values": ["a", "b"]}
    parent(hpo, parameters={"x": X, "kind": kinds})
    count = sum(trial["parameters"]["kind"] == "b" for trial in trials(hpo, "first"))
    assert 0 < count < 8
    other = {"type": "categorical", "values": ["b", "c"]}
    child(hpo, "identical", parameters={"x": X, "kind": other})
    hpo("run", "spec.yaml")
    assert (told(hpo)["used"], told(hpo)["out_of_range"]) == (count, 8 - count)
    child(hpo, "identical", name="third", parameters={"x": X}, fixed={"kind": "b"})
    said = hpo("run", "spec.yaml").err
    assert (told(hpo, "third")["used"], told(hpo, "third")["different"]) == (count, 8 - count)
    assert f"{8 - count} with another value of a fixed parameter, left out" in said
    child(hpo, "transfer", name="fourth", parameters={"x": X}, fixed={"kind": "b"})
    said = hpo("run", "spec.yaml").err
    assert (told(hpo, "fourth")["used"], told(hpo, "fourth")["fixed"]) == (8, ["kind"])
    assert "8 of 8 trials are used; fixed here, and of other values there: kind" in said


def test_nothing_is_begun_where_the_parents_have_tried_everything(hpo: Hpo) -> None:
    few: dict[str, Any] = {"parameters": {"x": {"type": "integer", "min": 1, "max": 8}}}
    parent(hpo, **few)
    child(hpo, "identical", **few)
    assert "the parents have tried every configuration" in hpo("run", "spec.yaml", status=2).err
    wider: dict[str, Any] = {"parameters": {"x": {"type": "integer", "min": 1, "max": 10}}}
    child(hpo, "identical", **wider)
    hpo("run", "spec.yaml")
    assert sorted(trial["parameters"]["x"] for trial in trials(hpo)) == [9, 10]


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


def test_a_hint_of_a_parent_is_no_evidence_of_the_child(hpo: Hpo) -> None:
    parent(hpo)
    child(hpo, "transfer")
    hpo("run", "spec.yaml")
    child(hpo, "identical", "second", name="third")
    hpo("run", "spec.yaml")
    assert told(hpo, "third")["trials"] == 8


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

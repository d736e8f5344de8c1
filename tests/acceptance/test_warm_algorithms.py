"""Acceptance lines 16 to 18 for jobs of several algorithms: warm start, through the real command line."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.command_line import Hpo

X: dict[str, Any] = {"type": "continuous", "min": 0.0, "max": 1.0}
DEPTH: dict[str, Any] = {"type": "integer", "min": 1, "max": 20}

PROGRAM = """\
while [ $# -gt 1 ]; do [ "$1" = --x ] && x=$2; [ "$1" = --depth ] && x=$2; shift; done
awk -v x="$x" -v best="$BEST" 'BEGIN {d = (x - best) / 10; printf "loss=%.17g\\n", 0.25 + d * d}'
"""


def algorithm(name: str, **parameters: object) -> dict[str, Any]:
    return {"parameters": parameters, "launcher": {"command": ["sh", "train.sh", name]}}


FOREST, BOOSTING, SVM = algorithm("forest", depth=DEPTH), algorithm("boosting", x=X), algorithm("svm", x=X)
BOTH = {"forest": FOREST, "boosting": BOOSTING}


def job(hpo: Hpo, name: str, algorithms: dict[str, Any], **sections: object) -> None:
    """Write the spec of a job of several algorithms, of which x is best at 0.5, and the depth at 5."""
    hpo.job(PROGRAM, name=name, **{"limits": {"max_jobs": 12}, **sections})
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"]
    launcher = {"env": {"BEST": "0.5"}}
    spec |= {"algorithms": algorithms, "launcher": launcher} | sections
    hpo.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))


def single(hpo: Hpo, name: str, of: dict[str, Any], **sections: object) -> None:
    """Write the spec of a job of one of them alone."""
    launcher = {**of["launcher"], "env": {"BEST": "0.5"}}
    hpo.job(PROGRAM, name=name, parameters=of["parameters"], launcher=launcher, **sections)


def ran(hpo: Hpo, name: str, algorithms: dict[str, Any], **sections: object) -> list[dict[str, Any]]:
    """Run a job and return what it says of its parents."""
    job(hpo, name, algorithms, **sections)
    hpo("run", "spec.yaml")
    found: list[dict[str, Any]] = hpo("status", name, "--json").json["warm_start"]
    counts = ("used", "failed", "unfinished", "infeasible", "out_of_range", "repeated", "unclaimed")
    assert all(sum(data[count] for count in counts) == data["trials"] for data in found)
    return found


def trials(hpo: Hpo, name: str, algorithm: str | None = None) -> list[dict[str, Any]]:
    only = ["--algorithm", algorithm] if algorithm is not None else []
    found: list[dict[str, Any]] = hpo("trials", name, *only, "--json").json
    return found


def identical(*parents: str) -> dict[str, Any]:
    return {"type": "identical", "parents": list(parents)}


def transfer(*parents: str) -> dict[str, Any]:
    return {"type": "transfer", "parents": list(parents)}


def brief(data: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [(each["parent"], each["algorithm"], each["used"], each["trials"]) for each in data]


def test_acceptance_16_a_parent_of_several_gives_each_algorithm_its_own_trials(hpo: Hpo) -> None:
    ran(hpo, "first", {**BOTH, "svm": SVM}, strategy="bayesian")
    counts = Counter(trial["algorithm"] for trial in trials(hpo, "first"))
    job(hpo, "second", BOTH, strategy="bayesian", warm_start=identical("first"), limits={"max_jobs": 4})
    planned = hpo("plan", "spec.yaml", "--json").json["warm_start"]
    said = hpo("run", "spec.yaml").err
    told = hpo("status", "second", "--json").json["warm_start"]
    assert planned == told
    assert brief(told) == [
        ("first", "forest", counts["forest"], counts["forest"]),
        ("first", "boosting", counts["boosting"], counts["boosting"]),
        ("first", "svm", 0, counts["svm"]),
    ]
    assert told[2]["unclaimed"] == counts["svm"]
    lines = [
        f"parent    first (identical, forest): {counts['forest']} of {counts['forest']} trials are used\n",
        f"parent    first (identical, svm): 0 of {counts['svm']} trials are used; "
        f"{counts['svm']} of an algorithm that is none here\n",
    ]
    for shown in (said, hpo("status", "second").out, hpo("plan", "spec.yaml", "--set", "name=x").out):
        assert all(line in shown for line in lines)
    first = trials(hpo, "second")[0]
    assert f"and {counts[first['algorithm']]} of parents" in first["proposed_by"]
    # Nothing is lost of what has no algorithm here: a grandchild has it.
    last = ran(hpo, "third", {**BOTH, "svm": SVM}, warm_start=identical("second", "first"))
    ours = Counter(trial["algorithm"] for trial in trials(hpo, "second"))
    own = {name: counts[name] + ours[name] for name in counts}
    assert brief(last) == [
        *(pair for name in ("forest", "boosting", "svm") for pair in (
            ("second", name, own[name], own[name]), ("first", name, 0, counts[name]),
        )),
    ]  # fmt: skip
    assert [each["repeated"] for each in last[1::2]] == [counts[each["algorithm"]] for each in last[1::2]]


def test_acceptance_16_values_of_an_identical_start_tell_which_algorithm_is_worth_trying(hpo: Hpo) -> None:
    """The parents have shown that boosting is far better: it gets the trials, and no minimum is spent."""
    ran(hpo, "first", BOTH, launcher={"env": {"BEST": "0.5"}}, limits={"max_jobs": 16})
    cold = Counter(trial["algorithm"] for trial in trials(hpo, "first")[:6])
    assert cold == {"forest": 3, "boosting": 3}
    ran(hpo, "second", BOTH, warm_start=identical("first"), limits={"max_jobs": 6})
    assert Counter(trial["algorithm"] for trial in trials(hpo, "second"))["boosting"] >= 5
    chosen = trials(hpo, "second")[0]["proposed_by"]
    assert "boosting promises most, after 0 trials of it and " in chosen
    ran(hpo, "hinted", BOTH, warm_start=transfer("first"), limits={"max_jobs": 6})
    assert Counter(trial["algorithm"] for trial in trials(hpo, "hinted")) == cold, "hints are no results"


def test_acceptance_16_the_best_may_be_a_parents_and_is_said_to_be(hpo: Hpo) -> None:
    single(hpo, "old", FOREST, limits={"max_jobs": 8}, strategy="bayesian")
    hpo("run", "spec.yaml")
    best = hpo("best", "old", "--json").json
    algorithms = {**BOTH, "forest": {**FOREST, "warm_start": identical("old")}}
    told = ran(hpo, "both", algorithms, launcher={"env": {"BEST": "0.5"}}, limits={"max_jobs": 2})
    assert brief(told) == [("old", "forest", 8, 8)]
    forest = hpo("best", "both", "--algorithm", "forest", "--json").json
    keys = ("value", "parameters", "trial")
    assert [forest[key] for key in keys] == [best[key] for key in keys]
    assert (forest["origin"], forest["algorithm"]) == ("old", "forest")
    shown = f"trial {best['trial']} of old, a parent"
    assert f"{shown}, forest" in hpo("best", "both", "--algorithm", "forest").out
    status = hpo("status", "both", "--json").json
    assert status["algorithms"][0]["best"] == {key: forest[key] for key in status["algorithms"][0]["best"]}
    assert status["algorithms"][1]["best"]["origin"] == "both"
    assert f"best {best['value']!r} ({shown})" in hpo("status", "both").out
    top = hpo("best", "both", "--top", "20", "--json").json
    assert Counter((each["origin"], each["algorithm"]) for each in top)["old", "forest"] == 8


@pytest.mark.parametrize("kind", ["identical", "transfer"])
def test_acceptance_16_a_killed_job_goes_on_as_the_uninterrupted_one(
    hpo: Hpo, kind: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    ran(hpo, "first", BOTH, limits={"max_jobs": 8})
    single(hpo, "old", BOOSTING, limits={"max_jobs": 4})
    hpo("run", "spec.yaml")
    start = {"type": kind, "parents": ["first", "old"]}
    for name in ("whole", "cut"):
        algorithms = {"forest": FOREST, "boosting": {**BOOSTING, "warm_start": start}}
        job(hpo, name, algorithms, strategy="bayesian", warm_start={"type": kind, "parents": ["first"]})
        if name == "whole":
            hpo("run", "spec.yaml")
    process = hpo.start("run", "spec.yaml")
    eventually((hpo.home / "jobs" / "cut" / "trials" / "0005" / "run-1" / "log").exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    hpo("delete", "first", "--yes")
    hpo("delete", "old", "--yes")
    hpo("run", "spec.yaml", "--or-resume")  # reads no parent again
    keys = ("algorithm", "parameters", "proposed_by")
    whole, cut = ([[trial[key] for key in keys] for trial in trials(hpo, name)] for name in ("whole", "cut"))
    assert len(cut) == 12
    assert cut == whole


def test_acceptance_17_one_algorithm_may_be_hinted_at_and_another_have_evidence(hpo: Hpo) -> None:
    ran(hpo, "first", BOTH, limits={"max_jobs": 10})
    count = len(trials(hpo, "first", "boosting"))
    hinted = {
        **BOOSTING,
        "launcher": {"command": ["sh", "train.sh", "other"]},
        "warm_start": transfer("first"),
    }
    job(hpo, "second", {"forest": FOREST, "boosting": hinted}, warm_start=identical("first"))
    refused = hpo("run", "spec.yaml", "--set", "algorithms.boosting.warm_start.type=identical", status=2).err
    assert "`algorithms.boosting.warm_start.parents`: first: its program was another one" in refused
    hpo("run", "spec.yaml", "--set", "strategy=bayesian")
    told = hpo("status", "second", "--json").json["warm_start"]
    assert [(each["algorithm"], each["type"]) for each in told] == [
        ("forest", "identical"), ("boosting", "transfer"),
    ]  # fmt: skip
    assert told[1]["used"] == count
    assert all(t["proposed_by"].startswith("parent: trial ") for t in trials(hpo, "second", "boosting")[:1])
    inherited = hpo("best", "second", "--top", "99", "--json").json
    assert {each["algorithm"] for each in inherited if each["origin"] == "first"} == {"forest"}


def test_acceptance_18_a_parents_points_outside_of_narrowed_ranges_are_counted(hpo: Hpo) -> None:
    ran(hpo, "first", BOTH)
    inside = [trial for trial in trials(hpo, "first", "boosting") if trial["parameters"]["x"] <= 0.5]
    every = trials(hpo, "first", "boosting")
    narrower = {**BOTH, "boosting": algorithm("boosting", x=X | {"max": 0.5})}
    told = ran(hpo, "second", narrower, warm_start=identical("first"))
    assert (told[1]["used"], told[1]["out_of_range"]) == (len(inside), len(every) - len(inside))
    assert told[1]["outside"] == {"x": len(every) - len(inside)}
    assert told[0]["used"] == len(trials(hpo, "first", "forest"))


def test_a_job_of_one_algorithm_begins_with_one_of_several(hpo: Hpo) -> None:
    ran(hpo, "first", BOTH)
    count = len(trials(hpo, "first", "boosting"))
    single(hpo, "one", BOOSTING, warm_start=identical("first"))
    assert (
        "`warm_start.parents`: first: it tuned forest, boosting: name the one whose trials are to be taken, "
        "as in first#forest"
    ) in hpo("run", "spec.yaml", status=2).err
    for named, words in {
        "first#boostin": "it has no algorithm boostin; did you mean `boosting`?; it has forest, boosting",
        "first#forest": "`depth` was a parameter there and is none here",
    }.items():
        single(hpo, "one", BOOSTING, warm_start=identical(named))
        assert words in hpo("run", "spec.yaml", status=2).err
    single(hpo, "one", BOOSTING, warm_start=identical("first#boosting"))
    hpo("run", "spec.yaml")
    (told,) = hpo("status", "one", "--json").json["warm_start"]
    assert brief([told]) == [("first#boosting", None, count, count)]
    single(hpo, "two", BOOSTING, warm_start=identical("one#boosting"))
    assert "it has not several algorithms: leave #boosting out" in hpo("run", "spec.yaml", status=2).err
    single(hpo, "two", BOOSTING, warm_start=identical("./state/jobs/first#boosting", "one"))
    hpo("run", "spec.yaml")
    folder, one = hpo("status", "two", "--json").json["warm_start"]
    assert (folder["used"], one["used"], one["repeated"]) == (count, 3, count)


def test_what_cannot_be_shared_out_is_told_where_it_stands(hpo: Hpo) -> None:
    single(hpo, "old", FOREST)
    hpo("run", "spec.yaml")
    ran(hpo, "others", {"svm": SVM, "bagging": algorithm("bagging", x=X)}, limits={"max_jobs": 3})
    for parent, words in {
        "old": "its trials are of one algorithm: give them under `algorithms.NAME.warm_start`",
        "others#svm": "trials of one algorithm are given under `algorithms.NAME.warm_start`",
        "others": "it tuned svm, bagging, and this job has none of them",
        "job": "a job cannot be a parent of its own",
        "nobody": "there is no job nobody",
    }.items():
        job(hpo, "job", BOTH, warm_start=identical(parent))
        said = hpo("run", "spec.yaml", status=2).err
        assert f"`warm_start.parents`: {parent}: {words}" in said
        assert said.count(words) == 1
    job(hpo, "job", {**BOTH, "forest": {**FOREST, "warm_start": identical("others")}})
    said = hpo("run", "spec.yaml", status=2).err
    assert "`algorithms.forest.warm_start.parents`: others: it tuned svm, bagging: name the one" in said
    cells = {name: algorithm(name, n={"type": "integer", "min": 1, "max": 2}) for name in BOTH}
    job(hpo, "job", cells, strategy="grid", limits={}, warm_start=identical("old"))
    assert "a grid tries every combination" in hpo("run", "spec.yaml", status=2).err


def test_a_table_of_several_is_shared_out_by_its_column(hpo: Hpo) -> None:
    ran(hpo, "first", {**BOTH, "svm": SVM})
    counts = Counter(trial["algorithm"] for trial in trials(hpo, "first"))
    for form in ("csv", "json"):
        hpo("trials", "first", "--format", form, "--output", f"all.{form}")
        told = ran(hpo, f"by-{form}", BOTH, warm_start=identical(f"all.{form}"), limits={"max_jobs": 2})
        assert brief(told) == [
            (f"all.{form}", "forest", counts["forest"], counts["forest"]),
            (f"all.{form}", "boosting", counts["boosting"], counts["boosting"]),
            (f"all.{form}", "svm", 0, counts["svm"]),
        ]
        single(hpo, f"one-{form}", SVM, warm_start=identical(f"all.{form}#svm"))
        hpo("run", "spec.yaml")
        (one,) = hpo("status", f"one-{form}", "--json").json["warm_start"]
        assert one["used"] == counts["svm"]


def test_another_round_begins_with_the_trials_of_each(hpo: Hpo) -> None:
    single(hpo, "old", FOREST, limits={"max_jobs": 3})
    hpo("run", "spec.yaml")
    begun = {**BOTH, "forest": {**FOREST, "warm_start": identical("./state/jobs/old")}}
    ran(hpo, "first", begun, limits={"max_jobs": 24})
    counts = Counter(trial["algorithm"] for trial in trials(hpo, "first"))
    hpo("narrow", "first", "--warm-start", "-o", "next.yaml")
    after = yaml.safe_load(hpo.text("next.yaml"))
    assert after["warm_start"] == identical("first")
    assert after["algorithms"]["forest"]["warm_start"] is None
    hpo("run", "next.yaml", "--set", "limits.max_jobs=3")
    forest, boosting = hpo("status", after["name"], "--json").json["warm_start"]
    assert (forest["trials"], boosting["trials"]) == (counts["forest"] + 3, counts["boosting"])
    assert boosting["used"] > 0
    (hpo.folder / "there").mkdir()
    hpo("copy", "first", "--name", "again", "-o", "there/again.yaml")
    assert f"{hpo.folder}/state/jobs/old" in hpo.text("there/again.yaml")
    hpo("plan", "there/again.yaml")

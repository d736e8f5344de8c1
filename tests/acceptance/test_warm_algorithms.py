"""Acceptance lines 16 to 18 for jobs of several algorithms: warm start, through the real command line."""

from __future__ import annotations

import shutil
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


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Hpo:
    """Jobs to begin with: one of three algorithms with four trials each, and one of the forest alone."""
    hpo = Hpo(tmp_path_factory.mktemp("parents"))
    job(hpo, "first", {**BOTH, "svm": SVM})
    hpo("run", "spec.yaml")
    single(hpo, "old", FOREST)
    hpo("run", "spec.yaml")
    return hpo


@pytest.fixture
def warm(begun: Hpo, hpo: Hpo) -> Hpo:
    """The same jobs, for one test."""
    shutil.copytree(begun.home, hpo.home)
    return hpo


def test_acceptance_16_a_parent_of_several_gives_each_algorithm_its_own_trials(warm: Hpo) -> None:
    job(warm, "second", BOTH, strategy="bayesian", warm_start=identical("first"), limits={"max_jobs": 3})
    planned = warm("plan", "spec.yaml", "--json").json["warm_start"]
    said = warm("run", "spec.yaml").err
    told = warm("status", "second", "--json").json["warm_start"]
    assert planned == told
    assert brief(told) == [("first", "forest", 4, 4), ("first", "boosting", 4, 4), ("first", "svm", 0, 4)]
    assert told[2]["unclaimed"] == 4
    for line in (
        "parent    first (identical, forest): 4 of 4 trials are used\n",
        "parent    first (identical, svm): 0 of 4 trials are used; 4 of an algorithm that is none here\n",
    ):
        assert line in said
        assert line in warm("status", "second").out
    chosen = trials(warm, "second")[0]["proposed_by"]
    assert chosen.startswith("model of 0 trials and 4 of parents")
    # What has no algorithm here is not lost: a grandchild has it, and nothing twice.
    ours = Counter(trial["algorithm"] for trial in trials(warm, "second"))
    last = ran(warm, "third", {**BOTH, "svm": SVM}, warm_start=identical("second", "first"))
    assert brief(last) == [
        entry
        for name in ("forest", "boosting", "svm")
        for entry in (("second", name, 4 + ours[name], 4 + ours[name]), ("first", name, 0, 4))
    ]
    assert [each["repeated"] for each in last[1::2]] == [4, 4, 4]


def test_acceptance_16_an_identical_start_tells_which_algorithm_is_worth_trying(warm: Hpo) -> None:
    """The parents have shown that boosting is better: it gets the trials, and no minimum is spent."""
    ran(warm, "second", BOTH, warm_start=identical("first"), limits={"max_jobs": 6})
    chosen = [trial["proposed_by"] for trial in trials(warm, "second")]
    assert "boosting promises most, after 0 trials of it and 4 of parents" in chosen[0]
    assert Counter(trial["algorithm"] for trial in trials(warm, "second"))["boosting"] >= 4
    ran(warm, "hinted", BOTH, warm_start=transfer("first"), limits={"max_jobs": 6})
    shares = Counter(trial["algorithm"] for trial in trials(warm, "hinted"))
    assert shares == {"forest": 3, "boosting": 3}, "hints are no results"


def test_acceptance_16_the_best_may_be_a_parents_and_is_said_to_be(warm: Hpo) -> None:
    best = warm("best", "old", "--json").json
    algorithms = {**BOTH, "forest": {**FOREST, "warm_start": identical("old")}}
    assert brief(ran(warm, "both", algorithms, limits={"max_jobs": 2})) == [("old", "forest", 3, 3)]
    forest = warm("best", "both", "--algorithm", "forest", "--json").json
    keys = ("value", "parameters", "trial")
    assert [forest[key] for key in keys] == [best[key] for key in keys]
    assert (forest["origin"], forest["algorithm"]) == ("old", "forest")
    shown = f"trial {best['trial']} of old, a parent"
    assert f"{shown}, forest" in warm("best", "both", "--algorithm", "forest").out
    of_each = warm("status", "both", "--json").json["algorithms"]
    assert of_each[0]["best"] == {key: forest[key] for key in of_each[0]["best"]}
    assert of_each[1]["best"]["origin"] == "both"
    assert f"best {best['value']!r} ({shown})" in warm("status", "both").out
    top = warm("best", "both", "--top", "20", "--json").json
    assert Counter((each["origin"], each["algorithm"]) for each in top)["old", "forest"] == 3


@pytest.mark.parametrize("kind", ["identical", "transfer"])
def test_acceptance_16_a_killed_job_goes_on_as_the_uninterrupted_one(
    warm: Hpo, kind: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    start = {"type": kind, "parents": ["first", "old"]}
    for name in ("whole", "cut"):
        algorithms = {"forest": {**FOREST, "warm_start": start}, "boosting": BOOSTING}
        sections = {"strategy": "bayesian", "warm_start": {"type": kind, "parents": ["first"]}}
        job(warm, name, algorithms, limits={"max_jobs": 8}, **sections)
        if name == "whole":
            warm("run", "spec.yaml")
    process = warm.start("run", "spec.yaml")
    eventually((warm.home / "jobs" / "cut" / "trials" / "0004" / "run-1" / "log").exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    warm("delete", "first", "--yes")
    warm("delete", "old", "--yes")
    warm("run", "spec.yaml", "--or-resume")  # reads no parent again
    keys = ("algorithm", "parameters", "proposed_by")
    whole, cut = ([[trial[key] for key in keys] for trial in trials(warm, name)] for name in ("whole", "cut"))
    assert len(cut) == 8
    assert cut == whole


def test_acceptance_17_one_algorithm_may_be_hinted_at_and_another_have_evidence(warm: Hpo) -> None:
    hinted = {
        **BOOSTING,
        "launcher": {"command": ["sh", "train.sh", "other"]},
        "warm_start": transfer("first"),
    }
    job(warm, "second", {"forest": FOREST, "boosting": hinted}, warm_start=identical("first"))
    refused = warm("run", "spec.yaml", "--set", "algorithms.boosting.warm_start.type=identical", status=2).err
    assert "`algorithms.boosting.warm_start.parents`: first: its program was another one" in refused
    warm("run", "spec.yaml", "--set", "strategy=bayesian", "--set", "limits.max_jobs=4")
    told = warm("status", "second", "--json").json["warm_start"]
    assert [(each["algorithm"], each["type"]) for each in told] == [
        ("forest", "identical"), ("boosting", "transfer"), ("svm", "identical"),
    ]  # fmt: skip
    assert [each["used"] for each in told] == [4, 4, 0]
    assert all(t["proposed_by"].startswith("parent: trial ") for t in trials(warm, "second", "boosting")[:1])
    inherited = warm("best", "second", "--top", "99", "--json").json
    assert {each["algorithm"] for each in inherited if each["origin"] == "first"} == {"forest"}


def test_acceptance_18_a_parents_points_outside_of_narrowed_ranges_are_counted(warm: Hpo) -> None:
    inside = [trial for trial in trials(warm, "first", "boosting") if trial["parameters"]["x"] <= 0.3]
    every = trials(warm, "first", "boosting")
    narrower = {**BOTH, "boosting": algorithm("boosting", x=X | {"max": 0.3})}
    told = ran(warm, "second", narrower, warm_start=identical("first"), limits={"max_jobs": 2})
    assert (told[1]["used"], told[1]["out_of_range"]) == (len(inside), len(every) - len(inside))
    assert told[1]["outside"] == {"x": len(every) - len(inside)}
    assert 0 < len(inside) < len(every) == told[0]["used"]


def test_a_job_of_one_algorithm_begins_with_one_of_several(warm: Hpo) -> None:
    single(warm, "one", BOOSTING, warm_start=identical("first"))
    said = warm("run", "spec.yaml", status=2).err
    assert "`warm_start.parents`: first: it tuned forest, boosting, svm: name the one whose trials " in said
    assert "as in first#forest" in said
    for named, words in {
        "first#boostin": "it has no algorithm boostin, but forest, boosting, svm; did you mean `boosting`?",
        "first#forest": "`depth` was a parameter there and is none here",
    }.items():
        single(warm, "one", BOOSTING, warm_start=identical(named))
        assert words in warm("run", "spec.yaml", status=2).err
    single(warm, "one", BOOSTING, warm_start=identical("first#boosting"))
    warm("run", "spec.yaml")
    (told,) = warm("status", "one", "--json").json["warm_start"]
    assert brief([told]) == [("first#boosting", None, 4, 4)]
    single(warm, "two", BOOSTING, warm_start=identical("one#boosting"))
    assert "it has not several algorithms: leave #boosting out" in warm("run", "spec.yaml", status=2).err
    single(warm, "two", BOOSTING, warm_start=identical("./state/jobs/first#boosting", "one"))
    warm("run", "spec.yaml")
    folder, one = warm("status", "two", "--json").json["warm_start"]
    assert (folder["used"], one["used"] + one["repeated"]) == (4, 7)


def test_what_cannot_be_shared_out_is_told_where_it_stands(warm: Hpo) -> None:
    ran(warm, "others", {"svm": SVM, "bagging": algorithm("bagging", x=X)}, limits={"max_jobs": 3})
    for parent, words in {
        "old": "its trials are of one algorithm: give them under `algorithms.NAME.warm_start`",
        "others#svm": "trials of one algorithm are given under `algorithms.NAME.warm_start`",
        "others": "it tuned svm, bagging, and this job has none of them",
        "job": "a job cannot be a parent of its own",
        "nobody": "there is no job nobody",
    }.items():
        job(warm, "job", BOTH, warm_start=identical(parent))
        said = warm("run", "spec.yaml", status=2).err
        assert f"`warm_start.parents`: {parent}: {words}" in said
        assert said.count(words) == 1
    job(warm, "job", {**BOTH, "forest": {**FOREST, "warm_start": identical("others")}})
    said = warm("run", "spec.yaml", status=2).err
    assert "`algorithms.forest.warm_start.parents`: others: it tuned svm, bagging: name the one" in said
    cells = {name: algorithm(name, n={"type": "integer", "min": 1, "max": 2}) for name in BOTH}
    job(warm, "job", cells, strategy="grid", limits={}, warm_start=identical("old"))
    assert "a grid tries every combination" in warm("run", "spec.yaml", status=2).err


def test_a_table_of_several_is_shared_out_by_its_column(warm: Hpo) -> None:
    for form in ("csv", "json"):
        warm("trials", "first", "--format", form, "--output", f"all.{form}")
        told = ran(warm, f"by-{form}", BOTH, warm_start=identical(f"all.{form}"), limits={"max_jobs": 2})
        assert brief(told) == [
            (f"all.{form}", "forest", 4, 4),
            (f"all.{form}", "boosting", 4, 4),
            (f"all.{form}", "svm", 0, 4),
        ]
        single(warm, f"one-{form}", SVM, warm_start=identical(f"all.{form}#svm"))
        warm("run", "spec.yaml")
        (one,) = warm("status", f"one-{form}", "--json").json["warm_start"]
        assert one["used"] == 4


def test_another_round_begins_with_the_trials_of_each(warm: Hpo) -> None:
    given = {**BOTH, "forest": {**FOREST, "warm_start": identical("./state/jobs/old")}}
    ran(warm, "round", given, limits={"max_jobs": 24})
    counts = Counter(trial["algorithm"] for trial in trials(warm, "round"))
    warm("narrow", "round", "--warm-start", "-o", "next.yaml")
    after = yaml.safe_load(warm.text("next.yaml"))
    assert after["warm_start"] == identical("round")
    assert after["algorithms"]["forest"]["warm_start"] is None
    warm("run", "next.yaml", "--set", "limits.max_jobs=3")
    forest, boosting = warm("status", after["name"], "--json").json["warm_start"]
    assert (forest["trials"], boosting["trials"]) == (counts["forest"] + 3, counts["boosting"])
    assert boosting["used"] > 0
    (warm.folder / "there").mkdir()
    warm("copy", "round", "--name", "again", "-o", "there/again.yaml")
    assert f"{warm.folder}/state/jobs/old" in warm.text("there/again.yaml")
    warm("plan", "there/again.yaml")

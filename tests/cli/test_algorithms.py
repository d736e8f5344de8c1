"""The commands of a job with several algorithms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command_line import Hpo

ALGORITHMS: dict[str, Any] = {
    "forest": {
        "parameters": {
            "depth": {"type": "integer", "min": 1, "max": 20},
            "rate": {"type": "categorical", "values": ["low", "high"]},
        },
        "launcher": {"command": ["sh", "forest.sh"]},
    },
    "boosting": {
        "parameters": {"rate": {"type": "continuous", "min": 0.0, "max": 1.0, "default": 0.5}},
        "fixed": {"epochs": 9},
        "metrics": {"loss": r"eval: (\S+)"},
        "launcher": {"command": ["sh", "boosting.sh"]},
    },
}
FOREST = 'while [ $# -gt 1 ]; do [ "$1" = --depth ] && depth=$2; shift; done; echo "loss=$depth.5"'
BOOSTING = 'while [ $# -gt 1 ]; do [ "$1" = --rate ] && rate=$2; shift; done; echo "eval: 10$rate"'
"""The forest is the better one, and best where it is shallow: its losses are 1.5 to 20.5, the other's 100."""


def write(hpo: Hpo, **sections: object) -> None:
    hpo.write("forest.sh", FOREST)
    hpo.write("boosting.sh", BOOSTING)
    given = {"algorithms": ALGORITHMS, "launcher": {"threads": 1}, "limits": {"max_jobs": 30}} | sections
    hpo.job("", **given)
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"]
    hpo.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Hpo:
    """A job of 30 trials, which has ended."""
    hpo = Hpo(tmp_path_factory.mktemp("several"))
    write(hpo, fixed={"epochs": 1}, limits={"max_jobs": 30, "max_parallel_jobs": 4})
    said = hpo("run", "spec.yaml").err
    assert " forest    completed  loss = 1.5" in said  # as wide as boosting
    assert "algorithm forest: " in said
    return hpo


def test_try_tries_each_or_the_one_that_is_named(hpo: Hpo) -> None:
    write(hpo)
    tried = hpo("try", "spec.yaml")
    assert "trying forest: --depth 11 --rate high\n" in tried.err
    assert "trying boosting: --rate 0.5 --epochs 9\n" in tried.err
    assert "forest:\nit ended: succeeded" in tried.out
    both = hpo("try", "spec.yaml", "--json").json
    assert [(each["algorithm"], each["value"]) for each in both] == [("forest", 11.5), ("boosting", 100.5)]
    one = hpo("try", "spec.yaml", "--algorithm", "boosting", "--json").json
    assert (one["algorithm"], one["parameters"]) == ("boosting", {"rate": 0.5})
    hpo.write("boosting.sh", "echo nothing")
    assert hpo("try", "spec.yaml", "--json", status=1).json[1]["value"] is None
    assert "did you mean `forest`?" in hpo("try", "spec.yaml", "--algorithm", "forrest", status=2).err
    assert not hpo.home.exists()


def test_metrics_are_tried_on_the_log_of_one(hpo: Hpo) -> None:
    write(hpo)
    hpo.write("log", "eval: 3\n")
    assert "--algorithm forest, boosting" in hpo("metrics", "spec.yaml", "--log", "log", status=2).err
    hpo("metrics", "spec.yaml", "--log", "log", "--algorithm", "boosting")
    hpo("metrics", "spec.yaml", "--log", "log", "--algorithm", "forest", status=1)


def test_a_plan_shows_each_and_is_what_the_job_then_does(hpo: Hpo) -> None:
    write(hpo, limits={"max_jobs": 4})
    text = hpo("plan", "spec.yaml").out
    assert "algorithm forest: a space of 2 parameters, 40 configurations\n" in text
    assert "algorithm boosting: a space of 1 parameter, infinitely many configurations\n" in text
    assert "trial 1, of boosting, would be launched as\n" in text  # its default comes first
    assert "sh boosting.sh --epochs 9 --rate 0.5" in text
    plan = hpo("plan", "spec.yaml", "--json").json
    assert plan["configurations"] is None
    assert [(each["name"], each["configurations"]) for each in plan["algorithms"]] == [
        ("forest", 40), ("boosting", None),
    ]  # fmt: skip
    assert "sh forest.sh" in plan["algorithms"][0]["request"]
    hpo("run", "spec.yaml")
    keys = ("trial", "algorithm", "parameters", "proposed_by")
    ran = hpo("trials", "job", "--json").json
    assert [{key: trial[key] for key in keys} for trial in ran] == plan["trials"]


def test_what_is_missing_is_told_of_the_algorithm(hpo: Hpo) -> None:
    write(hpo)
    (hpo.folder / "boosting.sh").unlink()
    refused = hpo.refused("run", "spec.yaml", "--set", "algorithms.forest.launcher.threds=2")
    assert "unknown key `threds` in `algorithms.forest.launcher`; did you mean `threads`?" in refused
    refused = hpo.refused("run", "spec.yaml")
    assert "`algorithms.boosting.launcher.command`: there is no " in refused
    assert "spec.yaml:" in refused
    refused = hpo.refused("run", "spec.yaml", "--set", "launcher.thread=2")
    assert refused.count("unknown key `thread` in `launcher`") == 1
    refused = hpo.refused("run", "spec.yaml", "--set", "algorithms.boosting.metrics.loss='eval: \\S+'")
    assert "`algorithms.boosting.metrics.loss` is `eval: \\S+`" in refused


def test_best_and_trials_are_of_all_or_of_one(done: Hpo) -> None:
    best = done("best", "job", "--json").json
    assert (best["algorithm"], best["value"]) == ("forest", 1.5)
    assert best["fixed"] == {"epochs": 1}
    other = done("best", "job", "--json", "--algorithm", "boosting").json
    assert (other["algorithm"], other["fixed"]) == ("boosting", {"epochs": 9})
    assert done("best", "job", "--algorithm", "boosting", "--format", "args").out.startswith(
        "--epochs 9 --rate "
    )
    assert done("best", "job", "--format", "env").out.startswith("EPOCHS=1\nDEPTH=1\n")
    every = done("trials", "job", "--json").json
    own = done("trials", "job", "--algorithm", "boosting", "--json").json
    assert own == [trial for trial in every if trial["algorithm"] == "boosting"]
    assert 3 <= len(own) <= 9
    header = done("trials", "job").out.splitlines()[0].split()
    assert header == ["trial", "algorithm", "status", "loss", "seconds", "depth", "rate", "reason"]
    assert "there are: forest, boosting" in done("trials", "job", "--algorithm", "xyz", status=2).err
    text = done("status", "job").out
    assert f"algorithm forest: {30 - len(own)} completed; best 1.5 (trial {best['trial']})\n" in text
    assert f"algorithm boosting: {len(own)} completed; best " in text


def test_why_says_whose_trial_it_is_and_compares_it_with_the_best_of_its_algorithm(done: Hpo) -> None:
    number = done("trials", "job", "--algorithm", "boosting", "--json").json[-1]["trial"]
    why = done("why", "job", str(number), "--json").json
    best = done("best", "job", "--algorithm", "boosting", "--json").json
    assert (why["algorithm"], why["best"]["trial"]) == ("boosting", best["trial"])
    assert why["proposed_by"].endswith(" of boosting") or "boosting promises most" in why["proposed_by"]
    assert f"trial {number} of job, boosting: completed" in done("why", "job", str(number)).out


def test_narrow_narrows_those_with_enough_trials(done: Hpo) -> None:
    narrowed = done("narrow", "job", "--top", "4", "-o", "round-2.yaml")
    after = yaml.safe_load(done.text("round-2.yaml"))["algorithms"]
    assert after["forest"]["parameters"]["depth"]["max"] < 20
    assert after["boosting"] == ALGORITHMS["boosting"]
    assert "forest: depth: max: 20 → " in narrowed.err
    assert "boosting: left as it is: " in narrowed.err
    done("run", "round-2.yaml", "--set", "limits.max_jobs=6")
    assert "completed of the best algorithm of job-2" in done("narrow", "job-2", status=1).err


def test_confirm_runs_the_winners_as_their_algorithms(done: Hpo) -> None:
    found = done("confirm", "job", "--top", "2", "--seeds", "2", "--json").json
    assert {trial["algorithm"] for trial in found["trials"]} == {"forest"}
    assert [trial["n"] for trial in found["trials"]] == [2, 2]
    every = len(done("trials", "job", "--json").json)
    all_of_them = done("confirm", "job", "--top", str(every), "--seeds", "1", "--name", "all", "--json").json
    assert {trial["algorithm"] for trial in all_of_them["trials"]} == {"forest", "boosting"}
    assert {trial["n"] for trial in all_of_them["trials"]} == {1}


def test_a_copy_runs_from_another_folder(done: Hpo, tmp_path: Path) -> None:
    assert done("copy", "job").out == (done.home / "jobs/job/spec.yaml").read_text()
    elsewhere = Hpo(tmp_path)
    env = {"HPO_HOME": str(done.home)}
    elsewhere("copy", "job", "--name", "copied", "-o", "copy.yaml", env=env)
    assert [each["value"] for each in elsewhere("try", "copy.yaml", "--json").json] == [11.5, 100.5]


def test_ranges_of_an_algorithm_can_be_narrowed_and_nothing_else_of_it(done: Hpo, tmp_path: Path) -> None:
    write(hpo := Hpo(tmp_path), limits={"max_jobs": 4})
    hpo("run", "spec.yaml")
    refused = hpo("edit", "job", "--set", "algorithms.forest.fixed.epochs=3", status=2).err
    assert "`fixed` may not change: its trials were run with it" in refused
    refused = hpo("edit", "job", "--set", "algorithms.forest.parameters.depth.max=21", status=2).err
    assert "algorithms.forest.parameters.depth.max: it may only be lowered, and is 20" in refused
    edits = ("limits.max_jobs=12", "algorithms.forest.parameters.depth.max=3")
    hpo("resume", "job", *(part for edit in edits for part in ("--set", edit)))
    later = [trial for trial in hpo("trials", "job", "--json").json if trial["trial"] > 4]
    assert len(later) == 8
    assert all(trial["parameters"].get("depth", 0) <= 3 for trial in later)
    assert "algorithms.forest.parameters.depth.max=3 (was 20)" in hpo("status", "job").out


def test_a_table_of_one_of_several_is_a_parent(done: Hpo) -> None:
    child = {
        "parameters": ALGORITHMS["forest"]["parameters"],
        "name": "child",
        "launcher": {"command": ["sh", "forest.sh"]},
    }
    done.write("forest.sh", FOREST)
    done("trials", "job", "--algorithm", "forest", "--format", "csv", "--output", "forest.csv")
    done.job("", **child, warm_start={"type": "transfer", "parents": ["forest.csv"]})
    done("run", "spec.yaml")
    (parent,) = done("status", "child", "--json").json["warm_start"]
    assert (
        parent["used"]
        == parent["trials"]
        == len(done("trials", "job", "--algorithm", "forest", "--json").json)
    )


def test_python_knows_whose_the_best_is(done: Hpo, monkeypatch: pytest.MonkeyPatch) -> None:
    import hpo

    monkeypatch.setenv("HPO_HOME", str(done.home))
    assert hpo.best("job").algorithm == "forest"


def test_repeats_and_requirements_are_those_of_each_algorithm(hpo: Hpo) -> None:
    write(hpo, repeats=2, require=["loss < 100"], limits={"max_jobs": 10}, fixed={"epochs": 1})
    assert hpo("run", "spec.yaml").err.count("repeat 1 of 2  loss = ") == 10
    trials = hpo("trials", "job", "--json").json
    assert {trial["algorithm"] for trial in trials if trial["feasible"]} == {"forest"}
    assert all([each["seed"] for each in trial["repeats"]] == [1, 2] for trial in trials)
    assert all("seed" not in trial["parameters"] for trial in trials)
    status = hpo("status", "job", "--json").json
    forest, boosting = status["algorithms"]
    assert status["best"] == forest["best"]
    assert boosting["best"] is None
    assert forest["trials"] > boosting["trials"] >= 3, "as what misses a requirement is no result"
    said = hpo("best", "job", "--algorithm", "boosting", status=1).err
    assert f"none of the {boosting['trials']} completed trials of boosting meets `require`" in said
    assert hpo("best", "job", "--format", "args").out.startswith("--epochs 1 --depth ")

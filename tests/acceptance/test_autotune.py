"""`parameters: auto` from the command line: what is chosen is shown, run, and written out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from hpo.spec.learners import learner
from tests.command_line import Hpo

EXAMPLE = Path(__file__).parents[2] / "examples" / "autotune"


def test_a_plan_shows_what_was_chosen_and_where_it_is_from(hpo: Hpo) -> None:
    hpo.job("echo loss=1", parameters="auto", learner="xgboost", limits={"max_runtime": "1h"})
    said = hpo("plan", "spec.yaml").out
    assert "chosen for xgboost: 9 parameters, by `learner`:" in said
    assert "  eta                continuous, 0.005 to 0.5, logarithmic\n" in said
    assert "  max_depth          integer, 1 to 15, linear\n" in said
    assert "  max_jobs           90\n" in said
    assert "  max_parallel_jobs  4\n" in said
    assert "  early_stopping     median: it prints its metrics in steps\n" in said
    assert "Boulesteix and Bischl, Tunability" in " ".join(said.split())
    data = hpo("plan", "spec.yaml", "--json").json
    assert data["max_jobs"] == 90
    assert data["autotune"] == {
        "learner": "xgboost",
        "told_by": "learner",
        "parameters": data["autotune"]["parameters"],
        "fixed": {},
        "limits": {"max_jobs": 90, "max_parallel_jobs": 4},
        "early_stopping": "median",
        "sources": learner("xgboost").sources,
    }
    assert data["autotune"]["parameters"]["gamma"] == "continuous, 0 to 5, linear"
    hpo.job("echo loss=1")
    assert hpo("plan", "spec.yaml", "--json").json["autotune"] is None


def test_the_job_has_it_written_out_and_runs_again_as_it_is(hpo: Hpo) -> None:
    hpo.job("echo loss=$#", parameters={"auto": ["C", "gamma"], "C": {"max": 10.0}}, learner="svm", limits={})
    said = hpo("run", "spec.yaml", "--set", "limits.max_jobs=4").err
    assert "chosen for svm: 3 parameters, max_parallel_jobs 1; `hpo plan` shows the ranges" in said
    hpo("copy", "job", "--name", "again", "-o", "again.yaml")
    kept = yaml.safe_load(hpo.text("again.yaml"))
    assert kept["learner"] == "svm"
    assert kept["limits"] == {"max_jobs": 4, "max_parallel_jobs": 1}
    assert kept["parameters"]["C"] == {
        "type": "continuous",
        "min": 0.03125,
        "max": 10.0,
        "scaling": "logarithmic",
    }
    assert list(kept["parameters"]) == ["kernel", "C", "gamma"]
    assert hpo("run", "again.yaml").err.count("chosen for") == 0
    one, two = (hpo("trials", name, "--json").json for name in ("job", "again"))
    assert [trial["parameters"] for trial in one] == [trial["parameters"] for trial in two]
    assert "job completed" in hpo("resume", "job", "--set", "limits.max_jobs=6").err
    assert "its parameters were chosen for it" in hpo("edit", "job", "--set", "learner=mlp", status=2).err


def test_a_misspelt_learner_is_refused_with_the_right_name(hpo: Hpo) -> None:
    hpo.job("touch started", parameters="auto", learner="xbgoost")
    said = hpo.refused("run", "spec.yaml")
    assert "`learner` is `xbgoost`; it must be lightgbm, mlp, random-forest, svm or xgboost" in said
    assert "did you mean `xgboost`?" in said
    assert "1 mistake" in said


@pytest.mark.parametrize(
    ("options", "is_told"),
    [
        ({}, True),
        ({"source_dir": ".", "entry_point": "train.sh"}, False),
        ({"command": ["train"]}, False),
        ({"image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1"}, False),
        ({"image": "example.com/sagemaker-xgboost:1.7-1"}, False),
    ],
)
def test_the_image_of_a_built_in_algorithm_tells_the_learner(
    hpo: Hpo, options: dict[str, object], *, is_told: bool
) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    launcher = {"kind": "sagemaker", "image": image, "instance_type": "ml.m5.xlarge", **options}
    hpo.job("true", parameters="auto", launcher=launcher)
    log = hpo.write("log", "loss=0.5\n")
    said = hpo("metrics", "spec.yaml", "--log", log, status=0 if is_told else 2)
    assert ("hpo must know the learner" in said.err) is not is_told


def test_the_example_is_tuned_with_what_was_chosen(hpo: Hpo) -> None:
    called = hpo(
        "run",
        EXAMPLE / "tune.yaml",
        *("--set", "limits.max_jobs=2", "--set", "fixed.n_estimators=10", "--set", "seed=1"),
        *("--set", f"launcher.command=[{sys.executable}, train.py]"),
    )
    assert "chosen for random-forest: 6 parameters, max_parallel_jobs 1" in called.err
    best = hpo("best", "autotune", "--json").json
    assert best["value"] > 0.7
    assert best["fixed"] == {"n_estimators": 10}
    trials = hpo("trials", "autotune", "--json").json
    assert [trial["status"] for trial in trials] == ["completed"] * 2
    for trial in trials:
        assert ("max_samples" in trial["parameters"]) is trial["parameters"]["bootstrap"]

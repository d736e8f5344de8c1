"""`parameters: auto` of several algorithms from the command line: shown, run, written out, gone on with."""

from __future__ import annotations

from typing import Any

import yaml

from tests.command_line import Hpo

FOREST: dict[str, Any] = {
    "learner": "random-forest",
    "parameters": {"auto": True, "max_features": {"max": 0.5}},
    "fixed": {"n_estimators": 10},
    "launcher": {"command": ["sh", "train.sh", "forest"]},
}
SVM: dict[str, Any] = {
    "learner": "svm",
    "parameters": {"auto": ["C", "gamma"]},
    "launcher": {"command": ["sh", "train.sh", "svm"]},
}


def write(hpo: Hpo, **sections: object) -> None:
    hpo.job("echo loss=$#", launcher={}, strategy="bayesian", **{"limits": {}, **sections})
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"]
    spec["algorithms"] = {"forest": FOREST, "svm": SVM}
    hpo.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))


def test_what_was_chosen_for_each_is_shown_and_run_and_written_out(hpo: Hpo) -> None:
    write(hpo)
    said = hpo("plan", "spec.yaml").out
    assert "chosen for forest (random-forest): 6 parameters, by `algorithms.forest.learner`:\n" in said
    assert "  max_features       continuous, 0.1 to 0.5, linear\n" in said
    assert "chosen for svm (svm): 3 parameters, by `algorithms.svm.learner`:\n" in said
    assert said.count("sources of the ranges:\n") == 2
    assert "chosen for all algorithms together:\n  max_jobs           90\n  max_parallel_jobs  4\n" in said
    data = hpo("plan", "spec.yaml", "--json").json
    assert (data["autotune"], data["max_jobs"]) == (None, 90)
    forest, svm = (each["autotune"] for each in data["algorithms"])
    assert (forest["learner"], len(forest["parameters"]), forest["fixed"]) == ("random-forest", 6, {})
    assert svm["parameters"]["C"] == "continuous, 0.03125 to 32768, logarithmic"
    assert forest["limits"] == svm["limits"] == {"max_jobs": 90, "max_parallel_jobs": 4}
    run = hpo("run", "spec.yaml", "--set", "limits.max_jobs=5").err
    assert "chosen for forest (random-forest): 6 parameters, svm (svm): 3 parameters, max_parallel" in run
    hpo("copy", "job", "--name", "again", "-o", "again.yaml")
    kept = yaml.safe_load(hpo.text("again.yaml"))
    assert kept["limits"] == {"max_jobs": 5, "max_parallel_jobs": 1}
    assert list(kept["algorithms"]["svm"]["parameters"]) == ["kernel", "C", "gamma"]
    assert kept["algorithms"]["forest"]["parameters"]["max_features"]["max"] == 0.5
    assert hpo("run", "again.yaml").err.count("chosen for") == 0
    one, two = (hpo("trials", name, "--json").json for name in ("job", "again"))
    assert [trial["parameters"] for trial in one] == [trial["parameters"] for trial in two]
    assert {trial["algorithm"] for trial in one} == {"forest", "svm"}
    assert hpo("best", "job", "--algorithm", "forest", "--json").json["fixed"] == {"n_estimators": 10}


def test_a_begun_job_goes_on_with_what_was_chosen(hpo: Hpo) -> None:
    write(hpo, limits={"max_jobs": 3})
    hpo("run", "spec.yaml")
    refused = hpo("edit", "job", "--set", "algorithms.svm.learner=mlp", status=2).err
    assert "`learner` may not change: its parameters were chosen for it" in refused
    edits = ("--set", "algorithms.svm.parameters.C.max=1", "--set", "limits.max_jobs=8")
    hpo("resume", "job", *edits)
    later = [trial["parameters"] for trial in hpo("trials", "job", "--json").json if trial["trial"] > 3]
    assert len(later) == 5
    assert all(values.get("C", 0.0) <= 1.0 for values in later)


def test_the_image_of_a_built_in_algorithm_tells_the_learner_of_one_of_several(hpo: Hpo) -> None:
    write(hpo, limits={"max_jobs": 3})
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    spec["launcher"] = {"kind": "sagemaker", "instance_type": "ml.m5.xlarge"}
    spec["algorithms"] = {
        "boosting": {"parameters": "auto", "launcher": {"image": image}},
        "svm": {**SVM, "launcher": {"image": "example.com/svm:1", "command": ["train"]}},
    }
    hpo.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))
    log = hpo.write("log", "loss=0.5\n")
    for name in ("boosting", "svm"):
        hpo("metrics", "spec.yaml", "--log", log, "--algorithm", name)
    untold = "--set", "algorithms.boosting.launcher.image=example.com/xgboost:1"
    said = hpo("metrics", "spec.yaml", "--log", log, "--algorithm", "svm", *untold, status=2).err
    assert "`algorithms.boosting.parameters` is `auto`; hpo must know the learner to choose" in said

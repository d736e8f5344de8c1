"""What may change of a begun job whose algorithms have each their own parents, an Optuna study among them."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from tests.command_line import PATIENCE, Hpo

PROGRAM = """\
while [ $# -gt 1 ]; do [ "$1" = --x ] && x=$2; [ "$1" = --depth ] && x=$2; shift; done
until [ -e go ] || [ -e "go$HPO_TRIAL" ]; do sleep 0.02; done
echo "loss=$x"
"""
"""The loss is the depth, or x, so boosting is better. A trial ends once the file goN, or go, is there."""

FOREST: dict[str, Any] = {
    "parameters": {"depth": {"type": "integer", "min": 1, "max": 20}},
    "launcher": {"command": ["sh", "train.sh", "forest"]},
}
BOOSTING: dict[str, Any] = {
    "parameters": {"x": {"type": "continuous", "min": 0.0, "max": 1.0}},
    "launcher": {"command": ["sh", "train.sh", "boosting"]},
}
STUDY = "optuna:sqlite:///study.db#digits"


def begin(hpo: Hpo, name: str, kind: str, max_jobs: int) -> None:
    """Write a job whose forest begins with the job `old`, and whose boosting with a study of Optuna's."""
    hpo.job(PROGRAM, name=name, strategy="bayesian", launcher={}, limits={"max_jobs": max_jobs})
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"]
    spec["algorithms"] = {
        "forest": {**FOREST, "warm_start": {"type": kind, "parents": ["old"]}},
        "boosting": {**BOOSTING, "warm_start": {"type": kind, "parents": [STUDY]}},
    }
    hpo.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))


def trials(hpo: Hpo, name: str, algorithm: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", name, "--json").json
    return [trial for trial in found if algorithm in {None, trial["algorithm"]}]


@pytest.fixture
def parents(hpo: Hpo) -> Hpo:
    """A job of the forest, and a study of boosting: five trials with x = 0.1 to 0.5, and one that failed."""
    hpo.write("go", "")
    hpo.job(PROGRAM, name="old", **FOREST, limits={"max_jobs": 4})
    hpo("run", "spec.yaml")
    storage = optuna.storages.RDBStorage(f"sqlite:///{hpo.folder}/study.db")
    study = optuna.create_study(study_name="digits", storage=storage)
    for tenths in range(1, 6):
        x, within = tenths / 10, FloatDistribution(0.0, 1.0)
        study.add_trial(create_trial(params={"x": x}, distributions={"x": within}, value=x))
    study.add_trial(create_trial(state=TrialState.FAIL))
    storage.remove_session()
    storage.engine.dispose()
    return hpo


pytestmark = pytest.mark.filterwarnings("ignore")
"""Optuna's own storage warns as it is made."""


def test_an_algorithm_begins_with_an_optuna_study(parents: Hpo) -> None:
    begin(parents, "job", "identical", 3)
    parents("run", "spec.yaml")
    forest, boosting = parents("status", "job", "--json").json["warm_start"]
    assert (forest["parent"], forest["algorithm"], forest["used"]) == ("old", "forest", 4)
    counts = [boosting[key] for key in ("algorithm", "used", "failed", "trials")]
    assert (boosting["parent"], counts) == (STUDY, ["boosting", 5, 1, 6])
    assert (
        "boosting promises most, after 0 trials of it and 5 of parents"
        in trials(parents, "job")[0]["proposed_by"]
    )
    top = parents("best", "job", "--algorithm", "boosting", "--top", "20", "--json").json
    assert {each["origin"] for each in top} == {"digits", "job"}
    begin(parents, "named", "identical", 1)
    named = f"algorithms.boosting.warm_start.parents=['{STUDY}', '{STUDY.partition('#')[0]}']"
    parents("run", "spec.yaml", "--set", named)
    again = parents("status", "named", "--json").json["warm_start"][2]
    assert (again["used"], again["repeated"]) == (0, 5)


def test_a_study_that_cannot_be_read_is_told_at_the_algorithm_that_names_it(parents: Hpo) -> None:
    begin(parents, "job", "identical", 3)
    spec = yaml.safe_load(parents.text("spec.yaml"))
    for parent, words in {
        "optuna:none.log": "there is no such file",
        "optuna:sqlite:///study.db#other": "has no study other; its studies are: digits",
    }.items():
        spec["algorithms"]["boosting"]["warm_start"]["parents"] = [parent]
        parents.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))
        said = parents("run", "spec.yaml", status=2).err
        assert "`algorithms.boosting.warm_start.parents`: optuna:" in said
        assert words in said
    spec["warm_start"] = spec["algorithms"]["boosting"].pop("warm_start") | {"parents": [STUDY]}
    parents.write("spec.yaml", yaml.safe_dump(spec, sort_keys=False))
    said = parents("run", "spec.yaml", status=2).err
    assert "its trials are of one algorithm: give them under `algorithms.NAME.warm_start`" in said


@pytest.mark.parametrize("kind", ["identical", "transfer"])
def test_ranges_of_one_algorithm_are_narrowed_and_its_parents_trials_outside_of_them_count_no_more(
    parents: Hpo, kind: str
) -> None:
    begin(parents, "job", kind, 6)
    parents("run", "spec.yaml")
    told = parents("status", "job", "--json").json["warm_start"]
    (parents.folder / "study.db").unlink()
    parents("delete", "old", "--yes")
    edits = ("limits.max_jobs=14", "algorithms.boosting.parameters.x.min=0.35")
    parents("resume", "job", *(part for edit in edits for part in ("--set", edit)))
    assert parents("status", "job", "--json").json["warm_start"] == told
    assert len(trials(parents, "job")) == 14
    later = [trial for trial in trials(parents, "job", "boosting") if trial["trial"] > 6]
    assert later
    assert all(0.35 <= trial["parameters"]["x"] <= 1.0 for trial in later)
    if kind == "identical":
        assert any("boosting promises most" in trial["proposed_by"] for trial in later)
        assert all("and 2 of parents" in trial["proposed_by"] for trial in later)
        assert parents("best", "job", "--json").json["value"] <= 0.1, "what was found stays found"
    forest = [trial["parameters"]["depth"] for trial in trials(parents, "job", "forest")]
    assert all(1 <= depth <= 20 for depth in forest)


def test_what_an_algorithm_begins_with_stays(parents: Hpo) -> None:
    begin(parents, "job", "identical", 2)
    parents("run", "spec.yaml")
    for override in ("warm_start.type=transfer", "warm_start.parents=[other]", "warm_start=null"):
        said = parents("edit", "job", "--set", f"algorithms.boosting.{override}", status=2).err
        assert "`warm_start` may not change: its trials were proposed by it" in said
    said = parents("resume", "job", "--set", "algorithms.forest.parameters.depth.max=30", status=2).err
    assert "algorithms.forest.parameters.depth.max: it may only be lowered, and is 20" in said


@pytest.mark.parametrize("kind", ["identical", "transfer"])
def test_an_edit_while_it_runs_survives_a_kill_and_the_trials_are_those_of_an_uninterrupted_job(
    parents: Hpo, kind: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    values = []
    for name in ("quiet", "killed"):
        (parents.folder / "go").unlink()
        parents.write("go1", "")
        begin(parents, name, kind, 4)
        process = parents.start("run", "spec.yaml")
        eventually(_started(parents, name, 2).exists)
        narrower = "algorithms.boosting.parameters.x.max=0.25"
        parents("edit", name, "--set", narrower, "--set", "limits.max_jobs=9")
        if name == "killed":
            process.send_signal(signal.SIGKILL)
            process.wait()
        parents.write("go", "")
        if name == "killed":
            parents("resume", name)
        assert process.wait(PATIENCE) == (-9 if name == "killed" else 0)
        assert parents("status", name, "--json").json["counts"]["completed"] == 9
        keys = ("algorithm", "parameters", "proposed_by")
        values.append([[trial[key] for key in keys] for trial in trials(parents, name)])
    assert values[0] == values[1]
    later = [parameters["x"] for algorithm, parameters, _ in values[0][2:] if algorithm == "boosting"]
    assert later
    assert max(later) <= 0.25


def _started(hpo: Hpo, job: str, trial: int) -> Path:
    return hpo.home / "jobs" / job / "trials" / f"{trial:04}" / "run-1" / "log"

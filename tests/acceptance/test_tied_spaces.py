"""Conditions, constraints, first trials and defaults, through the real command line."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo

PROGRAM = """
echo "$@" > "$HPO_RUN_FOLDER/given"
env | grep ^SM_HP > "$HPO_RUN_FOLDER/variables"
cp "$SM_INPUT_CONFIG_DIR/hyperparameters.json" "$HPO_RUN_FOLDER/hyperparameters.json"
echo "loss=$HPO_TRIAL"
"""
TIED: dict[str, Any] = {
    "parameters": {
        "optimizer": {"type": "categorical", "values": ["sgd", "adam"]},
        "momentum": {
            "type": "continuous", "min": 0.0, "max": 0.9, "step": 0.3, "when": {"optimizer": ["sgd"]},
        },
        "nesterov": {"type": "categorical", "values": [True, False], "when": {"momentum": [0.6, 0.9]}},
        "batch-size": {"type": "integer", "min": 1, "max": 4},
        "accumulate": {"type": "integer", "min": 1, "max": 4},
    },
    "constraints": ["`batch-size` * accumulate <= most"],
    "fixed": {"most": 4},
}  # fmt: skip
"""Eight pairs of sizes; for sgd two values of momentum, and two with two of nesterov each: 7 · 8 in all."""

ACTIVE = {
    ("adam", None): {"optimizer", "batch-size", "accumulate"},
    ("sgd", False): {"optimizer", "momentum", "batch-size", "accumulate"},
    ("sgd", True): {"optimizer", "momentum", "nesterov", "batch-size", "accumulate"},
}
STRATEGIES = ["random", "grid", "bayesian", "hyperband"]


def trials(hpo: Hpo, name: str = "job") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", name, "--json").json
    return found


def active(values: dict[str, Any]) -> set[str]:
    sgd = values["optimizer"] == "sgd"
    return ACTIVE[values["optimizer"], values["momentum"] >= 0.6 if sgd else None]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_acceptance_1_conditions_and_constraints_hold_under_every_strategy(hpo: Hpo, strategy: str) -> None:
    """All 56 configurations are tried, each once and with exactly the parameters that are active."""
    fixed = {"most": 4, "epochs": 3}
    limits = {"max_jobs": 56, "max_parallel_jobs": 4}
    hpo.job('echo "loss=$HPO_TRIAL"', **{**TIED, "fixed": fixed}, strategy=strategy, limits=limits)
    hpo("run", "spec.yaml")
    tried = [trial["parameters"] for trial in trials(hpo)]
    assert len({json.dumps(values) for values in tried}) == 56
    for values in tried:
        assert set(values) == active(values)
        assert values["batch-size"] * values["accumulate"] <= 4


def test_an_inactive_parameter_is_given_to_the_program_in_no_way(hpo: Hpo) -> None:
    first = [{"optimizer": "adam"}, {"momentum": 0.3}, {"nesterov": True, "momentum": 0.9}]
    hpo.job(PROGRAM, **TIED, initial=first)
    hpo("run", "spec.yaml")
    for trial in trials(hpo):
        folder = hpo.home / f"jobs/job/trials/{trial['trial']:04d}/run-1"
        names = active(trial["parameters"]) | {"most"}
        given = (folder / "given").read_text().split()
        assert {word.removeprefix("--") for word in given[::2]} == names
        variables = (folder / "variables").read_text().split()
        assert {word.partition("=")[0] for word in variables if not word.startswith("SM_HPS=")} == {
            f"SM_HP_{name.upper()}"
            for name in names
            if name.isidentifier()  # others a shell doesn't pass on
        }
        (hps,) = [word.partition("=")[2] for word in variables if word.startswith("SM_HPS=")]
        assert json.loads(hps).keys() == names
        assert json.loads((folder / "hyperparameters.json").read_text()).keys() == names
    columns = ["optimizer", "momentum", "nesterov", "batch-size", "accumulate"]
    rows = list(csv.DictReader(io.StringIO(hpo("trials", "job", "--format", "csv").out)))
    assert [row["momentum"] for row in rows] == ["", "0.3", "0.9"]
    assert [row["nesterov"] for row in rows] == ["", "", "true"]
    table = hpo("trials", "job").out
    assert table.split()[4:9] == columns
    assert "null" not in table
    assert "momentum" not in hpo("best", "job", "--format", "args").out
    assert hpo("best", "job", "--json").json["parameters"].keys() == ACTIVE["adam", None]


def test_first_come_the_defaults_then_the_initial_trials(hpo: Hpo) -> None:
    parameters = {**TIED["parameters"], "batch-size": {"type": "integer", "min": 1, "max": 4, "default": 4}}
    first = [{"momentum": 0.0}, {"optimizer": "adam", "batch-size": 1}]
    hpo.job(
        'echo "loss=$HPO_TRIAL"', **{**TIED, "parameters": parameters}, initial=first, limits={"max_jobs": 4}
    )
    planned = hpo("plan", "spec.yaml", "--json").json["trials"]
    hpo("run", "spec.yaml")
    found = trials(hpo)
    assert [t["parameters"] for t in found] == [t["parameters"] for t in planned]
    assert [t["proposed_by"] for t in found] == [f"initial {n} of 3" for n in (1, 2, 3)] + ["random"]
    assert found[0]["parameters"] == {"optimizer": "adam", "batch-size": 4, "accumulate": 1}
    assert found[1]["parameters"] == {"optimizer": "sgd", "momentum": 0.0, "batch-size": 4, "accumulate": 1}
    assert found[2]["parameters"] == {"optimizer": "adam", "batch-size": 1, "accumulate": 3}
    assert hpo("status", "job", "--json").json["chosen_by"] == {"initial": 3, "random": 1}


def test_a_try_takes_the_defaults_and_keeps_to_conditions_and_constraints(hpo: Hpo) -> None:
    x = {"type": "continuous", "min": 0.0, "max": 1.0}
    parameters = {
        "x": x | {"default": 0.75},
        "kind": {"type": "categorical", "values": ["a", "b"], "default": "a"},
        "y": x | {"when": {"kind": ["b"]}},
        "z": x,
    }
    hpo.job('echo "$@"; echo "loss=1"', parameters=parameters, constraints=["x + z < 1"])
    tried = hpo("try", "spec.yaml", "--json").json["parameters"]
    assert set(tried) == {"x", "kind", "z"}
    assert tried["x"] + tried["z"] < 1


def test_a_grid_with_conditions_goes_on_where_it_was_and_repeats_failed_cells(hpo: Hpo) -> None:
    program = """
    [ -e "$HPO_RUN_FOLDER/../../../fixed" ] || [ "$HPO_TRIAL" -ne 3 ] || exit 5
    echo "loss=$HPO_TRIAL"
    [ "$HPO_TRIAL" -ne 9 ] || [ -e "$HPO_RUN_FOLDER/../../../fixed" ] || sleep 60
    """
    hpo.job(program, **TIED, strategy="grid", limits={"max_parallel_jobs": 1})
    running = hpo.start("run", "spec.yaml")
    while not (hpo.home / "jobs/job/trials/0009/run-1").exists():
        assert running.poll() is None
    hpo("stop", "job")
    running.wait(PATIENCE)
    (hpo.home / "jobs/job/fixed").touch()
    hpo("resume", "job")
    hpo("retry", "job")
    found = trials(hpo)
    assert [t["status"] for t in found] == ["completed"] * 56
    assert [t["proposed_by"] for t in found] == [f"grid cell {n} of 56" for n in range(1, 57)]
    assert [t["attempts"] for t in found if t["attempts"] > 1] == [2, 2]
    assert [t["trial"] for t in found if t["attempts"] > 1] == [3, 9]
    order = [tuple(map(str, t["parameters"].values())) for t in found]
    assert len(set(order)) == 56
    assert order[0] == ("sgd", "0.0", "1", "1")
    assert order[1] == ("sgd", "0.0", "1", "2")
    assert order[-1] == ("adam", "4", "1")


@pytest.mark.parametrize("strategy", ["random", "bayesian"])
def test_acceptance_3_a_tied_space_gives_the_same_sequence_across_a_stop(hpo: Hpo, strategy: str) -> None:
    sections = {**TIED, "strategy": strategy, "initial": [{"momentum": 0.6}], "limits": {"max_jobs": 14}}
    hpo.job('echo "loss=0.$HPO_TRIAL"', **sections)
    hpo("run", "spec.yaml", "--name", "whole")
    hpo("run", "spec.yaml", "--name", "parts", "--set", "limits.max_jobs=5")
    hpo("resume", "parts", "--set", "limits.max_jobs=14")
    if strategy == "random":  # how many random trials the model begins with depends on max_jobs
        assert [t["parameters"] for t in trials(hpo, "whole")] == [
            t["parameters"] for t in trials(hpo, "parts")
        ]
    hpo("run", "spec.yaml", "--name", "again")
    assert [t["parameters"] for t in trials(hpo, "whole")] == [t["parameters"] for t in trials(hpo, "again")]


def test_values_of_several_types_keep_them(hpo: Hpo) -> None:
    values = [1, 1.0, "1", True, None]
    parameters = {"v": {"type": "categorical", "values": values, "ordered": True}}
    hpo.job(PROGRAM, parameters=parameters, strategy="grid", limits={"max_jobs": 5})
    hpo("run", "spec.yaml")
    given = [trial["parameters"]["v"] for trial in trials(hpo)]
    assert [(type(value), value) for value in given] == [(type(value), value) for value in values]


def test_how_much_fits_is_told_before_anything_runs(hpo: Hpo) -> None:
    hpo.job("touch started", constraints=["x <= 0.005"])
    plan = hpo("plan", "spec.yaml")
    assert "of 1,000 random configurations keep to the constraints" in plan.out
    assert "warning: constraints: only " in plan.err
    hpo.job("touch started", constraints=["x < 0"])
    said = hpo.refused("run", "spec.yaml")
    assert "`constraints`: none of 100,000 random configurations keeps to them" in said
    assert "never held: `x < 0`" in said
    hpo.job("touch started", **{**TIED, "fixed": {"most": 0}}, strategy="grid")
    assert "none of 112 configurations keeps to them" in hpo.refused("run", "spec.yaml")


def test_a_grid_counts_what_is_active_and_fits(hpo: Hpo) -> None:
    hpo.job("touch started", **TIED, strategy="grid", limits={"max_jobs": 112})
    assert "the grid has 56 combinations" in hpo.refused("run", "spec.yaml")
    assert hpo("plan", "spec.yaml", "--set", "limits.max_jobs=56", "--json").json["configurations"] == 56

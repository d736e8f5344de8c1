"""Several algorithms in one job, through the real command line."""

from __future__ import annotations

import csv
import io
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command_line import PATIENCE, Hpo

EXAMPLE = Path(__file__).parents[2] / "examples" / "algorithms"

FOREST = 'echo "$@" > "$HPO_RUN_FOLDER/given"; echo "loss=0.5 trees: $HPO_TRIAL"'
BOOSTING = 'echo "$@" > "$HPO_RUN_FOLDER/given"; echo "$COLOUR"; echo "eval-loss: 2$HPO_TRIAL"'

ALGORITHMS: dict[str, Any] = {
    "forest": {
        "parameters": {
            "depth": {"type": "integer", "min": 1, "max": 3},
            "rate": {"type": "categorical", "values": ["low", "high"]},
        },
        "fixed": {"epochs": 5},
        "launcher": {"command": ["sh", "forest.sh"]},
    },
    "boosting": {
        "parameters": {"rate": {"type": "continuous", "min": 0.1, "max": 0.5, "step": 0.1}},
        "constraints": ["rate < 0.45"],
        "initial": [{"rate": 0.3}],
        "metrics": {"loss": r"eval-loss: (\S+)"},
        "launcher": {"command": ["sh", "boosting.sh"], "env": {"COLOUR": "blue"}},
    },
}
"""The same name for two parameters of other types; six configurations, and four."""


def job(hpo: Hpo, **sections: object) -> None:
    hpo.write("forest.sh", FOREST)
    hpo.write("boosting.sh", BOOSTING)
    hpo.job("", **sections)
    spec = yaml.safe_load(hpo.text("spec.yaml"))
    del spec["parameters"]
    given = {"algorithms": ALGORITHMS, "fixed": {"epochs": 1, "data": "x"}, "launcher": {"threads": 1}}
    hpo.write("spec.yaml", yaml.safe_dump(spec | given | sections, sort_keys=False))


def trials(hpo: Hpo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hpo("trials", "job", "--json").json
    return found


def given(hpo: Hpo, trial: int) -> str:
    return (hpo.home / f"jobs/job/trials/{trial:04d}/run-1/given").read_text().strip()


def test_acceptance_26_two_classifiers_of_digits_in_one_job(hpo: Hpo) -> None:
    """The example: a trial of each, by its own program, with words of its own; the best of each is told."""
    status = example(hpo, 2)
    forest, neighbours = status["algorithms"]
    assert (forest["name"], neighbours["name"]) == ("forest", "neighbours")
    assert (forest["trials"], neighbours["trials"]) == (1, 1)
    assert status["best"] == neighbours["best"]
    assert status["best"]["algorithm"] == "neighbours"
    assert 0.3 < forest["best"]["value"] < neighbours["best"]["value"] < 1
    assert forest["best"]["parameters"].keys() == {"n-estimators", "max-depth", "max-features"}
    best = hpo("best", "digits-algorithms", "--algorithm", "forest", "--format", "args").out
    assert best.startswith("--seed 0 --n-estimators ")


@pytest.mark.slow
def test_acceptance_26_the_better_of_two_classifiers_gets_most_of_the_trials(hpo: Hpo) -> None:
    status = example(hpo, 10)
    forest, neighbours = status["algorithms"]
    assert forest["trials"] + neighbours["trials"] == 10
    assert neighbours["trials"] >= 6
    assert status["best"] == neighbours["best"]
    assert 0.3 < forest["best"]["value"] < neighbours["best"]["value"] < 1


def example(hpo: Hpo, max_jobs: int) -> Any:
    """Run so many trials of the example, each of which imports scikit-learn, and return the job's status."""
    settings = ("--set", f"limits.max_jobs={max_jobs}", "--detach")
    hpo("run", EXAMPLE / "tune.yaml", *settings, env={"PATH": _path()})
    waited = (hpo("wait", "digits-algorithms", "--timeout", "30", status=None).status for _ in range(6))
    assert 0 in waited
    return hpo("status", "digits-algorithms", "--json").json


def _path() -> str:
    """Return a PATH on which `python` is this one, which has scikit-learn."""
    import sys

    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("strategy", ["random", "grid", "bayesian", "hyperband"])
def test_acceptance_26_each_has_its_own_command_parameters_and_metrics(hpo: Hpo, strategy: str) -> None:
    """All ten configurations are tried, whatever the strategy: a grid knows their number."""
    limits = {"max_parallel_jobs": 3} | ({} if strategy == "grid" else {"max_jobs": 10})
    resource = {"name": "hyperband", "max_resource": 9} if strategy == "hyperband" else strategy
    job(hpo, strategy=resource, limits=limits)
    hpo("run", "spec.yaml")
    ran = trials(hpo)
    assert Counter(trial["algorithm"] for trial in ran) == {"forest": 6, "boosting": 4}
    for trial in ran:
        number, values = trial["trial"], trial["parameters"]
        if trial["algorithm"] == "forest":
            assert trial["value"] == 0.5
            assert (
                given(hpo, number) == f"--epochs 5 --data x --depth {values['depth']} --rate {values['rate']}"
            )
        else:
            assert trial["value"] == float(f"2{number}")
            assert given(hpo, number) == f"--epochs 1 --data x --rate {values['rate']}"
            assert values["rate"] < 0.45
            assert "blue" in hpo("logs", "job", str(number)).out
    first = next(trial for trial in ran if trial["algorithm"] == "boosting")
    assert first["parameters"] == {"rate": 0.3}
    status = hpo("status", "job", "--json").json
    assert status["best"]["algorithm"] == "forest"
    assert [each["best"]["value"] for each in status["algorithms"]] == [
        0.5, min(trial["value"] for trial in ran if trial["algorithm"] == "boosting"),
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(hpo("trials", "job", "--format", "csv").out)))
    assert [row["algorithm"] for row in rows] == [trial["algorithm"] for trial in ran]


def test_acceptance_26_a_killed_job_goes_on_with_each_trial_as_its_algorithms(hpo: Hpo) -> None:
    job(hpo, limits={"max_jobs": 10, "max_parallel_jobs": 2})
    hpo.write("forest.sh", f"{FOREST}; sleep 0.3")
    process = hpo.start("run", "spec.yaml")
    deadline = time.monotonic() + PATIENCE
    while hpo.text("err").count("completed") < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    hpo("resume", "job")
    ran = trials(hpo)
    assert [trial["status"] for trial in ran] == ["completed"] * 10
    assert {trial["attempts"] for trial in ran} == {1}
    assert Counter(trial["algorithm"] for trial in ran) == {"forest": 6, "boosting": 4}
    assert all(trial["value"] == 0.5 for trial in ran if trial["algorithm"] == "forest")


def test_acceptance_26_the_same_seed_shares_out_the_same(hpo: Hpo) -> None:
    job(hpo, strategy="bayesian", seed=5, limits={"max_jobs": 9})
    hpo("run", "spec.yaml")
    hpo("run", "spec.yaml", "--name", "again")
    keys = ("trial", "algorithm", "parameters", "proposed_by")
    one, other = (hpo("trials", name, "--json").json for name in ("job", "again"))
    assert [[trial[key] for key in keys] for trial in one] == [
        [trial[key] for key in keys] for trial in other
    ]

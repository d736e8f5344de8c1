"""Acceptance lines 22 and 23: what is seen of a job while it runs, and what is taken away from it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo

Eventually = Callable[[Callable[[], object]], None]

PROGRAM = """
if [ $HPO_TRIAL = 2 ]; then exit 3; fi
echo "loss=$HPO_TRIAL.5"
if [ $HPO_TRIAL -ge 4 ]; then touch "waiting-$HPO_TRIAL"; until [ -e go ]; do sleep 0.05; done; fi
"""

LIMITS = {"max_jobs": 6, "max_parallel_jobs": 2}


@pytest.fixture
def running(hpo: Hpo, eventually: Eventually) -> Iterator[Hpo]:
    """A job with two completed trials, a failed one and two that run, of six; it ends well in the end."""
    hpo.job(PROGRAM, limits=LIMITS)
    with hpo.start("run", "spec.yaml") as process:
        eventually(lambda: all((hpo.folder / f"waiting-{number}").exists() for number in (4, 5)))
        yield hpo
        hpo.write("go", "")
        assert process.wait(PATIENCE) == 0


def test_acceptance_22_status_tells_how_a_running_job_stands(running: Hpo) -> None:
    status = running("status", "job", "--json").json
    elapsed, remaining = status.pop("elapsed_seconds"), status.pop("remaining_seconds")
    assert status["status"] == "running"
    assert status["reason"] is None
    assert status["counts"] == {"completed": 2, "running": 2, "failed": 1, "pruned": 0, "cancelled": 0}
    assert status["max_jobs"] == 6
    assert (status["best"]["trial"], status["best"]["value"]) == (1, 1.5)
    assert 0 < elapsed < PATIENCE
    assert 0 <= remaining < PATIENCE
    text = running("status", "job").out
    for pattern in (
        "job: running",
        "3 of 6 ended: 2 completed, 2 running, 1 failed",
        r"elapsed +\S+s",
        r"remaining about \S+s",
        r"loss = 1\.5 \(trial 1\)\n +x +0\.\d+",
    ):
        assert re.search(pattern, text), pattern


def test_acceptance_22_trials_that_run_are_shown_as_such(running: Hpo) -> None:
    trial = running("trials", "job", "--json").json[3]
    assert (trial["status"], trial["value"], trial["ended"], trial["seconds"]) == (
        "running",
        None,
        None,
        None,
    )
    assert trial["started"]
    assert running("best", "job", "--json").json["trial"] == 1


def test_acceptance_22_a_watch_ends_with_the_job(running: Hpo, eventually: Eventually) -> None:
    with running.start("status", "job", "--watch", out="watched") as watch:
        eventually(lambda: running.text("watched").count("job: running") >= 2)
        assert watch.poll() is None
        running.write("go", "")
        assert watch.wait(PATIENCE) == 0
    assert running.text("watched").rpartition("job: ")[2].startswith("completed")


GRID: dict[str, Any] = {
    "strategy": "grid",
    "parameters": {
        "n-estimators": {"type": "integer", "min": 1, "max": 3},
        "rate": {"type": "continuous", "min": 1.0, "max": 2.0, "step": 1.0},
    },
    "limits": {},
}


def test_acceptance_23_trials_are_exported_and_integers_stay_integers(hpo: Hpo) -> None:
    hpo.job('echo "loss=$((10 - $2))"', **GRID)
    hpo("run", "spec.yaml")
    hpo("trials", "job", "--format", "json", "--output", "trials.json")
    hpo("trials", "job", "--format", "csv", "--output", "trials.csv")
    exported = json.loads(hpo.text("trials.json"))
    rows = list(csv.DictReader(hpo.text("trials.csv").splitlines()))
    values = [(str(t["parameters"]["n-estimators"]), str(t["parameters"]["rate"])) for t in exported]
    assert values == [(n, rate) for n in "123" for rate in ("1.0", "2.0")]
    assert [(row["n-estimators"], row["rate"]) for row in rows] == values
    columns = ("trial", "status", "value", "started", "ended", "seconds")
    for row, trial in zip(rows, exported, strict=True):
        assert [row[column] for column in columns] == [str(trial[column]) for column in columns]

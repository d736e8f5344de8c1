"""What status, trials and logs print of an ended job: the documented shapes, to the last type."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess

import pytest

from tests.cli.ended_job import BEST, GIVEN, KINDS, exact
from tests.command_line import Hpo
from tests.terminal import Terminal


@pytest.fixture
def hpo(ended_job: Hpo) -> Hpo:
    """The command line with one ended job."""
    return ended_job


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_status_has_the_documented_shape(hpo: Hpo) -> None:
    status = hpo("status", "job", "--json").json
    elapsed, reason = status.pop("elapsed_seconds"), status.pop("reason")
    assert isinstance(status.pop("seed"), int)
    assert exact(status) == exact(
        {
            "job": "job",
            "status": "completed",
            "strategy": "grid",
            "counts": {"completed": 9, "running": 0, "failed": 3, "pruned": 0, "cancelled": 0},
            "chosen_by": {"grid": 12},
            "max_jobs": 12,
            "best": BEST,
            "algorithms": [],
            "remaining_seconds": None,
            "waiting": [],
            "edits": [],
            "cost": None,
            "saved_by_early_stopping": None,
            "warnings": [],
            "warm_start": [],
            "warm_pools": None,
            "interruptions": 0,
            "repeats": None,
            "require": None,
            "front": None,
        }
    )
    assert isinstance(elapsed, float)
    assert 0 < elapsed < 60
    assert "12 trials" in reason


def test_a_trial_has_the_documented_shape(hpo: Hpo) -> None:
    trial = hpo("trials", "job", "--json").json[1]
    started, ended, seconds = trial.pop("started"), trial.pop("ended"), trial.pop("seconds")
    launcher_id = trial.pop("launcher_id")
    assert exact(trial) == exact(
        {
            "trial": 2,
            "algorithm": None,
            "status": "completed",
            "reason": None,
            "detail": None,
            "value": 12.25,
            "parameters": {"kind": True, "max-depth": 2},
            "metrics": {"loss": 12.25, "epoch": 2.0},
            "attempts": 1,
            "waiting": None,
            "proposed_by": "grid cell 2 of 12",
            "cost": None,
            "machine": None,
            "billable_seconds": None,
            "interruptions": 0,
            "spread": None,
            "standard_error": None,
            "repeats": [],
            "values": None,
            "on_front": None,
            "feasible": None,
            "violations": [],
        }
    )
    assert MOMENT.fullmatch(started)
    assert MOMENT.fullmatch(ended)
    assert 0 <= seconds < 60
    assert isinstance(launcher_id, str)


def test_no_trial_ends_before_it_started(hpo: Hpo) -> None:
    trials = hpo("trials", "job", "--json").json
    assert [trial["trial"] for trial in trials if trial["started"] > trial["ended"]] == []


def test_values_of_categories_keep_their_types(hpo: Hpo) -> None:
    trials = hpo("trials", "job", "--json").json
    assert exact([trial["parameters"]["kind"] for trial in trials[::2]]) == exact(KINDS)


def test_a_failed_trial_says_why_and_has_null_for_what_is_missing(hpo: Hpo) -> None:
    trials = hpo("trials", "job", "--json").json
    shown = [(trial["status"], trial["reason"], trial["value"], trial["metrics"]) for trial in trials[2:5]]
    assert shown == [
        ("failed", "exit status", None, {}),
        ("failed", "no metric", None, {}),
        ("failed", "not finite", None, {"loss": None}),
    ]


def test_trials_are_sorted_as_asked_for(hpo: Hpo) -> None:
    def order(key: str) -> list[int]:
        return [trial["trial"] for trial in hpo("trials", "job", "--json", "--sort", key).json]

    assert order("trial") == list(range(1, 13))
    assert order("value") == [1, 2, 6, 7, 8, 9, 10, 11, 12, 3, 4, 5]
    assert order("status")[-3:] == [3, 4, 5]


def test_the_table_has_a_row_for_each_trial(hpo: Hpo) -> None:
    header, *rows = hpo("trials", "job").out.splitlines()
    assert header.split() == ["trial", "status", "loss", "seconds", "kind", "max-depth", "reason"]
    assert [row.split()[0] for row in rows] == [str(number) for number in range(1, 13)]
    assert re.fullmatch(r" *3  failed +- +\S+  true +1 +exit status 7; it printed nothing", rows[2])


def test_the_table_fits_into_the_terminal(hpo: Hpo) -> None:
    with Terminal(hpo, "trials", "job", COLUMNS="80") as terminal:
        assert terminal.wait() == 0
        rows = terminal.text.splitlines()
    assert max(map(len, rows)) == 80
    assert re.fullmatch(r" *4  failed .* no metric: 0 matches in .*…", rows[4])


def test_the_table_as_csv(hpo: Hpo) -> None:
    rows = list(csv.DictReader(hpo("trials", "job", "--format", "csv").out.splitlines()))
    assert list(rows[0]) == [
        *("trial", "status", "reason", "value", "kind", "max-depth", "loss", "epoch"),
        *("started", "ended", "seconds", "attempts", "launcher_id", "proposed_by"),
    ]
    assert [row["kind"] for row in rows[::2]] == ["true", "true", "null", "7", "0.5", "a b"]
    assert [row["max-depth"] for row in rows] == ["1", "2"] * 6
    assert [row["value"] for row in rows[:4]] == ["11.25", "12.25", "", ""]
    assert [row["reason"] for row in rows[:4]] == ["", "", "exit status", "no metric"]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_output_goes_to_a_file(hpo: Hpo, form: str) -> None:
    shown = hpo("trials", "job", "--format", form).out
    written = hpo("trials", "job", "--format", form, "--output", "trials.txt")
    assert written.out == ""
    assert hpo.text("trials.txt") == shown


def test_output_that_cannot_be_written_is_an_error(hpo: Hpo) -> None:
    failed = hpo("trials", "job", "--output", "nowhere/trials.csv", status=1)
    assert "nowhere/trials.csv cannot be written: No such file or directory" in failed.err


def test_status_for_people(hpo: Hpo) -> None:
    text = hpo("status", "job").out
    for words in (
        "job: completed",
        "12 of 12 ended: 9 completed, 3 failed",
        "strategy  grid",
        "chosen by 12 grid",
        "loss = 11.25",
    ):
        assert words in text


def test_a_copied_folder_is_a_job_of_its_own(hpo: Hpo) -> None:

    other = hpo.folder / "elsewhere"
    shutil.copytree(hpo.home / "jobs/job", other / "jobs/copy")
    env = {"HPO_HOME": str(other)}
    assert hpo("best", "copy", "--json", env=env).json == {**GIVEN, "job": "copy", "origin": "copy"}
    assert hpo("status", "copy", "--json", env=env).json["counts"]["completed"] == 9
    assert hpo("logs", "copy", "2", env=env).out == "loss=12.25\nepoch=2\n"


def test_what_is_not_there_is_said_with_status_4(hpo: Hpo) -> None:
    assert "did you mean job?" in hpo("status", "jop", status=4).err
    assert "hpo list" in hpo("best", "quite-another", status=4).err
    assert "its trials are 1 to 12" in hpo("logs", "job", "13", status=4).err


def test_a_closed_pipe_is_no_error(hpo: Hpo) -> None:
    shell = f"{shlex.join(hpo.command('trials', 'job', '--json'))} | true"
    ran = subprocess.run(shell, shell=True, env=hpo.environment, capture_output=True, text=True, check=False)  # noqa: S602 -- the pipe
    assert ran.stderr == ""

"""What status, best, trials and list print of an ended job: the documented shapes, to the last type."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import yaml

from tests.command_line import PATIENCE, Hpo
from tests.terminal import Terminal

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

KINDS = [True, "true", None, 7, 0.5, "a b"]
"""Values of a categorical parameter that only their types tell apart."""

FIXED = {"epochs": 50, "note": "two ${WORDS:-x} $${y}"}
"""Given to every trial; what the second one holds looks like a reference once it was expanded."""

PROGRAM = """
printf '%s\n' "$@" > "args-$HPO_TRIAL"
case "$HPO_TRIAL" in
3) exit 7 ;;
4) echo 'nothing to see' ;;
5) echo 'loss=nan' ;;
*) echo "loss=1$HPO_TRIAL.25"; echo "epoch=$HPO_TRIAL" ;;
esac
"""
"""A job of which every second trial fails, each in a way of its own; trial 1 is its best."""


@pytest.fixture(scope="module")
def hpo(shared_hpo: Hpo) -> Hpo:
    """The command line with one ended job: a grid of all kinds by two depths."""
    shared_hpo.job(
        PROGRAM,
        strategy="grid",
        metrics={"loss": r"loss=(\S+)", "epoch": r"epoch=(\S+)"},
        parameters={
            "kind": {"type": "categorical", "values": KINDS},
            "max-depth": {"type": "integer", "min": 1, "max": 2},
        },
        fixed=FIXED,
        limits={},
    )
    shared_hpo("run", "spec.yaml")
    return shared_hpo


def exact(value: object) -> object:
    """Return a value in which 1, 1.0 and True differ."""
    match value:
        case dict():
            return {key: exact(item) for key, item in value.items()}
        case list():
            return [exact(item) for item in value]
        case _:
            return (type(value).__name__, value)


BEST = {
    "job": "job",
    "metric": "loss",
    "goal": "minimize",
    "trial": 1,
    "algorithm": None,
    "value": 11.25,
    "parameters": {"kind": True, "max-depth": 1},
    "status": "completed",
    "origin": "job",
    "cost": None,
    "spread": None,
    "standard_error": None,
    "repeats": [],
}


GIVEN = {**BEST, "fixed": {"epochs": 50, "note": "two x ${y}"}, "expected": None}
"""The best as `hpo best` tells of it: with all that its trial was given; no other trial may be better."""


def test_best_has_the_documented_shape(hpo: Hpo) -> None:
    assert exact(hpo("best", "job", "--json").json) == exact(GIVEN)
    assert hpo("best", "job", "--format", "json").json == GIVEN


def test_the_top_are_a_list_best_first(hpo: Hpo) -> None:
    top = hpo("best", "job", "--top", "3", "--json").json
    assert exact(top[0]) == exact(GIVEN)
    assert [best["trial"] for best in top] == [1, 2, 6]
    assert hpo("best", "job", "--top", "1", "--json").json == [GIVEN]


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


def test_best_as_a_table(hpo: Hpo) -> None:
    first, *rest = hpo("best", "job").out.splitlines()
    assert first.startswith("loss = 11.25  (trial 1, ")
    assert [line.split() for line in rest] == [["kind", "true"], ["max-depth", "1"]]


def test_best_as_yaml(hpo: Hpo) -> None:
    assert exact(yaml.safe_load(hpo("best", "job", "--format", "yaml").out)) == exact(GIVEN)
    assert exact(yaml.safe_load(hpo("best", "job", "--format", "yaml", "--top", "1").out)) == exact([GIVEN])


def test_best_as_arguments_are_those_that_the_trial_had(hpo: Hpo) -> None:
    """The fixed ones among them; also where a value is true, null or has a blank in it."""
    lines = hpo("best", "job", "--format", "args", "--top", "9").out.splitlines()
    trials = [best["trial"] for best in hpo("best", "job", "--json", "--top", "9").json]
    given = [hpo.text(f"args-{trial}").split("\n")[:-1] for trial in trials]
    assert [shlex.split(line) for line in lines] == given
    assert given[0][:4] == ["--epochs", "50", "--note", "two x ${y}"]


def test_best_as_shell_assignments(hpo: Hpo) -> None:
    lines = hpo("best", "job", "--format", "env").out.splitlines()
    assert lines == ["EPOCHS=50", "NOTE='two x ${y}'", "KIND=true", "MAX_DEPTH=1"]
    assert "KIND='a b'\nMAX_DEPTH=1\n" in hpo("best", "job", "--format", "env", "--top", "9").out


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


def test_list_shows_every_job(hpo: Hpo) -> None:
    jobs = hpo("list", "--json").json
    assert jobs == [hpo("status", "job", "--json").json]
    header, row = hpo("list").out.splitlines()
    assert header.split() == ["job", "status", "trials", "best", "elapsed"]
    assert row.split()[:4] == ["job", "completed", "12/12", "11.25"]


def test_a_damaged_job_hides_no_other(hpo: Hpo) -> None:
    damaged = hpo.home / "jobs/damaged"
    damaged.mkdir()
    try:
        (damaged / "job.db").write_text("this is no database")
        listed = hpo("list", "--json")
        assert [job["job"] for job in listed.json] == ["job"]
        assert "damaged/job.db is damaged" in listed.err
        assert "is damaged" in hpo("status", "damaged", status=1).err
    finally:
        shutil.rmtree(damaged)


@pytest.mark.parametrize("name", ["job.bak", "a job", "-job", "j" * 33])
def test_a_folder_that_is_no_job_s_hides_no_job(hpo: Hpo, name: str) -> None:
    copy = hpo.home / "jobs" / name
    shutil.copytree(hpo.home / "jobs/job", copy)
    try:
        listed = hpo("list", "--json")
        assert [job["job"] for job in listed.json] == ["job"]
        assert listed.err == ""
        assert "did you mean job?" in hpo("status", "jobb", status=4).err
    finally:
        shutil.rmtree(copy)


def test_a_job_that_is_deleted_while_jobs_are_listed_hides_no_other(
    hpo: Hpo, eventually: Callable[[Callable[[], object]], None]
) -> None:
    jobs = hpo.folder / "listed" / "jobs"
    for name in "abcd":
        shutil.copytree(hpo.home / "jobs/job", jobs / name)
    for name in "ab":  # there the listing waits until it is let go
        (jobs / name / "lease").unlink()
        os.mkfifo(jobs / name / "lease")

    def let_go(name: str) -> bool:
        with suppress(OSError):  # it has not come there yet
            os.close(os.open(jobs / name / "lease", os.O_WRONLY | os.O_NONBLOCK))
            return True
        return False

    listing = subprocess.Popen(
        hpo.command("list", "--json"),
        env={**hpo.environment, "HPO_HOME": str(jobs.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: let_go("a"))
    shutil.rmtree(jobs / "c")
    eventually(lambda: let_go("b"))
    out, err = listing.communicate(timeout=PATIENCE)
    assert ([job["job"] for job in json.loads(out)], err) == (["a", "b", "d"], "")


def test_a_list_without_jobs_says_how_to_begin(hpo: Hpo) -> None:
    empty = {"HPO_HOME": str(hpo.folder / "other")}
    assert "hpo run SPEC" in hpo("list", env=empty).out
    nothing: Any = hpo("list", "--json", env=empty).json
    assert nothing == []


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


def test_a_job_without_a_result_has_no_best(hpo: Hpo) -> None:
    hpo("run", "spec.yaml", "--name", "lost", "--set", "launcher.command=test 1 = 2", status=1)
    try:
        assert "no completed trial" in hpo("best", "lost", status=1).err
        assert hpo("status", "lost", "--json").json["best"] is None
    finally:
        hpo("delete", "lost", "--yes")


def test_the_gate_of_best(hpo: Hpo) -> None:
    hpo("best", "job", "--fail-if", "best > 12")
    failed = hpo("best", "job", "--fail-if", "best > 11", status=3)
    assert "best is 11.25" in failed.err
    assert "write it as 'best < 0.9'" in hpo("best", "job", "--fail-if", "loss > 1", status=2).err


def test_a_closed_pipe_is_no_error(hpo: Hpo) -> None:
    shell = f"{shlex.join(hpo.command('trials', 'job', '--json'))} | true"
    ran = subprocess.run(shell, shell=True, env=hpo.environment, capture_output=True, text=True, check=False)  # noqa: S602 -- the pipe
    assert ran.stderr == ""

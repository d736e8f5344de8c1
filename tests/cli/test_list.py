"""What list prints of the jobs that there are, whatever else lies beside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo


@pytest.fixture
def hpo(ended_job: Hpo) -> Hpo:
    """The command line with one ended job."""
    return ended_job


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

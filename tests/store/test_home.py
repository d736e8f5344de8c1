"""The state folder and the lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hpo.errors import JobBusy, JobExists, JobNotFound, UsageError
from hpo.store.home import delete_job, existing_job, job_folder, job_names, new_job
from hpo.store.lease import Lease, is_held


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HPO_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/etc", "a" * 33, "-a", "a-", "ä", "a b", "a\n", "../../etc/passwd"]
)
def test_a_name_never_becomes_a_path(name: str) -> None:
    with pytest.raises(UsageError, match="no job name"):
        job_folder(name)


def test_a_state_folder_of_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPO_HOME", "~nosuchuser/hpo")
    with pytest.raises(UsageError, match="HPO_HOME is ~nosuchuser/hpo: no home folder is known"):
        job_names()


def make_job(name: str, *, fails: bool = False) -> None:
    with new_job(name) as draft:
        (draft / "job.db").touch()
        assert name not in job_names()
        if fails:
            raise RuntimeError


def test_a_job_appears_whole_or_not_at_all(home: Path) -> None:
    with pytest.raises(RuntimeError):
        make_job("digits", fails=True)
    assert list((home / "jobs").iterdir()) == []
    make_job("digits")
    assert job_names() == ["digits"]
    assert existing_job("digits") == home / "jobs" / "digits"


def make_two_at_once() -> None:
    with new_job("digits") as draft:
        (draft / "job.db").touch()
        make_job("other")
        job_folder("other").rename(job_folder("digits"))  # as if another process were quicker


def test_of_two_that_create_one_job_one_is_refused() -> None:
    with pytest.raises(JobExists, match="hpo resume digits"):
        make_two_at_once()
    with pytest.raises(JobExists, match="--name OTHER"):
        make_job("digits")
    assert job_names() == ["digits"]


def test_a_missing_job_names_the_closest_one() -> None:
    with new_job("digits-forest") as draft:
        (draft / "job.db").touch()
    with pytest.raises(JobNotFound, match="did you mean digits-forest"):
        existing_job("digit-forest")


def test_a_deleted_job_is_gone() -> None:
    with new_job("digits") as draft:
        (draft / "job.db").touch()
    delete_job(job_folder("digits"))
    assert job_names() == []
    assert not job_folder("digits").exists()


HOLDER = """
import sys, time
from pathlib import Path
from hpo.store.lease import Lease
lease = Lease(Path(sys.argv[1]), "digits")
print("held", flush=True)
time.sleep(60)
"""


def test_a_lease_is_held_by_one_process_and_not_by_a_dead_one(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert is_held(tmp_path)
    with pytest.raises(JobBusy, match=rf"pid {holder.pid}"):
        Lease(tmp_path, "digits")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert not is_held(tmp_path)
    with Lease(tmp_path, "digits"):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)

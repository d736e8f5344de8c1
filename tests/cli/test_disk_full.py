"""A full disk: an error that says so, nothing lost, and a job that goes on once there is space."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import Hpo
from tests.small_disk import small_disk

FILLING = """
echo "$HPO_TRIAL" >> started
echo "loss=$HPO_TRIAL"
if [ -e full ]; then dd if=/dev/zero of="$HPO_HOME/ballast" bs=64k 2>/dev/null; fi
exit 0
"""
"""Fills the disk that the state lies on, where it is told to; `started` lies on another one."""

LIMITS = {"max_jobs": 6}


@pytest.fixture
def disk(hpo: Hpo) -> Iterator[Path]:
    """A disk of 2 MB that holds the state folder."""
    with small_disk(hpo.home, size="2m") as disk:
        yield disk
        hpo.kill()


def fill(disk: Path) -> None:
    """Leave no room at all."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        try:
            while ballast.write(bytes(4096)):
                pass
        except OSError:
            return


def test_a_disk_that_fills_up_loses_nothing(hpo: Hpo, disk: Path) -> None:
    hpo.job(FILLING, limits=LIMITS)
    hpo.write("full", "")
    failed = hpo("run", "spec.yaml", status=1)
    assert "no space is left" in failed.err
    assert "free some space" in failed.err
    assert "hpo resume job`" in failed.err
    (hpo.folder / "full").unlink()
    (disk / "ballast").unlink()
    hpo("resume", "job")
    status = hpo("status", "job", "--json").json
    assert status["counts"] == {"completed": 6, "running": 0, "failed": 0, "pruned": 0, "cancelled": 0}
    assert sorted(hpo.text("started").split()) == ["1", "2", "3", "4", "5", "6"]


def test_a_job_is_looked_at_on_a_full_disk(hpo: Hpo, disk: Path) -> None:
    hpo.job(FILLING, limits=LIMITS)
    hpo("run", "spec.yaml")
    fill(disk)
    assert hpo("status", "job", "--json").json["counts"]["completed"] == 6
    assert hpo("best", "job", "--json").json["trial"] == 1


@pytest.mark.parametrize("spare", [0, 16384])
def test_a_job_cannot_begin_on_a_full_disk(hpo: Hpo, disk: Path, spare: int) -> None:
    hpo.job(FILLING, limits=LIMITS)
    fill(disk)
    os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - spare)
    failed = hpo("run", "spec.yaml", status=1)
    assert "free some space" in failed.err
    assert "hpo resume" not in failed.err  # there is nothing to go on with
    assert hpo.text("started") == ""
    (disk / "ballast").unlink()
    hpo("run", "spec.yaml")
    assert hpo("status", "job", "--json").json["counts"]["completed"] == 6


def test_a_job_cannot_be_resumed_on_a_full_disk(hpo: Hpo, disk: Path) -> None:
    hpo.job(FILLING, limits=LIMITS)
    hpo("run", "spec.yaml")
    fill(disk)
    failed = hpo("resume", "job", "--set", "limits.max_jobs=8", status=1)
    assert "space" in failed.err
    (disk / "ballast").unlink()
    hpo("resume", "job", "--set", "limits.max_jobs=8")
    assert hpo("status", "job", "--json").json["counts"]["completed"] == 8

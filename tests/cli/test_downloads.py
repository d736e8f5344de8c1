"""Data that is downloaded from S3 while a disk fills up, the tuner is killed or the data changes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.s3_channels import inputs, job, shown
from tests.command_line import PATIENCE, Hpo
from tests.s3_server import S3Server
from tests.small_disk import small_disk

Eventually = Callable[[Callable[[], object]], None]


# -- a disk that is too small


@pytest.fixture
def disk(hpo: Hpo) -> Iterator[Path]:
    """A disk of 4 MB that holds the state folder."""
    with small_disk(hpo.home, size="4m") as disk:
        yield disk
        hpo.kill()


def test_a_disk_that_is_too_small_is_found_before(hpo: Hpo, s3: S3Server, disk: Path) -> None:
    s3.put({"sets/train/large": bytes(5 * 2**20)})
    job(hpo)
    said = hpo("run", "spec.yaml", status=2).err
    assert "`inputs.train`: what is in s3://data/sets/train needs 5.0 MiB, and " in said
    assert "free some space" in said


def test_a_disk_that_fills_up_in_between(hpo: Hpo, s3: S3Server, disk: Path, eventually: Eventually) -> None:
    s3.put({"sets/train/a": b"1", "sets/train/large": bytes(2 * 2**20)})
    gate = s3.hold("sets/train/large")
    job(hpo)
    running = hpo.start("run", "spec.yaml")
    eventually(lambda: s3.gets("sets/train/large"))
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(2 * 2**20))
    gate.set()
    assert running.wait(PATIENCE) == 1
    assert "no space is left" in hpo.text("err")
    assert "hpo resume job" in hpo.text("err")
    assert hpo.text("started") == ""
    ballast.unlink()
    hpo("resume", "job")
    assert [line.split(":")[0] for line in shown(hpo)] == ["./a", "./large"]


# -- what happens in mid-download


def test_a_download_that_was_killed_goes_on(hpo: Hpo, s3: S3Server, eventually: Eventually) -> None:
    s3.put({"sets/train/a.csv": b"1", "sets/train/b.csv": b"2"})
    gate = s3.hold("sets/train/b.csv")
    job(hpo)
    running = hpo.start("run", "spec.yaml")
    eventually(lambda: (inputs(hpo) / ".train/files/a.csv").exists() and s3.gets("sets/train/b.csv"))
    eventually(lambda: hpo("status", "job", "--json").json["waiting"])
    (waiting,) = hpo("status", "job", "--json").json["waiting"]
    assert waiting["reason"] == "its data is being downloaded: train (s3://data/sets/train)"
    running.send_signal(signal.SIGKILL)
    running.wait()
    gate.set()
    assert not (inputs(hpo) / "train").exists()
    assert hpo.text("started") == ""
    hpo("resume", "job")
    assert shown(hpo) == ["./a.csv: 1", "./b.csv: 2"]
    assert (s3.gets("sets/train/a.csv"), s3.gets("sets/train/b.csv")) == (1, 2)
    assert hpo.text("started").split() == ["1", "2"]


def test_what_changes_between_two_downloads_is_not_mixed(
    hpo: Hpo, s3: S3Server, eventually: Eventually
) -> None:
    s3.put({"sets/train/a.csv": b"1", "sets/train/gone/b.csv": b"2", "sets/train/c.csv": b"3"})
    gate = s3.hold("sets/train/c.csv")
    job(hpo)
    running = hpo.start("run", "spec.yaml")
    draft = inputs(hpo) / ".train/files"
    eventually(lambda: (draft / "a.csv").exists() and (draft / "gone/b.csv").exists())
    running.send_signal(signal.SIGKILL)
    running.wait()
    gate.set()
    s3.reset()
    s3.put({"sets/train/a.csv": b"one", "sets/train/c.csv": b"3", "sets/train/gone": b"4"})
    hpo("resume", "job")
    assert shown(hpo) == ["./a.csv: one", "./c.csv: 3", "./gone: 4"]


def test_a_download_is_given_up_when_the_job_is_interrupted(
    hpo: Hpo, s3: S3Server, eventually: Eventually
) -> None:
    s3.put({"sets/train/a.csv": b"1", "sets/train/b.csv": b"2"})
    gate = s3.hold("sets/train/b.csv")
    job(hpo)
    running = hpo.start("run", "spec.yaml")
    eventually(lambda: s3.gets("sets/train/b.csv"))
    running.send_signal(signal.SIGINT)
    eventually(lambda: hpo("status", "job", "--json").json["status"] == "interrupted")
    gate.set()
    assert running.wait(PATIENCE) == 130
    assert hpo.text("started") == ""
    assert hpo.left_behind() == []
    hpo("resume", "job")
    assert shown(hpo) == ["./a.csv: 1", "./b.csv: 2"]


def test_a_job_in_the_background_downloads_there(hpo: Hpo, s3: S3Server) -> None:
    s3.put({"sets/train/a.csv": b"1"})
    job(hpo)
    hpo("run", "spec.yaml", "--detach")
    hpo("wait", "job")
    assert shown(hpo) == ["./a.csv: 1"]


def test_what_comes_damaged_is_not_used(hpo: Hpo, s3: S3Server, eventually: Eventually) -> None:
    s3.put({"sets/train/a.csv": b"1234"})
    s3.answer("GET /data/sets/train/a.csv", "200 OK", b"1235")
    job(hpo)
    running = hpo.start("run", "spec.yaml")
    eventually(lambda: "came with another MD5 than S3 has" in hpo.text("err") + hpo.text("out"))
    s3.gate.answers.clear()
    assert running.wait(PATIENCE) == 0
    assert shown(hpo) == ["./a.csv: 1234"]


def test_access_that_is_denied_later_fails_the_trials(hpo: Hpo, s3: S3Server) -> None:
    s3.put({"sets/train/a.csv": b"1"})
    s3.refuse("GET /data/sets/train/a.csv", "403 Forbidden", "AccessDenied")
    job(hpo, limits={"max_jobs": 3})
    said = hpo("run", "spec.yaml", status=1).err
    assert "inputs.train: access to s3://data/sets/train is denied (AccessDenied: it is so)" in said
    s3.gate.answers.clear()
    hpo("retry", "job")
    assert shown(hpo) == ["./a.csv: 1"]

"""Channels whose data is in S3: downloaded once for a job, and then like a folder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import PATIENCE, Hpo
from tests.docker_engine import IMAGE
from tests.s3_server import S3Server

SHOW = """
echo "$HPO_TRIAL" >> started
cd "$SM_CHANNEL_TRAIN/."
find . -type f | sort | while read -r file; do echo "$file: $(cat "$file")"; done
echo "loss=$HPO_TRIAL"
"""
"""Prints every file of the channel train, and what is in it."""

Eventually = Callable[[Callable[[], object]], None]


def job(hpo: Hpo, address: str = "s3://data/sets/train", **sections: object) -> None:
    hpo.job(SHOW, **({"inputs": {"train": address}, "limits": {"max_jobs": 2}} | sections))


def shown(hpo: Hpo, trial: int = 1) -> list[str]:
    """Return what a trial has seen in the channel."""
    return hpo("logs", "job", str(trial)).out.splitlines()[:-1]


def inputs(hpo: Hpo) -> Path:
    return hpo.home / "jobs" / "job" / "inputs"


def test_a_prefix_is_downloaded_once_for_all_trials(hpo: Hpo, s3: S3Server) -> None:
    s3.put({"sets/train/a.csv": b"1,2", "sets/train/deep/er/b.csv": b"3,4", "sets/test/c.csv": b"5"})
    s3.put({"sets/train/": b"", "sets/train/empty": b""})
    job(hpo)
    said = hpo("run", "spec.yaml").err
    assert "downloading s3://data/sets/train (3 objects, 6 bytes) for the channel train" in said
    assert shown(hpo) == shown(hpo, 2) == ["./a.csv: 1,2", "./deep/er/b.csv: 3,4", "./empty: "]
    assert s3.gets("sets/train/a.csv") == 1
    assert [path.name for path in inputs(hpo).iterdir() if path.name != ".lock"] == ["train"]
    assert (inputs(hpo) / "train/a.csv").stat().st_mode & 0o222 == 0
    s3.reset()
    hpo("resume", "job", "--set", "limits.max_jobs=3")
    assert shown(hpo, 3) == shown(hpo)
    assert s3.gate.requests == []


@pytest.mark.parametrize(
    ("address", "files"),
    [
        ("s3://data/sets/train/a.csv", ["./a.csv: 1"]),
        ("s3://data/sets/train/", ["./a.csv: 1"]),
        ("s3://data/sets/tr", ["./train/a.csv: 1", "./tree.csv: 2"]),
        ("s3://data/sets", ["./train/a.csv: 1", "./tree.csv: 2"]),
        ("s3://data", ["./sets/train/a.csv: 1", "./sets/tree.csv: 2"]),
    ],
)
def test_an_address_means_every_object_that_begins_with_it(
    hpo: Hpo, s3: S3Server, address: str, files: list[str]
) -> None:
    s3.put({"sets/train/a.csv": b"1", "sets/tree.csv": b"2"})
    job(hpo, address)
    hpo("run", "spec.yaml")
    assert shown(hpo) == files


def test_names_that_no_other_storage_would_take(hpo: Hpo, s3: S3Server) -> None:
    s3.put({"sets/train/a b+c%20&ä.csv": b"1", "sets/train/..a": b"2"})
    hpo.job('ls "$SM_CHANNEL_TRAIN" | wc -l; echo loss=1', inputs={"train": "s3://data/sets/train"})
    hpo("run", "spec.yaml")
    assert {path.name for path in (inputs(hpo) / "train").iterdir()} == {"a b+c%20&ä.csv", "..a"}


def test_large_objects_and_many(hpo: Hpo, s3: S3Server) -> None:
    large = bytes(range(256)) * (9 * 2**20 // 256)
    s3.put({"sets/train/large": large} | {f"sets/train/{number}": b"x" for number in range(300)})
    s3.upload("sets/train/parts", large, 5 * 2**20)
    hpo.job('ls "$SM_CHANNEL_TRAIN" | wc -l; echo loss=1', inputs={"train": "s3://data/sets/train"})
    hpo("run", "spec.yaml")
    assert (inputs(hpo) / "train/large").read_bytes() == large
    assert (inputs(hpo) / "train/parts").read_bytes() == large
    assert shown(hpo) == ["302"]


def test_a_job_that_is_only_tried_keeps_nothing(hpo: Hpo, s3: S3Server) -> None:
    s3.put({"sets/train/a.csv": b"1"})
    job(hpo)
    assert "./a.csv: 1" in hpo("try", "spec.yaml").err
    assert not (hpo.home / "jobs" / "job").exists()


def test_a_plan_downloads_nothing(hpo: Hpo, s3: S3Server) -> None:
    s3.put({"sets/train/a.csv": b"1"})
    job(hpo)
    assert f"SM_CHANNEL_TRAIN={inputs(hpo).parent}" in hpo("plan", "spec.yaml", "--full").out
    assert (s3.gets("sets/train/a.csv"), s3.lists()) == (0, 1)


@pytest.mark.docker
def test_a_container_reads_it_and_cannot_write_it(hpo: Hpo, s3: S3Server) -> None:
    s3.put({"sets/train/a.csv": b"1", "sets/train/deep/b.csv": b"2"})
    script = "cd /opt/ml/input/data/train; cat a.csv deep/b.csv; touch c 2>&1 || echo; echo loss=$HPO_TRIAL"
    launcher = {
        "kind": "docker", "image": IMAGE, "command": ["sh", "-c", script], "network": "none", "pull": "never",
    }  # fmt: skip
    job(hpo, launcher=launcher)
    try:
        hpo("run", "spec.yaml")
        for trial in (1, 2):
            assert shown(hpo, trial)[0].startswith("12touch: ")
            assert "Read-only" in shown(hpo, trial)[0]
        assert s3.gets("sets/train/a.csv") == 1
    finally:
        hpo("delete", "job", "--yes", status=None)


# -- what is refused before anything is launched


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://data/no/such", "there is no object in S3 whose address begins with s3://data/no/such"),
        ("s3://elsewhere/train", "there is no bucket elsewhere in S3"),
        ("s3://", "s3:// names no bucket; write s3://BUCKET/PREFIX"),
        ("s3:///train", "s3:///train names no bucket"),
        ("https://data/train", "cannot read https://data/train; copy it here"),
        ("s3://data/out", "'out/../../x' cannot be a file in the channel's folder"),
        ("s3://data/absolute/", "'absolute//etc/x' cannot be a file in the channel's folder"),
        ("s3://data/clash", "'clash/a' and 'clash/a/b' cannot both be files in one folder"),
        ("s3://data/twice", "'twice.csv' and 'twice/twice.csv' cannot both be files in one folder"),
        ("s3://data/folders", "there is no object in S3 whose address begins with s3://data/folders"),
        ("s3://data/long/", "a part of its name is too long"),
    ],
)
def test_what_cannot_be_a_folder_is_refused(hpo: Hpo, s3: S3Server, address: str, words: str) -> None:
    s3.put({"out/../../x": b"1", "absolute//etc/x": b"1", "clash/a": b"1", "clash/a/b": b"1"})
    s3.put({"twice.csv": b"1", "twice/twice.csv": b"1", "folders/": b"", f"long/{'x' * 256}": b"1"})
    job(hpo, address)
    said = hpo.refused("run", "spec.yaml")
    assert "`inputs.train`: " in said
    assert words in said
    assert s3.lists() <= 1


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (
            "403 Forbidden",
            "AccessDenied",
            "access to s3://data/sets/train is denied (AccessDenied: it is so); ",
        ),
        ("403 Forbidden", "InvalidAccessKeyId", "S3 does not take the credentials for s3://data/sets/train"),
        ("400 Bad Request", "ExpiredToken", "S3 does not take the credentials for s3://data/sets/train"),
        ("503 Slow Down", "SlowDown", "cannot be read at the moment (SlowDown: it is so)"),
    ],
)
def test_what_s3_refuses(hpo: Hpo, s3: S3Server, status: str, code: str, words: str) -> None:
    s3.refuse("LIST /data", status, code)
    job(hpo)
    assert words in hpo.refused("run", "spec.yaml")


def test_no_credentials(hpo: Hpo, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    job(hpo)
    said = hpo.refused("run", "spec.yaml")
    assert "s3://data/sets/train cannot be read: Unable to locate credentials; set AWS_PROFILE" in said
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "The config profile (nobody) could not be found" in hpo.refused("run", "spec.yaml")


def test_nobody_answers(hpo: Hpo, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    job(hpo)
    assert "s3://data/sets/train cannot be reached: " in hpo.refused("run", "spec.yaml")


def test_boto3_is_not_installed(hpo: Hpo, s3: S3Server) -> None:
    hpo.write("boto3.py", "raise ImportError('as if it were not there')")
    job(hpo)
    said = hpo("run", "spec.yaml", status=2, env={"PYTHONPATH": str(hpo.folder)}).err
    assert "needs boto3: pip install 'hpo[aws]'" in said


RUN = """
import json, sys
from hpo.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def test_boto3_is_not_imported_for_local_channels(hpo: Hpo) -> None:
    hpo.write("train.csv", "1")
    job(hpo, "train.csv")
    command = [sys.executable, "-c", RUN, "run", "spec.yaml"]
    ran = subprocess.run(
        command, cwd=hpo.folder, env=hpo.environment, capture_output=True, text=True, check=True
    )
    imported = set(json.loads(ran.stderr.splitlines()[-1]))
    assert "hpo.launchers.s3" in imported
    assert imported & {"boto3", "botocore", "s3transfer"} == set()


# -- a disk that is too small


@pytest.fixture
def small_disk(hpo: Hpo) -> Iterator[Path]:
    """A disk of 4 MB that holds the state folder."""
    hpo.home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(hpo.home)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield hpo.home
    hpo.kill()
    subprocess.run(["umount", "--lazy", str(hpo.home)], check=True)


def test_a_disk_that_is_too_small_is_found_before(hpo: Hpo, s3: S3Server, small_disk: Path) -> None:
    s3.put({"sets/train/large": bytes(5 * 2**20)})
    job(hpo)
    said = hpo("run", "spec.yaml", status=2).err
    assert "`inputs.train`: what is in s3://data/sets/train needs 5.0 MiB, and " in said
    assert "free some space" in said


def test_a_disk_that_fills_up_in_between(
    hpo: Hpo, s3: S3Server, small_disk: Path, eventually: Eventually
) -> None:
    s3.put({"sets/train/a": b"1", "sets/train/large": bytes(2 * 2**20)})
    gate = s3.hold("sets/train/large")
    job(hpo)
    running = hpo.start("run", "spec.yaml")
    eventually(lambda: s3.gets("sets/train/large"))
    ballast = small_disk / "ballast"
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

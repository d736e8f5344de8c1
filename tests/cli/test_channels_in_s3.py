"""Channels whose data is in S3: downloaded once for a job, and then like a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.cli.s3_channels import inputs, job, shown
from tests.command_line import Hpo
from tests.docker_engine import IMAGE
from tests.s3_server import S3Server

Eventually = Callable[[Callable[[], object]], None]


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

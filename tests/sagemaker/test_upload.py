"""What lies here is brought to S3 once, whole, and again only what is missing."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from hpo.errors import CannotStart, LauncherError, NoCapacity
from hpo.launchers.launcher import JobContext
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.upload import Uploads
from tests.command_line import PATIENCE
from tests.s3_server import S3Server

OUTPUT = "s3://data/hpo"


def client() -> Any:
    config = Config(connect_timeout=PATIENCE, read_timeout=PATIENCE, retries={"total_max_attempts": 2})
    return boto3.Session().client("s3", config=config)


class Job:
    """A job's folder, and what is told of its uploads."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.said: list[str] = []

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            (self.base / name).parent.mkdir(parents=True, exist_ok=True)
            (self.base / name).write_bytes(content)

    def uploads(self, inputs: Mapping[str, str], **options: object) -> Uploads:
        read = SageMakerOptions.model_validate({"image": "x", "instance_type": "ml.m5.xlarge", **options})
        home = self.base / "home"
        context = JobContext("job", home / "jobs/job", self.base, home, inputs=inputs, say=self.said.append)
        return Uploads(context, read, client)

    def require(self, inputs: Mapping[str, str], **options: object) -> tuple[Mapping[str, str], str | None]:
        return self.uploads(inputs, **options).require(OUTPUT)


@pytest.fixture
def job(tmp_path: Path, s3: S3Server) -> Job:
    return Job(tmp_path)


def below(address: str) -> dict[str, bytes]:
    """Return what is in S3 whose address begins so, by the rest of its address."""
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    asked = client()
    found = asked.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    return {
        entry["Key"].removeprefix(prefix): asked.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        for entry in found
    }


def keys() -> list[str]:
    return [entry["Key"] for entry in client().list_objects_v2(Bucket="data").get("Contents", ())]


def forget() -> None:
    """Have nothing in the bucket."""
    asked = client()
    for key in keys():
        asked.delete_object(Bucket="data", Key=key)


def puts(s3: S3Server) -> list[str]:
    return [request for request in s3.gate.requests if request.startswith(("PUT", "POST"))]


def test_a_folder_a_file_and_what_is_in_s3_already(job: Job, s3: S3Server) -> None:
    job.write({"data/a.csv": b"1", "data/deep/b c.csv": b"22", "test.csv": b"3"})
    inputs, source = job.require({"train": "data", "old": "s3://data/old", "test": "./test.csv"})
    assert list(inputs) == ["train", "old", "test"]
    assert (inputs["old"], source) == ("s3://data/old", None)
    assert inputs["train"].startswith(f"{OUTPUT}/inputs/train-")
    assert below(inputs["train"]) == {"a.csv": b"1", "deep/b c.csv": b"22"}
    assert below(inputs["test"]) == {"test.csv": b"3"}
    assert [line.partition(" to ")[0] for line in job.said] == [
        f"uploading {job.base}/data (2 files, 3 bytes) for the channel train",
        f"uploading {job.base}/test.csv (1 file, 1 byte) for the channel test",
    ]


def test_what_is_there_is_found_by_one_question(job: Job, s3: S3Server) -> None:
    job.write({"data/a.csv": b"1", "data/b.csv": b"2"})
    first = job.require({"train": "data"})
    s3.gate.requests.clear()
    assert job.require({"train": "data"}) == first
    assert [request.partition(" ")[0] for request in s3.gate.requests] == ["HEAD"]
    assert len(job.said) == 1


def test_nothing_here_asks_nobody(job: Job, s3: S3Server) -> None:
    assert job.require({"train": "s3://elsewhere/train"}) == ({"train": "s3://elsewhere/train"}, None)
    assert s3.gate.requests == []


def test_other_content_gets_another_address(job: Job, s3: S3Server) -> None:
    job.write({"data/a.csv": b"1"})
    [first] = job.require({"train": "data"})[0].values()
    job.write({"data/a.csv": b"2"})
    [second] = job.require({"train": "data"})[0].values()
    assert (below(first), below(second)) == ({"a.csv": b"1"}, {"a.csv": b"2"})


def test_an_interrupted_upload_goes_on_with_what_is_missing(job: Job, s3: S3Server) -> None:
    files = {f"data/{n}.csv": b"%d" % n for n in range(5)}
    job.write(files)
    [address] = job.require({"train": "data"})[0].values()
    prefix = address.removeprefix("s3://data/")
    asked = client()
    for key in (f"{prefix}3.csv", f"{prefix.rstrip('/')}.complete"):  # as if it had ended before these
        asked.delete_object(Bucket="data", Key=key)
    asked.put_object(Bucket="data", Key=f"{prefix}4.csv", Body=b"of another size")
    s3.gate.requests.clear()
    assert job.require({"train": "data"})[0] == {"train": address}
    assert sorted(puts(s3)) == [
        f"PUT /data/{prefix.rstrip('/')}.complete",
        f"PUT /data/{prefix}3.csv",
        f"PUT /data/{prefix}4.csv",
    ]
    assert below(address) == {name.removeprefix("data/"): content for name, content in files.items()}


def test_a_failed_upload_is_not_taken_for_a_complete_one(job: Job, s3: S3Server) -> None:
    job.write({"data/a.csv": b"1", "data/b.csv": b"2"})
    uploads = job.uploads({"train": "data"})
    planned = uploads.planned(OUTPUT)[0]["train"]
    assert planned == f"{OUTPUT}/inputs/train-DIGEST/"
    [address] = job.require({"train": "data"})[0].values()
    forget()
    request = f"PUT /{address.removeprefix('s3://')}b.csv"
    s3.refuse(request, "503 Slow Down", "SlowDown")
    with pytest.raises(LauncherError) as failure:
        uploads.require(OUTPUT)
    assert not isinstance(failure.value, CannotStart)
    assert not [key for key in keys() if key.endswith(".complete")]
    s3.gate.answers.clear()
    assert uploads.require(OUTPUT)[0] == {"train": address}
    assert below(address) == {"a.csv": b"1", "b.csv": b"2"}


def test_large_files_go_in_parts(job: Job, s3: S3Server) -> None:
    content = bytes(range(256)) * 2**16  # 16 MiB
    job.write({"data/big.bin": content})
    [address] = job.require({"train": "data"})[0].values()
    assert below(address) == {"big.bin": content}
    assert len([request for request in puts(s3) if request.startswith("POST")]) == 2  # begun, completed


def test_many_files(job: Job, s3: S3Server) -> None:
    job.write({f"data/{n // 100}/{n}": b"%d" % n for n in range(120)})
    [address] = job.require({"train": "data"})[0].values()
    assert below(address) == {f"{n // 100}/{n}": b"%d" % n for n in range(120)}


def test_what_is_written_is_encrypted_with_the_key(job: Job, s3: S3Server) -> None:
    job.write({"data/a.csv": b"1"})
    [address] = job.require({"train": "data"}, output_key="alias/ours")[0].values()
    head = client().head_object(Bucket="data", Key=f"{address.removeprefix('s3://data/')}a.csv")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/ours")


SCRIPT: dict[str, object] = {"source_dir": "src", "entry_point": "train.py"}


def test_the_program_is_packed_and_uploaded_once(job: Job, s3: S3Server) -> None:
    job.write({"src/train.py": b"print(1)", "src/.hpoignore": b"*.log", "src/a.log": b""})
    inputs, source = job.require({}, **SCRIPT)
    assert inputs == {}
    assert source is not None
    assert source.startswith(f"{OUTPUT}/source/")
    assert source.endswith("/sourcedir.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(below(source)[""])) as tar:
        assert tar.getnames() == ["train.py"]
    s3.gate.requests.clear()
    assert job.require({}, **SCRIPT) == (inputs, source)
    assert puts(s3) == []


def test_a_program_in_s3_is_taken_as_it_is(job: Job, s3: S3Server) -> None:
    packed = "s3://code/a/sourcedir.tar.gz"
    assert job.require({}, source_dir=packed, entry_point="train.py") == ({}, packed)
    assert s3.gate.requests == []


def test_an_upload_that_is_given_up_ends_at_once(
    job: Job, s3: S3Server, eventually: Callable[[Callable[[], object]], None]
) -> None:
    job.write({f"data/{n}": b"%d" % n for n in range(120)})
    uploads = job.uploads({"train": "data"})
    [address] = job.require({"train": "data"})[0].values()
    forget()
    held = s3.gate.held.setdefault(f"PUT /{address.removeprefix('s3://')}7", threading.Event())
    s3.gate.requests.clear()
    ended: list[Exception] = []

    def upload() -> None:
        try:
            uploads.require(OUTPUT)
        except LauncherError as error:
            ended.append(error)

    thread = threading.Thread(target=upload)
    thread.start()
    eventually(lambda: f"PUT /{address.removeprefix('s3://')}7" in s3.gate.requests)
    uploads.close()
    held.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert [str(error) for error in ended] == ["the upload was stopped"]
    assert not [key for key in keys() if key.endswith(".complete")]
    assert job.require({"train": "data"})[0] == {"train": address}


def test_a_file_that_changes_meanwhile_is_not_left_there(
    job: Job, s3: S3Server, eventually: Callable[[Callable[[], object]], None]
) -> None:
    job.write({"data/a.csv": b"1"})
    [address] = job.require({"train": "data"})[0].values()
    forget()
    request = f"PUT /{address.removeprefix('s3://')}a.csv"
    held = s3.gate.held.setdefault(request, threading.Event())
    s3.gate.requests.clear()
    ended: list[Exception] = []

    def upload() -> None:
        try:
            job.require({"train": "data"})
        except LauncherError as error:
            ended.append(error)

    thread = threading.Thread(target=upload)
    thread.start()
    eventually(lambda: request in s3.gate.requests)
    job.write({"data/a.csv": b"changed"})
    held.set()
    thread.join(PATIENCE)
    assert ["was changed" in str(error) for error in ended] == [True]
    assert keys() == []


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        ("404 Not Found", "NoSuchBucket", CannotStart, "there is no bucket data in S3; make it with"),
        ("403 Forbidden", "AccessDenied", CannotStart, "is not permitted"),
        ("400 Bad Request", "ExpiredToken", NoCapacity, "renew them"),
        ("400 Bad Request", "RequestTimeout", LauncherError, "at the moment"),
        ("500 Internal Server Error", "InternalError", LauncherError, "at the moment"),
    ],
)
def test_what_s3_s_refusals_mean(
    job: Job, s3: S3Server, status: str, code: str, kind: type[Exception], words: str
) -> None:
    job.write({"data/a.csv": b"1"})
    s3.refuse("LIST /data", status, code)
    with pytest.raises(kind, match=words) as failure:
        job.require({"train": "data"})
    assert isinstance(failure.value, CannotStart) == (kind is CannotStart)


def test_an_empty_folder_is_no_channel(job: Job, s3: S3Server) -> None:
    (job.base / "data").mkdir()
    with pytest.raises(CannotStart, match=r"inputs\.train: there is no file in"):
        job.require({"train": "data"})

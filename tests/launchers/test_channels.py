"""What is asked of S3 within one process: two launches at once, amounts, encrypted objects."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hpo.errors import Preparing
from hpo.launchers import s3 as objects
from hpo.launchers.channels import Channels
from hpo.launchers.launcher import JobContext
from hpo.scheduler.rehearsal import rehearse
from tests.launchers.machine import Machine
from tests.s3_server import S3Server


def channels(base: Path, said: list[str]) -> Channels:
    inputs = {"train": "s3://data/train", "test": "s3://data/test"}
    return Channels(JobContext("job", base / "jobs/job", base, base, inputs=inputs, say=said.append))


def arrive(channels: Channels) -> None:
    while True:
        try:
            return channels.require()
        except Preparing:
            continue


def test_two_launches_at_once_download_once(tmp_path: Path, s3: S3Server) -> None:
    s3.put({"train/a.csv": b"1", "test/b.csv": b"2"})
    gate = s3.hold("train/a.csv")
    said: list[str] = []
    launchers = [channels(tmp_path, said) for _ in range(2)]

    async def test() -> None:
        coming = [asyncio.create_task(asyncio.to_thread(arrive, each)) for each in launchers * 2]
        while not s3.gets("train/a.csv"):  # noqa: ASYNC110 -- the server tells nobody
            await asyncio.sleep(0.01)
        gate.set()
        await asyncio.gather(*coming)

    asyncio.run(test())
    for each in launchers:
        assert {name: sorted(path.iterdir()) for name, path in each.paths.items()} == {
            "train": [tmp_path / "jobs/job/inputs/train/a.csv"],
            "test": [tmp_path / "jobs/job/inputs/test/b.csv"],
        }
        each.close()
    assert (s3.gets("train/a.csv"), s3.gets("test/b.csv")) == (1, 1)
    assert len(said) == 2


def run(machine: Machine) -> str:
    """Return what a trial prints that reads the channel train."""
    launcher = machine.launcher('cat "$SM_CHANNEL_TRAIN/a.csv"')
    assert launcher.check() == []
    log = bytearray()
    asyncio.run(rehearse(launcher, machine.launch(), log.extend))
    return log.decode()


def test_a_rehearsal_waits_for_the_download(
    machine: Machine, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpo.launchers.channels._PATIENCE", 0.01)
    s3.put({"train/a.csv": b"1"})
    machine.inputs = {"train": "s3://data/train", "local": "."}
    assert run(machine) == "1"


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([1], "1 object, 1 byte"),
        ([1023, 0], "2 objects, 1,023 bytes"),
        ([5 * 2**30 + 2**28] + [0] * 1233, "1,234 objects, 5.2 GiB"),
        ([3000 * 2**40], "1 object, 3,000.0 TiB"),
    ],
)
def test_amounts(sizes: list[int], words: str) -> None:
    assert objects.amount(objects.Stored("x", size, "", 0) for size in sizes) == words


def test_an_encrypted_object_s_etag_is_no_md5(machine: Machine, s3: S3Server) -> None:
    s3.put({"train/a.csv": b"1"}, ServerSideEncryption="aws:kms")
    s3.answer("GET /data/train/a.csv", "200 OK", b"2")  # its ETag is of another text
    machine.inputs = {"train": "s3://data/train"}
    assert run(machine) == "2"

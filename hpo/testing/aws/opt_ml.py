"""A host's /opt/ml, as a folder."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from hpo.testing.aws.errors import JobFailure
from hpo.testing.aws.objects import Address, Objects
from hpo.testing.aws.request import Channel, JobRequest

_FOLDERS = ("input/config", "input/data", "model", "output/data", "checkpoints", "code")


def lay_out(root: Path, request: JobRequest, host: str) -> None:
    """Make the folders and configuration files of a host."""
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    group = next(group for name, group in request.hosts if name == host)
    groups = [
        {
            "instance_group_name": each,
            "instance_type": kind,
            "hosts": [name for name, its in request.hosts if its == each],
        }
        for each, (kind, _) in request.groups.items()
    ]
    files = {
        "hyperparameters": dict(request.hyperparameters),
        "resourceconfig": {
            "current_host": host,
            "current_instance_type": request.groups[group][0],
            "current_group_name": group,
            "hosts": [name for name, _ in request.hosts],
            "instance_groups": groups,
            "network_interface_name": "eth0",
        },
        "inputdataconfig": {channel.name: dict(channel.config) for channel in request.channels},
    }
    for name, content in files.items():
        (root / f"input/config/{name}.json").write_text(json.dumps(content))


def download(objects: Objects, root: Path, request: JobRequest, host: int) -> None:
    """Have the data of every channel in a host's folder, by the host's number from 0. Raises JobFailure."""
    for channel in request.channels:
        folder = root / "input/data" / channel.name
        folder.mkdir(parents=True, exist_ok=True)
        found = list(_objects(objects, channel))
        if not found:
            raise JobFailure(
                f"ClientError: Data download failed:S3 key: {channel.address} matched no files on s3"
            )
        if channel.is_sharded:
            found = found[host :: len(request.hosts)]
        for address, path in found:
            _have(objects, address, folder / path, is_gzip=channel.is_gzip)


def _have(objects: Objects, address: Address, file: Path, *, is_gzip: bool) -> None:
    try:
        objects.download(address, file)
        if is_gzip and file.suffix == ".gz":
            with gzip.open(file) as packed, file.with_suffix("").open("wb") as plain:
                shutil.copyfileobj(packed, plain)
            file.unlink()
    except OSError as error:
        raise JobFailure(
            "ClientError: Data download failed:Failed to download data. Please check your s3 objects and "
            f"ensure that there is no object that is both a folder as well as a file. ({address}: {error})"
        ) from None


def _objects(objects: Objects, channel: Channel) -> Iterator[tuple[Address, str]]:
    """Yield what is to be downloaded, and the path of its file in the channel's folder."""
    address = channel.address
    if not channel.is_manifest:
        for key in objects.keys(address):
            yield Address(address.bucket, key), _path(address.key, key)
        return
    try:
        head, *names = json.loads(objects.read(address))
        prefix = head["prefix"]
    except (ValueError, KeyError, TypeError):
        raise JobFailure(f"ClientError: Data download failed:Manifest {address} is not valid") from None
    bucket, _, start = prefix.removeprefix("s3://").partition("/")
    for name in names:
        yield Address(bucket, start + name), name


def _path(prefix: str, key: str) -> str:
    """Return where a key's file lies: below the prefix as a folder, else below the folder it is in."""
    if prefix and not prefix.endswith("/") and key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]

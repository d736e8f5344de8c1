"""Objects in S3: listed, laid out as files, downloaded and checked; boto3 is imported only then."""

from __future__ import annotations

import hashlib
import os
import queue
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from hpo.errors import CannotStart, LauncherError
from hpo.launchers.s3_access import client_for, raise_if

SCHEME = "s3://"

_AT_ONCE = 100
"""Objects that are handed to the transfer manager at a time; it downloads ten of them, or of their parts."""

_LONGEST_NAME = 255
_MD5 = re.compile(r'"?([0-9a-f]{32})"?')
_NO_MD5 = "--x-s3"  # how the buckets' names end in which no ETag is one


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket, and how the keys begin that are meant."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Return what `s3://bucket/prefix` says. Raises CannotStart."""
        bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
        if not re.fullmatch(r"[A-Za-z0-9._-]{3,255}", bucket):
            raise CannotStart(f"{text} names no bucket; write s3://BUCKET/PREFIX")
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as S3 lists it."""

    key: str
    size: int
    etag: str
    modified: int  # seconds since the epoch


def first_objects(address: Address) -> tuple[list[Stored], bool]:
    """Return the objects below an address, and whether these are all: asks once, for a thousand at most.

    Raises LauncherError.
    """
    with client_for(address, Event(), attempts=2) as client:
        page = client.list_objects_v2(Bucket=address.bucket, Prefix=address.prefix)
        return list(_listed(page)), not page["IsTruncated"]


def layout(address: Address, objects: Iterable[Stored]) -> dict[str, Stored]:
    """Return each object by the path of its file. Raises CannotStart where one cannot be a file."""
    files: dict[str, Stored] = {}
    for stored in objects:
        path = _path(address, stored.key)
        if path in files:
            raise _clash(stored.key, files[path].key)
        files[path] = stored
    for path, stored in files.items():
        while "/" in path:
            path = path.rpartition("/")[0]  # noqa: PLW2901 -- from the file up
            if path in files:
                raise _clash(stored.key, files[path].key)
    return files


def amount(objects: Iterable[Stored]) -> str:
    """Return how many objects these are, and how large: 1,234 objects, 5.2 GiB."""
    sizes = [stored.size for stored in objects]
    return f"{len(sizes):,} object{'s' * (len(sizes) != 1)}, {size_text(sum(sizes))}"


def size_text(size: float) -> str:
    """Return a number of bytes as people say it."""
    if size < 1024:
        return f"{size:,.0f} byte{'s' * (size != 1)}"
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024:
            return f"{size:,.1f} {unit}"
    return f"{size / 1024:,.1f} TiB"


def download(
    address: Address, folder: Path, draft: Path, *, begin: Callable[[str, int], None], stopped: Event
) -> None:
    """Make a folder of the objects below an address: complete, or not at all.

    What is whole goes to `draft` first, where another call goes on; `begin` is told how much is to come,
    in words and in bytes. Raises CannotStart, LauncherError where it may do better later, and OSError.
    """
    with client_for(address, stopped) as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=address.bucket, Prefix=address.prefix)
        files = layout(address, (stored for page in pages for stored in _listed(page)))
        if not files:
            raise CannotStart(nothing_at(address))
        parts, whole = draft / "parts", draft / "files"
        shutil.rmtree(parts, ignore_errors=True)
        for made in (parts, whole):
            made.mkdir(parents=True, exist_ok=True)
        _keep_only(whole, files)
        missing = {path: stored for path, stored in files.items() if not (whole / path).exists()}
        begin(amount(missing.values()), sum(stored.size for stored in missing.values()))
        with closing(_transferred(client, address, missing, parts, stopped)) as transferred:
            for path, stored, part in transferred:
                _check_content(client, address, stored, part)
                part.chmod(0o444)  # all trials read the same file
                os.utime(part, (stored.modified, stored.modified))
                (whole / path).parent.mkdir(parents=True, exist_ok=True)
                part.rename(whole / path)
    os.sync()  # the folder must not outlive a power failure that its files don't
    whole.rename(folder)
    shutil.rmtree(draft)


def nothing_at(address: Address) -> str:
    """Return the words for an address without any object."""
    return f"there is no object in S3 whose address begins with {address}; `aws s3 ls` shows what is there"


def _listed(page: Mapping[str, Any]) -> Iterator[Stored]:
    for entry in page.get("Contents", ()):
        if not entry["Key"].endswith("/"):  # a folder, as the console makes them
            yield Stored(entry["Key"], entry["Size"], entry["ETag"], int(entry["LastModified"].timestamp()))


def _path(address: Address, key: str) -> str:
    """Return where an object's file lies: below the address as a folder, else below the folder it is in."""
    prefix = address.prefix
    is_folder = prefix and not prefix.endswith("/") and key.startswith(f"{prefix}/")
    path = key[len(prefix) + 1 :] if is_folder else key[prefix.rfind("/") + 1 :]
    names = path.split("/")
    if not {"", ".", ".."}.isdisjoint(names) or "\0" in path:
        raise CannotStart(
            f"the object {key!r} cannot be a file in the channel's folder: a part of its name is empty, . or "
            "..; rename it, or give an address that leaves it out"
        )
    if any(len(os.fsencode(name)) > _LONGEST_NAME for name in names):
        raise CannotStart(f"the object {key!r} cannot be a file: a part of its name is too long; rename it")
    return path


def _clash(key: str, other: str) -> CannotStart:
    return CannotStart(
        f"the objects {other!r} and {key!r} cannot both be files in one folder; rename one, or give an "
        "address that leaves it out"
    )


def _keep_only(folder: Path, files: Mapping[str, Stored]) -> None:
    """Remove what an earlier download left that is not as S3 has it now."""
    for place, folders, names in os.walk(folder, topdown=False):
        for name in names:
            file = Path(place, name)
            stored, found = files.get(file.relative_to(folder).as_posix()), file.stat()
            if stored is None or (found.st_size, int(found.st_mtime)) != (stored.size, stored.modified):
                file.unlink()
        for folder_name in folders:
            with suppress(OSError):  # it is not empty
                Path(place, folder_name).rmdir()


# -- boto3


class _Subscriber:
    """Tells the transfer manager what was listed already, and this program when an object is here."""

    def __init__(self, stored: Stored, done: Callable[[Any], None]) -> None:
        self._stored = stored
        self._done = done

    def on_queued(self, future: Any, **_: object) -> None:
        """Spare the request for an object's size, and let no object be put together of two versions."""
        future.meta.provide_transfer_size(self._stored.size)
        future.meta.provide_object_etag(self._stored.etag)

    def on_done(self, future: Any, **_: object) -> None:
        """Pass it on."""
        self._done(future)


def _transferred(
    client: Any, address: Address, files: Mapping[str, Stored], folder: Path, stopped: Event
) -> Generator[tuple[str, Stored, Path]]:
    """Download objects into numbered files of a folder, several at once; yield each that is here."""
    from s3transfer.manager import TransferManager

    arrived: queue.SimpleQueue[tuple[str, Stored, Path, Any]] = queue.SimpleQueue()

    def take() -> tuple[str, Stored, Path]:
        while True:
            try:
                path, stored, part, future = arrived.get(timeout=0.1)
            except queue.Empty:
                raise_if(stopped)
            else:
                future.result()
                return path, stored, part

    with TransferManager(client) as manager:
        under_way = 0
        for number, (path, stored) in enumerate(files.items()):
            part = folder / str(number)

            def done(future: Any, path: str = path, stored: Stored = stored, part: Path = part) -> None:
                arrived.put((path, stored, part, future))

            manager.download(address.bucket, stored.key, str(part), subscribers=[_Subscriber(stored, done)])
            under_way += 1
            if under_way == _AT_ONCE:
                yield take()
                under_way -= 1
        for _ in range(under_way):
            yield take()


def _check_content(client: Any, address: Address, stored: Stored, path: Path) -> None:
    """Raise LauncherError where a file is not what was listed."""
    if (size := path.stat().st_size) != stored.size:
        raise LauncherError(f"{stored.key!r} came with {size:,} bytes instead of {stored.size:,}")
    expected = _MD5.fullmatch(stored.etag)
    if expected is None or address.bucket.endswith(_NO_MD5):
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    if digest.hexdigest() == expected[1]:
        return
    head = client.head_object(Bucket=address.bucket, Key=stored.key)
    encrypted = head.get("ServerSideEncryption", "").startswith("aws:kms") or "SSECustomerAlgorithm" in head
    if not encrypted or head["ETag"] != stored.etag:  # the ETag of an encrypted one is no MD5
        raise LauncherError(
            f"{stored.key!r} came with another MD5 than S3 has: it was damaged on its way, or has changed"
        )

"""A bucket that this job's files are brought to, through boto3's transfer manager."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from hpo.errors import CannotStart, LauncherError
from hpo.launchers.s3 import Address
from hpo.launchers.sagemaker.faults import Unanswered, fault

_AT_ONCE = 100
"""Files that are handed to the transfer manager at a time; it uploads ten of them, or of their parts."""

_LONGEST_KEY = 1024


def _untouched() -> None:
    """Check nothing."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and the address it is to have; `check` raises where the file is not what it was."""

    path: Path
    address: str
    check: Callable[[], None] = _untouched


class Bucket:
    """The bucket of an address. What fails raises LauncherError, or CannotStart where it always will."""

    def __init__(self, client: Any, name: str, stopped: Event, key: str | None) -> None:
        self._client = client
        self._name = name
        self._stopped = stopped
        self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}

    @classmethod
    @contextmanager
    def of(
        cls, address: str, client_factory: Callable[[], Any], stopped: Event, *, key: str | None
    ) -> Iterator[Bucket]:
        """Give the bucket of an address, with a KMS key for what is written, until it is left or stopped."""
        client = client_factory()
        from botocore.exceptions import BotoCoreError, ClientError

        bucket = cls(client, Address.of(address).bucket, stopped, key)
        client.meta.events.register("before-send.s3", lambda **_: bucket.go_on())  # nor is it tried again
        try:
            yield bucket
        except (BotoCoreError, ClientError) as error:
            raise bucket.meaning(error) from error
        finally:
            client.close()

    def has(self, address: str) -> bool:
        """Tell whether there is an object at an address."""
        from botocore.exceptions import ClientError

        try:
            self._client.head_object(Bucket=self._name, Key=self._key(address))
        except ClientError as error:
            if error.response["Error"].get("Code") in {"404", "NoSuchKey"}:
                return False
            raise
        return True

    def sizes(self, address: str) -> dict[str, int]:
        """Return the size of each object below an address by its own."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._name, Prefix=self._key(address)
        )
        return {
            f"s3://{self._name}/{entry['Key']}": entry["Size"]
            for page in pages
            for entry in page.get("Contents", ())
        }

    def put(self, address: str, body: bytes) -> None:
        """Write a small object."""
        self._client.put_object(Bucket=self._name, Key=self._key(address), Body=body, **self._encryption)

    def upload(self, files: Sequence[Upload]) -> None:
        """Write files, several at once; one that changed meanwhile is taken away again."""
        from boto3.exceptions import S3UploadFailedError
        from s3transfer.manager import TransferManager

        keys = [self._key(each.address) for each in files]
        arrived: queue.SimpleQueue[tuple[Upload, Any]] = queue.SimpleQueue()

        def take() -> None:
            while True:
                try:
                    each, future = arrived.get(timeout=0.1)
                except queue.Empty:
                    self.go_on()
                else:
                    future.result()
                    self._check(each)
                    return

        try:
            with TransferManager(self._client) as manager:
                for number, (each, key) in enumerate(zip(files, keys, strict=True)):
                    self.go_on()
                    told = _Told(each, arrived.put)
                    manager.upload(
                        str(each.path), self._name, key, extra_args=dict(self._encryption), subscribers=[told]
                    )
                    if number >= _AT_ONCE:
                        take()
                for _ in range(min(len(files), _AT_ONCE)):
                    take()
        except S3UploadFailedError as error:
            raise Unanswered(f"S3 does not take the files at the moment: {error}") from error

    def go_on(self) -> None:
        """Raise LauncherError once it is stopped."""
        if self._stopped.is_set():
            raise LauncherError("the upload was stopped")

    def meaning(self, error: Exception) -> LauncherError:
        """Return what an error of boto3's means."""
        answer = getattr(error, "response", {})
        code = str(answer.get("Error", {}).get("Code", ""))
        operation = str(getattr(error, "operation_name", "S3"))
        if code == "NoSuchBucket" or (code == "404" and operation != "HeadObject"):
            made = f"make it with `aws s3 mb s3://{self._name}`, or set launcher.output"
            return CannotStart(f"there is no bucket {self._name} in S3; {made}")
        if code in {"RequestTimeout", "InternalError"}:
            return Unanswered(f"S3 does not take the files at the moment ({code})")
        return fault(error, f"{operation} in the bucket {self._name}")

    def _check(self, upload: Upload) -> None:
        try:
            upload.check()
        except LauncherError:
            self._client.delete_object(Bucket=self._name, Key=self._key(upload.address))
            raise

    def _key(self, address: str) -> str:
        key = address.removeprefix(f"s3://{self._name}/")
        try:
            size = len(key.encode())
        except UnicodeEncodeError:
            raise CannotStart(f"{key!a} is no name for an object in S3: it is not UTF-8; rename it") from None
        if size > _LONGEST_KEY:
            raise CannotStart(f"{key!r} is too long a name for an object in S3; rename the file")
        return key


class _Told:
    """Tells this program when a file is there."""

    def __init__(self, upload: Upload, tell: Callable[[tuple[Upload, Any]], None]) -> None:
        self._upload = upload
        self._tell = tell

    def on_done(self, future: Any, **_: object) -> None:
        """Pass it on."""
        self._tell((self._upload, future))

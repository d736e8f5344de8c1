"""The emulator's own way to its S3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpo.testing.aws.account import OWN_ACCESS_KEY
from hpo.testing.aws.boto_session import session
from hpo.testing.aws.errors import JobFailure


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket, and a key or how keys begin."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def below(self, *names: str) -> Address:
        """Return the address that is deeper by these names."""
        parts = [part for part in (self.key.strip("/"), *names) if part]
        return Address(self.bucket, "/".join(parts))


class Objects:
    """S3 as the emulator's training jobs use it; its methods raise JobFailure as the platform words it."""

    def __init__(self, endpoint: str) -> None:
        from botocore.config import Config

        config = Config(max_pool_connections=32, s3={"addressing_style": "path"})
        self._client: Any = session(OWN_ACCESS_KEY, OWN_ACCESS_KEY).client(
            "s3", endpoint_url=endpoint, config=config
        )

    def keys(self, address: Address) -> Iterator[str]:
        """Yield the keys that begin with an address's, in order, without the markers of folders."""
        from botocore.exceptions import ClientError

        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=address.bucket, Prefix=address.key
        )
        try:
            for page in pages:
                for stored in page.get("Contents", ()):
                    if not stored["Key"].endswith("/"):
                        yield stored["Key"]
        except ClientError as error:
            raise JobFailure(f"ClientError: Data download failed:{_said(error)}: {address}") from None

    def download(self, address: Address, file: Path) -> None:
        """Have an object as a file."""
        from botocore.exceptions import ClientError

        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            body = self._client.get_object(Bucket=address.bucket, Key=address.key)["Body"]
        except ClientError as error:
            raise JobFailure(f"ClientError: Data download failed:{_said(error)}: {address}") from None
        with body, file.open("wb") as target:
            for chunk in body.iter_chunks(1 << 20):
                target.write(chunk)

    def read(self, address: Address) -> bytes:
        """Return an object's bytes."""
        from botocore.exceptions import ClientError

        try:
            with self._client.get_object(Bucket=address.bucket, Key=address.key)["Body"] as body:
                content: bytes = body.read()
        except ClientError as error:
            raise JobFailure(f"ClientError: Data download failed:{_said(error)}: {address}") from None
        return content

    def upload(self, file: Path, address: Address) -> None:
        """Have a file as an object."""
        from botocore.exceptions import ClientError

        try:
            with file.open("rb") as source:
                self._client.put_object(Bucket=address.bucket, Key=address.key, Body=source)
        except ClientError as error:
            raise JobFailure(f"ClientError: Artifact upload failed:{_said(error)}: {address}") from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _said(error: Any) -> str:
    answer = error.response["Error"]
    return f"{answer.get('Code')}: {answer.get('Message')}"

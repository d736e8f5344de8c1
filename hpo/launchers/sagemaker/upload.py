"""What lies here and training jobs need: brought to S3, once for the same content."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock
from typing import Any

from hpo.errors import CannotStart
from hpo.launchers import s3
from hpo.launchers.channels import channel_paths
from hpo.launchers.launcher import JobContext
from hpo.launchers.sagemaker.local_files import LocalFile, digest_of, files_below, stamp_of
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.pack import NAME, pack, source_files
from hpo.launchers.sagemaker.transfer import Bucket, Upload

DIGESTS = "uploads.json"
"""The file in a job's folder with the digests of what was read, so that it is not read at every start."""

_UNKNOWN = "DIGEST"


class Uploads:
    """The local channels and the program of a job, and their addresses in S3.

    An address has the content's digest in it. A channel is complete when the marker beside it is there,
    which is written last; an upload that was interrupted goes on with what is missing.
    """

    def __init__(
        self, context: JobContext, options: SageMakerOptions, client_factory: Callable[[], Any]
    ) -> None:
        self._context = context
        self._options = options
        self._client_factory = client_factory
        self._in_s3 = {name: given for name, given in context.inputs.items() if given.startswith(s3.SCHEME)}
        self._local = {name: path for name, path in channel_paths(context).items() if name not in self._in_s3}
        self._turn = Lock()
        self._stopped = Event()

    def planned(self, output: str) -> tuple[Mapping[str, str], str | None]:
        """Return the addresses as they would be, with a word for what only reading would tell."""
        local = {name: _channel(output, name, _UNKNOWN) for name in self._local}
        return self._ordered(local), self._given_source or (
            _source(output, _UNKNOWN) if self._options.is_script else None
        )

    def require(self, output: str) -> tuple[Mapping[str, str], str | None]:
        """Upload what is not there yet, and return each channel's address and that of the program.

        Raises LauncherError where it may do better later, CannotStart, and OSError where there is no room
        to pack.
        """
        with self._turn:
            packs = self._options.is_script and self._given_source is None
            if not self._local and not packs:
                return self._in_s3, self._given_source
            with Bucket.of(
                output, self._client_factory, self._stopped, key=self._options.output_key
            ) as bucket:
                local = {
                    name: self._channel(bucket, output, name, path) for name, path in self._local.items()
                }
                source = self._program(bucket, output) if packs else self._given_source
            return self._ordered(local), source

    def close(self) -> None:
        """Give up an upload that is under way; another one goes on from there."""
        self._stopped.set()

    @property
    def _given_source(self) -> str | None:
        given = self._options.source_dir
        return given if given is not None and given.startswith(s3.SCHEME) else None

    def _ordered(self, local: Mapping[str, str]) -> Mapping[str, str]:
        every = {**self._in_s3, **local}
        return {name: every[name] for name in self._context.inputs}

    def _channel(self, bucket: Bucket, output: str, name: str, path: Path) -> str:
        files = files_below(path)
        if not files:
            raise CannotStart(f"inputs.{name}: there is no file in {path}")
        address = _channel(output, name, self._digest(files))
        marker = f"{address.rstrip('/')}.complete"
        if bucket.has(marker):
            return address
        there = bucket.sizes(address)
        missing = [
            Upload(file.path, f"{address}{file.name}", file.check)
            for file in files
            if there.get(f"{address}{file.name}") != file.size
        ]
        if missing:
            amount = f"{len(files):,} file{'s' * (len(files) != 1)}, {_size(files)}"
            rest = f"; {len(there):,} there already" if there else ""
            self._context.say(f"uploading {path} ({amount}{rest}) for the channel {name} to {address}")
            bucket.upload(missing)
        bucket.put(marker, b"")
        return address

    def _program(self, bucket: Bucket, output: str) -> str:
        files = source_files(self._context, self._options)
        address = _source(output, self._digest(files))
        if not bucket.has(address):
            self._context.say(f"uploading {self._options.source_dir} ({_size(files)}) to {address}")
            with tempfile.NamedTemporaryFile(prefix="hpo-", suffix=NAME) as packed:
                pack(files, packed)
                packed.flush()
                bucket.upload([Upload(Path(packed.name), address)])
        return address

    def _digest(self, files: Sequence[LocalFile]) -> str:
        """Return the digest of files; those that look as they did when they were read are not read again."""
        kept = self._context.folder.absolute() / DIGESTS
        try:
            known: dict[str, str] = json.loads(kept.read_bytes())
        except (OSError, ValueError):
            known = {}
        stamp = stamp_of(files)
        if stamp not in known:
            known[stamp] = digest_of(files, self._stopped)
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(".draft")
            draft.write_text(json.dumps(known), encoding="utf-8")
            draft.replace(kept)
        return known[stamp]


def _size(files: Sequence[LocalFile]) -> str:
    return s3.size_text(sum(file.size for file in files))


def _channel(output: str, name: str, digest: str) -> str:
    return f"{output}/inputs/{name}-{digest}/"


def _source(output: str, digest: str) -> str:
    return f"{output}/source/{digest}/{NAME}"

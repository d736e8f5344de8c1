"""Standard output and error that may be closed at their other end while a job runs."""

from __future__ import annotations

import errno
import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutlivingFile(io.FileIO):
    """A file whose reader may go away: what is written after that is dropped."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write like any file, but to a closed pipe or terminal nothing."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.EIO}:
                raise
            return memoryview(data).nbytes


def outlive_readers() -> None:
    """Let what runs from here on go on without its readers: a job is worth more than its picture.

    A closed terminal sends a signal besides, which then ends the job in good order.
    """
    for name in ("stdout", "stderr"):
        if (stream := getattr(sys, name)) is not None:
            file = io.BufferedWriter(OutlivingFile(stream.fileno(), "wb", closefd=False))
            text = io.TextIOWrapper(file, stream.encoding, stream.errors, line_buffering=True)
            setattr(sys, name, text)

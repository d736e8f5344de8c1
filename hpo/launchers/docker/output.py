"""A container's output on its way from the engine."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from socket import SocketIO

import requests
import urllib3
from docker.utils.socket import frames_iter

from hpo.launchers.docker.copy import Stream
from hpo.launchers.docker.faults import understood

_FRAME = struct.Struct(">BxxxL")
"""What stands before each piece of an output: which stream it is of, and its size."""


class Attached:
    """A container's output as it is written, in pieces of either stream, until it ends or is closed."""

    def __init__(self, connection: SocketIO, address: str) -> None:
        self._connection = connection
        self._address = address

    def __iter__(self) -> Iterator[tuple[Stream, bytes]]:
        with understood(self._address):
            for stream, piece in frames_iter(self._connection, tty=False):
                yield Stream(stream), piece

    def end(self) -> None:
        """End the iteration in another thread."""
        _cut(self._connection)

    def close(self) -> None:
        """Let go of the connection."""
        response = getattr(self._connection, "_response", None)  # where the client keeps what can be closed
        if response is not None:
            response.close()
        self._connection.close()


class Told:
    """What a container's log holds of its output, in pieces of either stream, or what is added to it, too."""

    def __init__(self, response: requests.Response, address: str) -> None:
        self._response = response
        self._address = address

    def __iter__(self) -> Iterator[tuple[Stream, bytes]]:
        with understood(self._address), self._response:
            data = b""
            for chunk in self._response.iter_content(None):
                data, start = data + chunk, 0
                while len(data) >= start + _FRAME.size:
                    stream, size = _FRAME.unpack_from(data, start)
                    begin, end = start + _FRAME.size, start + _FRAME.size + size
                    if len(data) < end:
                        break
                    yield Stream(stream), data[begin:end]
                    start = end
                data = data[start:]

    def end(self) -> None:
        """End the iteration in another thread."""
        _cut(self._response.raw)


def _cut(connection: SocketIO | urllib3.BaseHTTPResponse) -> None:
    """End what is read from a connection in another thread."""
    with (
        contextlib.suppress(OSError, ValueError),  # it has ended already
        socket.socket(fileno=os.dup(connection.fileno())) as same,
    ):
        same.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class Started:
    """A container that was started, or was found; `at` is when this process started it."""

    container: str
    at: float | None = None
    output: Attached | None = None  # from its first byte on, where this process started it

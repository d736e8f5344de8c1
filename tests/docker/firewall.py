"""A way to an engine that can be cut without a word, as by a firewall that forgets its connections."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from types import TracebackType

_LOOK_EVERY = 0.05


class Firewall:
    """Passes connections from a local port on to an engine's socket, until they are cut."""

    def __init__(self, engine: str = "/var/run/docker.sock") -> None:
        firewall = self
        self._engine = engine
        self._cuts = 0
        self._closed = False

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                firewall.pass_on(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"tcp://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Firewall:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._server.shutdown()
        self._server.server_close()

    def cut(self) -> None:
        """Let nothing pass any more through the connections that there are; new ones work."""
        self._cuts += 1

    def pass_on(self, client: socket.socket) -> None:
        """Pass on what comes from either side, as long as the connection is not cut."""
        cuts = self._cuts
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self._engine)
            other = {client: engine, engine: client}
            while other and not self._closed:
                if cuts != self._cuts:
                    select.select([], [], [], _LOOK_EVERY)
                    continue
                for side in select.select(list(other), [], [], _LOOK_EVERY)[0]:
                    data = side.recv(2**16)
                    if data:
                        other[side].sendall(data)
                    else:
                        if side is engine:
                            return
                        other[side].shutdown(socket.SHUT_WR)
                        del other[side]

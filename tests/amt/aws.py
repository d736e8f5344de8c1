"""An AWS with tuning jobs, and one that refuses everything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hpo.testing.aws import Aws

REGION = "us-east-1"

_DEFAULTS = {
    "HyperParameterTuningJobStatus": "Completed",
    "CreationTime": 1.7e9,
    "TrainingJobStatusCounters": {},
    "ObjectiveStatusCounters": {},
}
"""What every description has."""


def add(
    aws: Aws,
    describe: Mapping[str, Any],
    trials: Sequence[Mapping[str, Any]] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Have a tuning job."""
    entries = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    aws.add_tuning_job({**_DEFAULTS, **describe}, trials, tags=entries)


def calls(aws: Aws) -> list[str]:
    """Return what was asked for, in its order."""
    return [request.operation for request in aws.requests]


@contextmanager
def refusing(status: int, code: str, message: str) -> Iterator[dict[str, str]]:
    """Give the environment in which AWS answers everything with this error."""

    class Refusal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"__type": code, "message": message}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}"}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

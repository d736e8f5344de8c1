"""An S3 on this machine: moto's server, with every request seen, and some held or answered otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import boto3
from moto.server import ThreadedMotoServer

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@dataclass
class Gate:
    """What stands before the server: notes requests, holds some, answers some itself."""

    server: Any
    requests: list[str] = field(default_factory=list)  # "GET /bucket/key"
    answers: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # by the request
    held: dict[str, threading.Event] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        listing = "list-type" in parse_qs(environ.get("QUERY_STRING", ""))
        request = f"{'LIST' if listing else environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        self.requests.append(request)
        if event := self.held.get(request):
            event.wait()
        if answer := self.answers.get(request):
            status, body = answer
            start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
            return [body]
        answered: Iterable[bytes] = self.server(environ, start_response)
        return answered


class S3Server:
    """The server, with a bucket; what a test changes is to be undone by `reset`."""

    bucket = "data"

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        http: Any = self._server._server
        self.gate = http.app = Gate(http.app)
        host, port = self._server.get_host_and_port()
        self.environment = {
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        session = boto3.Session(*CREDENTIALS.values())
        self._client = session.client(
            "s3", endpoint_url=self.environment["AWS_ENDPOINT_URL_S3"], region_name="us-east-1"
        )

    def put(self, objects: Mapping[str, bytes], **how: str) -> None:
        """Have objects in the bucket."""
        for key, body in objects.items():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, **how)

    def upload(self, key: str, body: bytes, part: int) -> None:
        """Have an object whose ETag is no MD5, because it came in parts."""
        where = {"Bucket": self.bucket, "Key": key}
        upload = self._client.create_multipart_upload(**where)["UploadId"]
        parts = [
            {
                "PartNumber": number,
                "ETag": self._client.upload_part(
                    **where, UploadId=upload, PartNumber=number, Body=body[start : start + part]
                )["ETag"],
            }
            for number, start in enumerate(range(0, len(body), part), start=1)
        ]
        self._client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})

    def gets(self, key: str) -> int:
        """Return how many times an object was asked for."""
        return self.gate.requests.count(f"GET /{self.bucket}/{key}")

    def lists(self) -> int:
        """Return how many times somebody asked what is in the bucket."""
        return self.gate.requests.count(f"LIST /{self.bucket}")

    def hold(self, key: str) -> threading.Event:
        """Answer no request for an object until the event is set."""
        return self.gate.held.setdefault(f"GET /{self.bucket}/{key}", threading.Event())

    def answer(self, request: str, status: str, body: bytes = b"") -> None:
        """Answer a request otherwise than S3 would."""
        self.gate.answers[request] = status, body

    def refuse(self, request: str, status: str, code: str) -> None:
        """Answer a request with an error of S3's."""
        self.answer(
            request, status, f"<Error><Code>{code}</Code><Message>it is so</Message></Error>".encode()
        )

    def reset(self) -> None:
        """Begin again with an empty bucket."""
        for event in self.gate.held.values():
            event.set()
        self.gate.held.clear()
        self.gate.answers.clear()
        for bucket in self._client.list_buckets()["Buckets"]:
            for stored in self._client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
                self._client.delete_object(Bucket=bucket["Name"], Key=stored["Key"])
        self._client.create_bucket(Bucket=self.bucket)
        self.gate.requests.clear()

    def stop(self) -> None:
        self._client.close()
        self._server.stop()

"""Requests told apart: which service, which operation."""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from hpo.testing.aws.account import OWN_ACCESS_KEY
from hpo.testing.aws.errors import ApiError
from hpo.testing.aws.shapes import model

_SCOPE = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/aws4_request")
_TARGETS = {"SageMaker": "sagemaker", "Logs_20140328": "logs", "AWSPriceListService": "pricing"}
_WIRE = frozenset({"x-id"})  # names an operation that its path and method already tell


@dataclass(frozen=True, slots=True)
class Call:
    """One request; its body where it is JSON, else None."""

    service: str
    operation: str
    document: Mapping[str, Any] | None
    access_key: str  # of who calls; "" where nobody signed

    @property
    def is_own(self) -> bool:
        """Whether the emulator itself calls."""
        return self.access_key == OWN_ACCESS_KEY


def call_of(environ: dict[str, Any]) -> Call:
    """Return what a request calls; it can be read again. Raises ApiError."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    user, service = (scope[1], scope[2]) if scope else ("", "s3")
    if user == OWN_ACCESS_KEY:
        return Call(service, "", None, user)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        service = _TARGETS.get(prefix, service)
        return Call(service, operation, _document(_body(environ)), user)
    if service == "s3":
        return Call(service, _s3_operation(environ), None, user)
    form = parse_qs(_body(environ).decode(errors="replace"))
    action = form.get("Action", [environ.get("PATH_INFO", "")])[0]
    return Call(service, action, None, user)


def _body(environ: dict[str, Any]) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", f"the request is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ApiError("SerializationException", "the request is no JSON object")
    return document


@functools.cache
def _s3_operations() -> Mapping[tuple[str, int, frozenset[str]], str]:
    """Return S3's operations by method, depth of the path and the query's fixed parts."""
    found: dict[tuple[str, int, frozenset[str]], str] = {}
    for name in model("s3").operation_names:
        http = model("s3").operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        depth = path.count("{")
        found.setdefault((http["method"], depth, frozenset(filter(None, query.split("&")))), name)
    # Where two operations differ by a header or an optional part alone, the plain one is meant.
    found["PUT", 2, frozenset()] = "PutObject"
    found["GET", 2, frozenset()] = "GetObject"
    found["DELETE", 2, frozenset()] = "DeleteObject"
    found["GET", 1, frozenset()] = "ListObjects"
    found["GET", 0, frozenset()] = "ListBuckets"
    return found


def _s3_operation(environ: Mapping[str, Any]) -> str:
    bucket, _, key = environ.get("PATH_INFO", "/").lstrip("/").partition("/")
    depth = (bucket != "") + (key != "")
    method = environ["REQUEST_METHOD"]
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if method == "PUT" and depth == 2:
        is_copy = "HTTP_X_AMZ_COPY_SOURCE" in environ
        if "partNumber" in query:
            return "UploadPartCopy" if is_copy else "UploadPart"
        if is_copy:
            return "CopyObject"
    if "uploadId" in query:
        others = {"POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload", "GET": "ListParts"}
        if method in others:
            return others[method]
    given = {name if not values[0] else f"{name}={values[0]}" for name, values in query.items()} - _WIRE
    parts = given | set(query)
    fitting = [
        (len(fixed), name)
        for (each, depths, fixed), name in _s3_operations().items()
        if each == method and depths == depth and fixed <= parts
    ]
    return max(fitting)[1] if fitting else f"{method} {depth}"

"""What answers a request: the emulator itself, or moto behind it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from hpo.testing.aws.calls import Call, call_of
from hpo.testing.aws.errors import ApiError
from hpo.testing.aws.faults import Faults, server_error
from hpo.testing.aws.shapes import check_request, model

Answerer = Callable[[Call], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Request:
    """One call, and how it was answered."""

    service: str
    operation: str
    at: float  # monotonic seconds
    status: int
    access_key: str = ""  # of who called; "" where nobody signed


class Gate:
    """The WSGI application: notes every request, lets faults befall it, has it answered."""

    def __init__(self, moto: Any) -> None:
        self._moto = moto
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.faults: Faults | None = None  # None while nothing is to be answered
        self.answer: Answerer = lambda _: None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        at = time.monotonic()
        faults = self.faults
        call: Call | None = None
        try:
            if faults is None:
                raise ApiError("ServiceUnavailable", "the emulator has stopped", status=503)
            call = call_of(environ)
            if call.is_own:
                passed: Iterable[bytes] = self._moto(environ, start_response)
                return passed
            is_lost = faults.befall(call)
            if call.service == "sagemaker":
                _check(call)
            answer = self.answer(call)
            if answer is None:
                if is_lost:
                    raise server_error()
                return self._passed(environ, start_response, call, at)
            if is_lost:
                raise server_error()
        except ApiError as error:
            self._note(call, at, error.status)
            return _refused(error, call.service if call else "", start_response)
        self._note(call, at, 200)
        return _answered(200, json.dumps(answer).encode(), _json(), start_response)

    def _passed(self, environ: dict[str, Any], start_response: Any, call: Call, at: float) -> Iterable[bytes]:
        """Have moto answer, and note how it did."""

        def noting(status: str, *rest: Any) -> Any:
            self._note(call, at, int(status.split(maxsplit=1)[0]))
            return start_response(status, *rest)

        answered: Iterable[bytes] = self._moto(environ, noting)
        return answered

    def _note(self, call: Call | None, at: float, status: int) -> None:
        """Note a request; None: it could not be read."""
        told = (call.service, call.operation) if call else ("", "")
        with self._lock:
            self.requests.append(Request(*told, at, status, call.access_key if call else ""))


def _check(call: Call) -> None:
    if call.document is None or call.operation not in model("sagemaker").operation_names:
        raise ApiError("UnknownOperationException", f"there is no operation {call.operation}")
    check_request("sagemaker", call.operation, call.document)


def _json() -> list[tuple[str, str]]:
    return [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", str(uuid4()))]


def _refused(error: ApiError, service: str, start_response: Any) -> Iterable[bytes]:
    code, message = escape(error.code), escape(error.message)
    xml = [("Content-Type", "text/xml")]
    match service:
        case "s3" | "":
            body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return _answered(error.status, body.encode(), xml, start_response)
        case "sts":
            body = (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                f"<RequestId>{uuid4()}</RequestId></ErrorResponse>"
            )
            return _answered(error.status, body.encode(), xml, start_response)
        case _:
            headers = [*_json(), ("x-amzn-ErrorType", error.code)]
            document = {"__type": error.code, "message": error.message}
            return _answered(error.status, json.dumps(document).encode(), headers, start_response)


def _answered(
    status: int, body: bytes, headers: list[tuple[str, str]], start_response: Any
) -> Iterable[bytes]:
    phrase = HTTPStatus(status).phrase
    start_response(f"{status} {phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]

"""What goes wrong with an engine, in our errors."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator

import docker.errors
import requests.exceptions
import urllib3.exceptions
from docker.errors import create_api_error_from_http_exception

from hpo.errors import LauncherError

_NO_ANSWER = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    docker.errors.DockerException,
    ConnectionError,
    TimeoutError,
)


class EngineDown(LauncherError):
    """The engine does not answer; it may later."""


class NameTaken(LauncherError):
    """There is a container of that name already."""


class ContainerGone(LauncherError):
    """There is no such container, or no such thing in it."""


class ImageMissing(LauncherError):
    """The engine does not have the image."""


@contextlib.contextmanager
def understood(address: str) -> Iterator[None]:
    """Turn the errors of Docker's client into ours: EngineDown, ContainerGone, LauncherError."""
    try:
        yield
    except (docker.errors.NotFound, docker.errors.ImageNotFound) as error:
        raise ContainerGone(words(error)) from error
    except docker.errors.APIError as error:
        raise LauncherError(words(error)) from error
    except _NO_ANSWER as error:
        raise EngineDown(f"the Docker engine at {address} does not answer: {_cause(error)}") from error


def raise_refusal(response: requests.Response) -> None:
    """Raise the client's error for an answer that is a refusal."""
    if not response.ok:
        create_api_error_from_http_exception(requests.exceptions.HTTPError(response=response))


def words(error: docker.errors.APIError) -> str:
    """Return an engine's words on why it refuses."""
    return str(error.explanation or error).strip()


def _cause(error: BaseException) -> str:
    """Return the innermost reason of an error, which says more than its wrappings."""
    reason: object = error
    seen: set[int] = set()
    while isinstance(reason, BaseException) and id(reason) not in seen:
        seen.add(id(reason))
        inner = next((each for each in reversed(reason.args) if isinstance(each, BaseException)), None)
        inner = inner or reason.__cause__ or getattr(reason, "reason", None)
        if not isinstance(inner, BaseException):
            break
        reason = inner
    return (reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)).strip()

"""How S3 is reached, by boto3's own rules, and what its refusals mean; boto3 is imported only then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

from hpo.errors import CannotStart, LauncherError

if TYPE_CHECKING:
    from hpo.launchers.s3 import Address

_PATIENCE = 20
"""Seconds without a byte after which a connection is given up; also for which a stop may have to wait."""

_PASSING = frozenset({"NoSuchKey", "PreconditionFailed", "RequestTimeout", "SlowDown", "Throttling"})
_NO_CREDENTIALS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"})
_LOG_IN = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`"


def raise_if(stopped: Event) -> None:
    """Raise LauncherError once a download is stopped."""
    if stopped.is_set():
        raise LauncherError("the download was stopped")


@contextmanager
def client_for(address: Address, stopped: Event, *, attempts: int | None = None) -> Iterator[Any]:
    """Give a client of S3, by boto3's own rules; what goes wrong with it is raised as LauncherError."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
        from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError
    except ImportError as error:
        raise CannotStart(f"reading {address} needs boto3: pip install 'hpo[aws]'") from error
    retries = {"retries": {"total_max_attempts": attempts}} if attempts else {}
    try:
        # A session of its own, so that credentials that were renewed meanwhile are seen.
        client = boto3.Session().client(
            "s3", config=Config(connect_timeout=_PATIENCE, read_timeout=_PATIENCE, **retries)
        )
        client.meta.events.register("before-send.s3", lambda **_: raise_if(stopped))  # nor is it tried again
        try:
            yield client
        finally:
            client.close()
    except ClientError as error:
        raise _refused(address, error.response) from error
    except (RetriesExceededError, S3DownloadFailedError) as error:
        raise LauncherError(f"{address} cannot be downloaded at the moment: {error}") from error
    except BotoCoreError as error:
        raise _failed(address, error) from error


def _refused(address: Address, response: Mapping[str, Any]) -> LauncherError:
    """Return what S3's refusal means."""
    code, said = str(response["Error"].get("Code", "")), str(response["Error"].get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    words = f"{code}: {said}" if said else code
    if code == "NoSuchBucket":
        return CannotStart(f"there is no bucket {address.bucket} in S3; `aws s3 ls` shows yours")
    if code in _PASSING or status == 429 or status >= 500:
        return LauncherError(f"{address} cannot be read at the moment ({words})")
    if code in _NO_CREDENTIALS:
        return CannotStart(f"S3 does not take the credentials for {address} ({words}); {_LOG_IN}")
    if status == 403:
        return CannotStart(
            f"access to {address} is denied ({words}); the credentials need s3:ListBucket on the bucket "
            "and s3:GetObject on its objects"
        )
    return CannotStart(f"{address} cannot be read ({words})")


def _failed(address: Address, error: Exception) -> LauncherError:
    """Return what boto3's own error means."""
    from botocore import exceptions

    passing = (
        exceptions.HTTPClientError,
        exceptions.ConnectionError,
        exceptions.IncompleteReadError,
        exceptions.FlexibleChecksumError,
    )
    if isinstance(error, passing):
        return LauncherError(f"{address} cannot be reached: {error}")
    credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )
    hint = f"; {_LOG_IN}" if isinstance(error, credentials) else ""
    return CannotStart(f"{address} cannot be read: {str(error).rstrip('.')}{hint}")

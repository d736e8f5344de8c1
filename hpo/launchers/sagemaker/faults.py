"""What AWS's refusals mean for a launcher.

Fault                       a call failed
├── Unanswered              it may do better in a moment: throttled, a failure of the service or the network
│   └── Throttled
├── LoginNeeded             the credentials are missing, expired or wrong: the job waits for new ones
├── Denied                  the credentials lack a permission
├── QuotaReached            the account may use no more of these machines at the moment
├── NameTaken               there is a training job of that name
├── Unknown                 there is no such thing
└── Refused                 AWS says that the request is wrong
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo.errors import CannotStart, LauncherError, NoCapacity

_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_LOGIN = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})
_PERMISSIONS = {
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "GetProducts": "pricing:GetProducts",
}
"""The permissions that calls need which have other names."""

_LOG_IN = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`"


class Fault(LauncherError):
    """A call to AWS failed."""


class Unanswered(Fault):
    """AWS could not be reached, or failed itself: the same call may do better in a moment."""


class Throttled(Unanswered):
    """AWS was asked too fast."""


class LoginNeeded(Fault, NoCapacity):
    """AWS does not take the credentials; what waits goes on when there are others."""


class Denied(Fault, CannotStart):
    """The credentials lack a permission."""


class QuotaReached(Fault, NoCapacity):
    """The account may use no more of these machines at the moment."""


class NameTaken(Fault):
    """There is a training job of that name already; no name is free again."""


class Unknown(Fault):
    """There is no such training job, or log stream."""


class Refused(Fault, CannotStart):
    """The request is wrong."""


def fault(error: Exception, operation: str) -> Fault:
    """Return what an exception of boto3's means; `operation` is what was asked for, in AWS's words."""
    from botocore import exceptions

    match error:
        case exceptions.ClientError():
            return _of_answer(error.response, operation)
        case (
            exceptions.NoCredentialsError()
            | exceptions.PartialCredentialsError()
            | exceptions.CredentialRetrievalError()
            | exceptions.TokenRetrievalError()
            | exceptions.SSOError()
        ):
            return LoginNeeded(f"there are no valid AWS credentials ({_words(error)}); {_LOG_IN}")
        case exceptions.ProfileNotFound():
            return LoginNeeded(f"{_words(error)}; `aws configure list-profiles` shows those that there are")
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | exceptions.IncompleteReadError():
            return Unanswered(f"AWS cannot be reached: {_words(error)}")
        case exceptions.NoRegionError():
            return Refused("no AWS region is set; set launcher.region, or AWS_DEFAULT_REGION")
        case _:
            return Refused(f"{operation} cannot be asked for: {_words(error)}")


def _of_answer(response: Mapping[str, Any], operation: str) -> Fault:  # noqa: PLR0911 -- one for each class
    code, said = str(response["Error"].get("Code", "")), str(response["Error"].get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    words = f"{code}: {said}" if said else code
    if code in _THROTTLED or status == 429:
        return Throttled(f"AWS is asked for {operation} too fast ({words})")
    if code in _LOGIN:
        return LoginNeeded(f"AWS does not take the credentials ({words}); renew them: {_LOG_IN}")
    if code in _DENIED or status == 403:
        name, _, where = operation.partition(" ")
        needed = f"{_PERMISSIONS.get(name, name)} {where}".strip()
        return Denied(f"{needed} is not permitted ({words}); docs/sagemaker.md has the policy it needs")
    if code == "ResourceLimitExceeded":
        return QuotaReached(words)
    if code == "ResourceInUse":
        return NameTaken(words)
    if "ResourceNotFound" in code or "Requested resource not found" in said:
        return Unknown(words)
    if status >= 500 or code in {"InternalFailure", "ServiceUnavailable", "ServiceUnavailableException"}:
        return Unanswered(f"AWS failed at {operation} ({words})")
    return Refused(f"AWS refuses {operation} ({words})")


def _words(error: Exception) -> str:
    return str(error).rstrip(".")

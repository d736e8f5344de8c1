"""Calls that are refused, or whose answers are lost, as the settings have it."""

from __future__ import annotations

import random
import threading
import time

from hpo.testing.aws.account import ACCOUNT, REGION, USER, arn
from hpo.testing.aws.calls import Call
from hpo.testing.aws.errors import ApiError
from hpo.testing.aws.settings import AwsSettings, Fault

_LOSABLE = frozenset({"CreateTrainingJob", "StopTrainingJob"})
_PREFIXES = {"logs": "logs", "pricing": "pricing", "sts": "sts", "s3": "s3"}
_S3_PERMISSIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
}


class Faults:
    """What befalls calls."""

    def __init__(self, settings: AwsSettings, chance: random.Random) -> None:
        self._settings = settings
        self._chance = chance
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # calls left, and when that was so

    def befall(self, call: Call) -> bool:
        """Return whether a call's answer is lost after it was performed. Raises ApiError."""
        is_s3 = call.service == "s3"
        if self._settings.expired:
            raise _expired(call.service)
        for action, resource in _needed(call):
            if not {action, action.partition(":")[2]}.isdisjoint(self._settings.denied):
                raise _denied(action, resource, is_s3=is_s3)
        with self._lock:
            match self._fault(call):
                case None:
                    return False
                case Fault.THROTTLED if is_s3:
                    raise ApiError("SlowDown", "Please reduce your request rate.", status=503)
                case Fault.THROTTLED:
                    raise ApiError("ThrottlingException", "Rate exceeded")
                case Fault.SERVER_ERROR:
                    raise server_error()
                case Fault.ANSWER_LOST:
                    return True

    def _fault(self, call: Call) -> Fault | None:
        settings, chance = self._settings, self._chance.random
        if planned := settings.faults.get(call.operation):
            return planned.pop(0)
        if (rate := settings.rates.get(call.operation)) is not None and not self._is_within(
            call.operation, rate
        ):
            return Fault.THROTTLED
        if call.service == "s3":
            return Fault.THROTTLED if settings.s3_errors and chance() < settings.s3_errors else None
        if settings.throttling and chance() < settings.throttling:
            return Fault.THROTTLED
        if settings.server_errors and chance() < settings.server_errors:
            is_lost = call.operation in _LOSABLE and chance() < 0.5
            return Fault.ANSWER_LOST if is_lost else Fault.SERVER_ERROR
        return None

    def _is_within(self, operation: str, rate: float) -> bool:
        now, most = time.monotonic(), max(1.0, rate)
        left, since = self._buckets.get(operation, (most, now))
        left = min(most, left + (now - since) * rate)
        self._buckets[operation] = (left - 1, now) if left >= 1 else (left, now)
        return left >= 1


def server_error() -> ApiError:
    """Return the answer of a service that has failed."""
    return ApiError(
        "InternalFailure", "The request processing has failed because of an internal error.", status=500
    )


def _needed(call: Call) -> list[tuple[str, str]]:
    """Return the permissions that a call needs, each with the resource it is about."""
    document = call.document or {}
    operation = call.operation
    if call.service == "s3":
        operation = _S3_PERMISSIONS.get(operation, operation)
    action = f"{_PREFIXES.get(call.service, call.service)}:{operation}"
    name = document.get("TrainingJobName")
    resource = arn("training-job", str(name)) if name else "*"
    if call.service == "logs":
        group, stream = document.get("logGroupName", "*"), document.get("logStreamName", "")
        resource = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"
    needed = [(action, resource)]
    if operation == "CreateTrainingJob":
        needed.append(("iam:PassRole", str(document.get("RoleArn"))))
        if document.get("Tags"):
            needed.append(("sagemaker:AddTags", resource))
    return needed


def _denied(action: str, resource: str, *, is_s3: bool) -> ApiError:
    text = (
        f"User: {USER} is not authorized to perform: {action} on resource: {resource} because no "
        f"identity-based policy allows the {action} action"
    )
    return ApiError("AccessDenied" if is_s3 else "AccessDeniedException", text, status=403 if is_s3 else 400)


def _expired(service: str) -> ApiError:
    match service:
        case "s3":
            return ApiError("ExpiredToken", "The provided token has expired.")
        case "sts":
            return ApiError(
                "ExpiredToken", "The security token included in the request is expired", status=403
            )
        case _:
            return ApiError("ExpiredTokenException", "The security token included in the request is expired")

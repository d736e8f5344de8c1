"""Tags of training and tuning jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hpo.testing.aws.errors import invalid

_MOST = 50


class Tags:
    """Tags by ARN."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self.operations = {"AddTags": self._add, "ListTags": self._list, "DeleteTags": self._delete}

    @staticmethod
    def is_own(request: Mapping[str, Any]) -> bool:
        """Return whether a request is about a resource whose tags are kept here."""
        arn = str(request.get("ResourceArn", ""))
        return ":training-job/" in arn or ":hyper-parameter-tuning-job/" in arn

    def add(self, arn: str, tags: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
        """Add to a resource's tags, and return all. Raises ApiError."""
        new = checked(tags)
        whole = self._tags.get(arn, {}) | new
        if len(whole) > _MOST:
            raise invalid(f"The number of tags exceeds {_MOST}.")
        self._tags[arn] = whole
        return self._rows(arn)

    def _add(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Tags": self.add(request["ResourceArn"], request["Tags"])}

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        rows = self._rows(request["ResourceArn"])
        size, start = request.get("MaxResults", _MOST), int(request.get("NextToken", 0))
        more = {"NextToken": str(start + size)} if len(rows) > start + size else {}
        return {"Tags": rows[start : start + size]} | more

    def _delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        for key in request["TagKeys"]:
            self._tags.get(request["ResourceArn"], {}).pop(key, None)
        return {}

    def _rows(self, arn: str) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self._tags.get(arn, {}).items()]


def checked(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags by their keys. Raises ApiError for a key that is AWS's own."""
    new = {tag["Key"]: tag["Value"] for tag in tags}
    if reserved := [key for key in new if key.lower().startswith("aws:")]:
        raise invalid(f"The tag key {reserved[0]} is reserved: aws: prefixed tag keys cannot be set.")
    return new

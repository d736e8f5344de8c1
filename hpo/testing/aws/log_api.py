"""CloudWatch Logs' operations on the training jobs' group."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hpo.testing.aws.account import ACCOUNT, REGION
from hpo.testing.aws.errors import ApiError
from hpo.testing.aws.log_store import GROUP, Event, LogStore, Stream

_PAGE_BYTES = 1 << 20
_EVENT_BYTES = 26  # that each event counts beside its message
_PAGE_EVENTS = 10_000
_TOKEN = re.compile(r"([fb])/(\d{56})")


class LogApi:
    """What can be asked of the group; the other groups are moto's."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs
        self.operations = {
            "GetLogEvents": self._events,
            "DescribeLogStreams": self._streams,
            "FilterLogEvents": self._filter,
        }

    @staticmethod
    def is_own(request: Mapping[str, Any]) -> bool:
        """Return whether a request is about the group."""
        group = str(request.get("logGroupName") or request.get("logGroupIdentifier", ""))
        return group == GROUP or group.endswith(f":log-group:{GROUP}")

    def _events(self, request: Mapping[str, Any]) -> dict[str, Any]:
        events = list(_within(self._stream(request["logStreamName"]).events, request))
        limit = min(request.get("limit", _PAGE_EVENTS), _PAGE_EVENTS)
        token = request.get("nextToken")
        if token is None:
            is_forward = request.get("startFromHead", False)
            position = 0
        else:
            if (match := _TOKEN.fullmatch(token)) is None:
                raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
            is_forward, position = match[1] == "f", int(match[2])
            events = [
                event for event in events if (event.id > position if is_forward else event.id < position)
            ]
        page = _page(events, limit) if is_forward else _page(events[::-1], limit)[::-1]
        first, last = (page[0].id, page[-1].id) if page else (position, position)
        return {
            "events": [_row(event) for event in page],
            "nextForwardToken": f"f/{last:056d}",
            "nextBackwardToken": f"b/{first:056d}",
        }

    def _streams(self, request: Mapping[str, Any]) -> dict[str, Any]:
        streams = self._logs.streams()
        if not streams:
            raise _no_such("group")
        prefix = request.get("logStreamNamePrefix", "")
        is_by_time = request.get("orderBy", "LogStreamName") == "LastEventTime"
        if is_by_time and prefix:
            raise ApiError(
                "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."
            )
        rows = sorted(
            (stream for stream in streams if stream.name.startswith(prefix)),
            key=lambda stream: (stream.events[-1].timestamp if is_by_time else 0, stream.name),
            reverse=request.get("descending", False),
        )
        start, size = _start(request.get("nextToken")), request.get("limit", 50)
        more = {"nextToken": _token(start + size)} if len(rows) > start + size else {}
        return {"logStreams": [_described(stream) for stream in rows[start : start + size]]} | more

    def _filter(self, request: Mapping[str, Any]) -> dict[str, Any]:
        streams = self._logs.streams()
        if not streams:
            raise _no_such("group")
        prefix, names = request.get("logStreamNamePrefix", ""), request.get("logStreamNames")
        pattern = request.get("filterPattern", "").strip('"')
        found = sorted(
            (event, stream.name)
            for stream in streams
            if stream.name.startswith(prefix) and (names is None or stream.name in names)
            for event in _within(stream.events, request)
            if pattern in event.message
        )
        start = _start(request.get("nextToken"))
        page = _page([event for event, _ in found[start:]], request.get("limit", _PAGE_EVENTS))
        end = start + len(page)
        rows = [
            _row(event) | {"eventId": f"{event.id:056d}", "logStreamName": name}
            for event, name in found[start:end]
        ]
        more = {"nextToken": _token(end)} if len(found) > end else {}
        return {"events": rows, "searchedLogStreams": []} | more

    def _stream(self, name: str) -> Stream:
        if (stream := self._logs.stream(name)) is not None:
            return stream
        raise _no_such("stream" if self._logs.streams() else "group")


def _within(events: Iterable[Event], request: Mapping[str, Any]) -> Iterable[Event]:
    """Return the events from startTime on and before endTime, as CloudWatch Logs has it."""
    start, end = request.get("startTime", 0), request.get("endTime")
    return (event for event in events if event.timestamp >= start and (end is None or event.timestamp < end))


def _page(events: list[Event], limit: int) -> list[Event]:
    size = 0
    for count, event in enumerate(events[:limit]):
        size += len(event.message.encode()) + _EVENT_BYTES
        if size > _PAGE_BYTES and count:
            return events[:count]
    return events[:limit]


def _row(event: Event) -> dict[str, Any]:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}


def _described(stream: Stream) -> dict[str, Any]:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "firstEventTimestamp": stream.events[0].timestamp,
        "lastEventTimestamp": stream.events[-1].timestamp,
        "lastIngestionTime": max(event.ingested for event in stream.events),
        "uploadSequenceToken": "0",
        "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:log-stream:{stream.name}",
        "storedBytes": 0,
    }


def _no_such(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"The specified log {what} does not exist.")


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(start).encode()).decode()


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token)))
    except ValueError:
        raise ApiError("InvalidParameterException", "The specified nextToken is invalid.") from None

"""Lists in pages, as SageMaker's List operations give them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hpo.testing.aws.errors import invalid

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, and the answer's NextToken if there are more."""

    rows: list[Row]
    next: dict[str, str]


def listed(
    rows: Iterable[Row],
    request: Mapping[str, Any],
    order: Callable[[Row], tuple[Any, ...]],
    *,
    default_size: int,
    default_order: str = "Ascending",
) -> Page[Row]:
    """Return the page that a request asks for; a token stands for the last row before it. Raises ApiError."""
    is_descending = request.get("SortOrder", default_order) == "Descending"
    whole = sorted(rows, key=order, reverse=is_descending)
    if token := request.get("NextToken"):
        try:
            last = tuple(json.loads(base64.urlsafe_b64decode(token)))
            whole = [row for row in whole if (order(row) < last if is_descending else order(row) > last)]
        except (ValueError, TypeError):
            raise invalid("The token in the request is invalid.") from None
    size = request.get("MaxResults", default_size)
    page = whole[:size]
    if len(whole) <= size:
        return Page(page, {})
    token = base64.urlsafe_b64encode(json.dumps(order(page[-1])).encode()).decode()
    return Page(page, {"NextToken": token})


def matches_times(request: Mapping[str, Any], name: str, value: float) -> bool:
    """Return whether a time is within the bounds that a request gives for it."""
    low, high = request.get(f"{name}After"), request.get(f"{name}Before")
    return (low is None or value >= low) and (high is None or value <= high)

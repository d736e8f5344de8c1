"""What training machines cost: as the spec says, else as AWS's price list does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

PRICE_LIST_REGION = "us-east-1"
"""Where AWS's price list of all regions can be asked; it is in few of them."""

GRACE_SECONDS = 120.0
"""For so long a training job that has used up its time may go on, to end by itself."""

_MOST_PAGES = 10


def hourly_prices(
    types: Sequence[str], *, given: Mapping[str, float], ask: Callable[[str], float | None]
) -> dict[str, float]:
    """Return the price of each type of machine, in USD an hour, as far as one is known.

    `given` are the prices of the spec (`launcher.prices`); `ask` is asked for no other types than those
    that it lacks.
    """
    prices: dict[str, float] = {}
    for kind in dict.fromkeys(types):
        price = given[kind] if kind in given else ask(kind)
        if price is not None:
            prices[kind] = price
    return prices


def worst(
    alternatives: Sequence[Mapping[str, int]],
    prices: Mapping[str, float],
    *,
    run_seconds: float,
    keep_alive_seconds: float = 0.0,
) -> float | None:
    """Return what one training job can cost at the most, in USD; None where a price is missing.

    Each of the `alternatives` are the machines that it may get, type → number: one for each type it may
    fall back to, or all types of its instance groups together. They are charged while it runs, and while
    they are kept ready after that.
    """
    if not alternatives or any(kind not in prices for machines in alternatives for kind in machines):
        return None
    hours = (run_seconds + GRACE_SECONDS + keep_alive_seconds) / 3600.0
    return hours * max(
        sum(prices[kind] * count for kind, count in machines.items()) for machines in alternatives
    )


def price_list_client() -> Any:
    """Return a client of AWS's price list, with the credentials that boto3 finds."""
    import boto3

    return boto3.client("pricing", region_name=PRICE_LIST_REGION)


class PriceList:
    """AWS's list of on-demand prices, for training in one region.

    Asking needs `pricing:GetProducts`. Source: the price list's offer for AmazonSageMaker, whose products
    have the attributes regionCode, instanceName and component.
    """

    def __init__(self, region: str, client: Callable[[], Any] = price_list_client) -> None:
        self._region = region
        self._client = client

    def ask(self, kind: str) -> float | None:
        """Return the price of a type of machine, in USD an hour.

        None where it has none, or where the list cannot be asked, as for want of permission.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            prices = [price for product in self._products(kind) for price in training_prices(product)]
        except (BotoCoreError, ClientError, ValueError):  # also a text that is not the JSON it should be
            return None
        return max(prices, default=None)

    def _products(self, kind: str) -> Iterator[str]:
        client = self._client()
        wanted = {"regionCode": self._region, "instanceName": kind}
        filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()]
        more: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = client.get_products(ServiceCode="AmazonSageMaker", Filters=filters, **more)
            yield from answer["PriceList"]
            if not answer.get("NextToken"):
                return
            more = {"NextToken": answer["NextToken"]}


def training_prices(product: str) -> Iterator[float]:
    """Yield the on-demand prices of a product of the price list, in USD an hour; none if not for training.

    The component is also filtered for here: the list has it as `component`, and had as `platoinstancetype`.
    Raises ValueError for a text that is no JSON.
    """
    entry = json.loads(product)
    attributes = entry.get("product", {}).get("attributes", {})
    if "Training" not in {attributes.get("component"), attributes.get("platoinstancetype")}:
        return
    for term in entry.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            price = float(dimension.get("pricePerUnit", {}).get("USD") or 0.0)
            if price > 0.0 and dimension.get("unit") in {"Hrs", "Hours", "hours", "hrs"}:
                yield price

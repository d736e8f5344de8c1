"""AWS's price list, as far as training on some instance types goes; the prices are examples."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hpo.testing.aws.errors import ApiError

PRICES: Mapping[str, float] = {
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
    "ml.g4dn.xlarge": 0.736,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.p3.2xlarge": 3.825,
}
"""US dollars an hour, by instance type."""

_REGIONS = {"us-east-1": ("US East (N. Virginia)", "USE1"), "eu-west-1": ("EU (Ireland)", "EU")}
_COMPONENTS = {"Training": "Train", "Hosting": "Host", "Processing": "Process"}
_PAGE = 100


class PricingApi:
    """GetProducts of AmazonSageMaker."""

    def __init__(self) -> None:
        self.operations = {"GetProducts": self._products}

    def _products(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request["ServiceCode"] != "AmazonSageMaker":
            raise ApiError("NotFoundException", f"Invalid Service Code: {request['ServiceCode']}")
        filters = request.get("Filters", ())
        if other := [each["Type"] for each in filters if each["Type"] != "TERM_MATCH"]:
            raise ApiError("InvalidParameterException", f"the filter type {other[0]} is not emulated")
        found = [
            product
            for product in _catalogue()
            if all(_has(product, each["Field"], each["Value"]) for each in filters)
        ]
        start, size = int(request.get("NextToken", 0)), request.get("MaxResults", _PAGE)
        more = {"NextToken": str(start + size)} if len(found) > start + size else {}
        rows = [json.dumps(product) for product in found[start : start + size]]
        return {"FormatVersion": "aws_v1", "PriceList": rows} | more


def _has(product: Mapping[str, Any], field: str, value: str) -> bool:
    described = product["product"]
    attributes = {name.lower(): each for name, each in described["attributes"].items()}
    attributes |= {"productfamily": described["productFamily"], "servicecode": product["serviceCode"]}
    return str(attributes.get(field.lower(), "")).lower() == value.lower()


def _catalogue() -> list[dict[str, Any]]:
    return [
        _product(kind, price, region, component)
        for region in _REGIONS
        for component in _COMPONENTS
        for kind, price in PRICES.items()
    ]


def _product(kind: str, price: float, region: str, component: str) -> dict[str, Any]:
    location, code = _REGIONS[region]
    sku = hashlib.sha256(f"{kind} {region} {component}".encode()).hexdigest()[:16].upper()
    return {
        "product": {
            "productFamily": "ML Instance",
            "attributes": {
                "instanceName": kind,
                "instanceType": f"{kind}-{component}",
                "platoinstancename": kind,
                "platoinstancetype": component,
                "component": component,
                "regionCode": region,
                "location": location,
                "locationType": "AWS Region",
                "operation": "RunInstance",
                "usagetype": f"{code}-{_COMPONENTS[component]}:{kind}",
                "servicecode": "AmazonSageMaker",
                "servicename": "Amazon SageMaker",
            },
            "sku": sku,
        },
        "serviceCode": "AmazonSageMaker",
        "terms": {"OnDemand": _on_demand(sku, price, f"{component} {kind} hour in {location}")},
        "version": "20250101000000",
        "publicationDate": "2025-01-01T00:00:00Z",
    }


def _on_demand(sku: str, price: float, what: str) -> dict[str, Any]:
    """Return what a product costs by the hour, without any commitment."""
    term, rate = f"{sku}.JRTCKXETXF", f"{sku}.JRTCKXETXF.6YS6EN2CT7"
    dimension = {
        "unit": "Hrs",
        "endRange": "Inf",
        "description": f"${price} per {what}",
        "appliesTo": [],
        "rateCode": rate,
        "beginRange": "0",
        "pricePerUnit": {"USD": f"{price:.10f}"},
    }
    return {
        term: {
            "priceDimensions": {rate: dimension},
            "sku": sku,
            "effectiveDate": "2025-01-01T00:00:00Z",
            "offerTermCode": "JRTCKXETXF",
            "termAttributes": {},
        }
    }

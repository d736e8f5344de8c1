"""Prices of training machines: the spec's, else those of AWS's price list, asked over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config

from hpo.launchers.sagemaker.prices import PriceList, hourly_prices, worst

CONFIGS = Path(__file__).parents[2] / "configs"

Answer = Callable[[dict[str, Any]], tuple[int, Mapping[str, object]]]


def product(component: str, *prices: str, kind: str = "ml.m5.xlarge", unit: str = "Hrs") -> str:
    """Return an entry of the price list in its shape of 2024, with these on-demand prices."""
    dimensions = {
        f"SKU.JRTCKXETXF.{place}": {"unit": unit, "pricePerUnit": {"USD": price}, "beginRange": "0"}
        for place, price in enumerate(prices)
    }
    return json.dumps(
        {
            "product": {
                "productFamily": "ML Instance",
                "attributes": {"instanceName": kind, "regionCode": "eu-west-1", "component": component},
            },
            "serviceCode": "AmazonSageMaker",
            "terms": {"OnDemand": {"SKU.JRTCKXETXF": {"priceDimensions": dimensions}}},
        }
    )


class Server:
    """A price list that answers as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: (200, {"PriceList": []})
        self.asked: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["X-Amz-Target"] == "AWSPriceListService.GetProducts"
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(request)
                status, answer = outer.answer(request)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def client(self) -> Any:
        return boto3.client(
            "pricing",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self._http.server_port}",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def price_list(server: Server) -> PriceList:
    return PriceList("eu-west-1", server.client)


def test_the_price_of_training_is_found_among_those_of_other_uses(
    server: Server, price_list: PriceList
) -> None:
    entries = [product("Hosting", "0.9"), product("Training", "0.0", "0.257"), product("Notebook", "0.8")]
    server.answer = lambda _: (200, {"PriceList": entries})
    assert price_list.ask("ml.m5.xlarge") == 0.257
    assert [request["ServiceCode"] for request in server.asked] == ["AmazonSageMaker"]
    filters = {each["Field"]: (each["Type"], each["Value"]) for each in server.asked[0]["Filters"]}
    assert filters == {
        "regionCode": ("TERM_MATCH", "eu-west-1"),
        "instanceName": ("TERM_MATCH", "ml.m5.xlarge"),
    }


def test_the_list_is_read_to_its_last_page(server: Server, price_list: PriceList) -> None:
    def pages(request: dict[str, Any]) -> tuple[int, Mapping[str, object]]:
        if request.get("NextToken") != "more":
            return 200, {"PriceList": [product("Hosting", "0.9")], "NextToken": "more"}
        return 200, {"PriceList": [product("Training", "0.257")]}

    server.answer = pages
    assert price_list.ask("ml.m5.xlarge") == 0.257
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        (400, {"__type": "AccessDeniedException", "message": "not authorized: pricing:GetProducts"}),
        (500, {}),
        (200, {"PriceList": []}),
        (200, {"PriceList": [product("Hosting", "0.9")]}),
        (200, {"PriceList": [product("Training", "0.9", unit="GB-Mo")]}),
        (200, {"PriceList": [product("Training", "cheap")]}),
        (200, {"PriceList": ["{"]}),
    ],
    ids=["denied", "broken", "unknown", "not_for_training", "no_hours", "no_number", "no_json"],
)
def test_what_the_list_does_not_tell_is_not_known(
    server: Server, price_list: PriceList, answer: tuple[int, Mapping[str, object]]
) -> None:
    server.answer = lambda _: answer
    assert price_list.ask("ml.m5.xlarge") is None


def test_a_list_that_cannot_be_reached_knows_nothing(server: Server) -> None:
    client = server.client()
    server.stop()
    assert PriceList("eu-west-1", lambda: client).ask("ml.m5.xlarge") is None


def test_the_spec_is_believed_before_the_list_is_asked() -> None:
    asked: list[str] = []

    def ask(kind: str) -> float | None:
        asked.append(kind)
        return {"b": 2.0}.get(kind)

    assert hourly_prices(["a", "b", "c", "b"], given={"a": 1.0, "z": 9.0}, ask=ask) == {"a": 1.0, "b": 2.0}
    assert asked == ["b", "c"]


PRICES = {"small": 1.0, "large": 4.0}


def test_the_worst_is_the_dearest_machine_to_the_end_of_its_time_and_its_keeping() -> None:
    hour = 3600.0 - 120.0  # and the two minutes that a training job gets to end by itself
    assert worst([{"small": 1}], PRICES, run_seconds=hour) == pytest.approx(1.0)
    assert worst([{"small": 3}, {"large": 1}], PRICES, run_seconds=hour) == pytest.approx(4.0)
    assert worst([{"small": 2, "large": 1}], PRICES, run_seconds=hour) == pytest.approx(6.0)
    assert worst([{"small": 2}], PRICES, run_seconds=hour, keep_alive_seconds=1800.0) == pytest.approx(3.0)


def test_the_worst_is_not_known_where_a_price_is_missing() -> None:
    assert worst([{"small": 1}, {"huge": 1}], PRICES, run_seconds=60.0) is None
    assert worst([], PRICES, run_seconds=60.0) is None


def test_the_table_of_prices_is_an_overlay_of_training_machines() -> None:
    overlay = yaml.safe_load((CONFIGS / "sagemaker-prices.yaml").read_text(encoding="utf-8"))
    prices = overlay["launcher"]["prices"]
    assert list(overlay) == ["launcher"]
    assert list(overlay["launcher"]) == ["kind", "prices"]
    assert all(kind.startswith("ml.") and 0.05 < price < 200.0 for kind, price in prices.items())

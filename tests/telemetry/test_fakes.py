"""The fake receivers of telemetry behave as other tests expect."""

import socket
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from fakes.honeycomb import FakeHoneycomb
from fakes.rollbar import FakeRollbar
from fakes.sink import Mode, Sink

KEY = {"x-honeycomb-team": "key"}


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.mark.parametrize("mode", ["401", "429", "500", "503"])
def test_a_sink_refuses_as_configured_and_accepts_again(sink: Sink, mode: Mode) -> None:
    sink.mode = mode
    refused = httpx.post(f"{sink.url}/item", content=b"lost")
    assert refused.status_code == int(mode)
    assert ("retry-after" in refused.headers) == (mode == "429")
    sink.mode = "ok"
    assert httpx.post(f"{sink.url}/item", content=b"kept").status_code == 200
    assert [(r.mode, r.body) for r in sink.requests] == [(mode, b"lost"), ("ok", b"kept")]
    assert sink.raw_bytes == b"/item\nlost\n/item\nkept"


def test_a_sink_that_refuses_keeps_its_port(sink: Sink) -> None:
    url = sink.url
    sink.mode = "refuse"
    for address in (url, sink.refused_url):
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)
    sink.mode = "ok"
    assert httpx.get(url).status_code == 200


def test_a_sink_that_hangs_closes_at_once_with_its_clients_still_there() -> None:
    with Sink() as sink:
        sink.mode = "hang"
        address = ("127.0.0.1", int(sink.url.rpartition(":")[2]))
        hanging, silent = socket.create_connection(address), socket.create_connection(address)
        hanging.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        sink.wait_for(lambda: sink.requests)
    # It would never stop waiting for them.
    for client in (hanging, silent):
        client.close()
    assert [r.mode for r in sink.requests] == ["hang"]
    assert sink.problems == []


async def test_waiting_ends_with_a_result_or_a_report(sink: Sink) -> None:
    async with httpx.AsyncClient() as client:
        await client.post(f"{sink.url}/item")
    assert await sink.arrival(lambda: sink.requests)
    with pytest.raises(TimeoutError, match=r"POST /item \(ok\)"):
        await sink.arrival(lambda: len(sink.requests) > 1, seconds=0.01)


def test_honeycomb_accepts_the_three_signals_of_the_sdk() -> None:
    resource = Resource({"service.name": "cruddur", "replicas": [1, 2]})
    with FakeHoneycomb("key") as honeycomb:
        spans = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(
            f"{honeycomb.url}/v1/traces", headers=KEY, compression=Compression.Gzip
        )
        spans.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = spans.get_tracer("test")
        with tracer.start_as_current_span("outer") as outer:
            link = outer.get_span_context()
        inner = tracer.start_span("inner", links=[])
        inner.add_link(link, {"why": "test"})
        inner.record_exception(KeyError("k"))
        inner.end()
        spans.shutdown()

        logs = LoggerProvider(resource=resource)
        logs.add_log_record_processor(
            SimpleLogRecordProcessor(OTLPLogExporter(f"{honeycomb.url}/v1/logs", headers=KEY))
        )
        logs.get_logger("test").emit(body="a line", severity_text="INFO", timestamp=5)
        logs.shutdown()

        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(
                f"{honeycomb.url}/v1/metrics",
                headers=KEY | {"x-honeycomb-dataset": "cruddur-metrics"},
            ),
            export_interval_millis=60_000,
        )
        meters = MeterProvider([reader], resource=resource)
        meters.get_meter("test").create_counter("cruds").add(3, {"ttl": "1-hour"})
        meters.get_meter("test").create_histogram("took").record(0.2)
        meters.shutdown()

    assert [(s.name, s.parent_span_id, s.kind) for s in honeycomb.spans] == [
        ("outer", None, "INTERNAL"),
        ("inner", None, "INTERNAL"),
    ]
    found = honeycomb.spans[1]
    assert found.resource["replicas"] == [1, 2]
    assert found.service == "cruddur"
    assert found.links[0].span_id == honeycomb.spans[0].span_id
    assert found.events[0].attributes["exception.type"] == "KeyError"
    assert [(line.body, line.severity, line.time_ns) for line in honeycomb.logs] == [
        ("a line", "INFO", 5)
    ]
    metrics = {metric.name: metric for metric in honeycomb.metrics}
    assert (metrics["cruds"].points[0].value, metrics["took"].points[0].count) == (3, 1)
    assert metrics["cruds"].points[0].attributes == {"ttl": "1-hour"}
    assert honeycomb.dataset(metrics["cruds"]) == "cruddur-metrics"
    assert b"a line" in honeycomb.raw_bytes
    assert b"KeyError" in honeycomb.raw_bytes


def test_honeycomb_refuses_a_wrong_key_and_a_body_that_is_none() -> None:
    with FakeHoneycomb("key") as honeycomb:
        url = f"{honeycomb.url}/v1/traces"
        headers = {"content-type": "application/x-protobuf"}
        assert httpx.post(url, headers=headers).status_code == 401
        bad = httpx.post(url, headers=headers | KEY, content=b"\xff\xff")
        assert bad.status_code == 400
        broken = {"content-encoding": "gzip"}
        assert httpx.post(url, headers=headers | KEY | broken, content=b"x").status_code == 400
        assert httpx.post(f"{honeycomb.url}/v2/x", headers=KEY).status_code == 404
        assert len(honeycomb.problems) == 2
        assert honeycomb.spans == []


def test_rollbar_accepts_only_complete_items() -> None:
    with FakeRollbar("token") as fake:
        data = {
            "environment": "test",
            "level": "error",
            "language": "python",
            "timestamp": 1,
            "uuid": str(uuid4()),
            "notifier": {"name": "pyrollbar"},
            "body": {"trace": {"frames": [{"filename": "a.py"}], "exception": {"class": "E"}}},
        }
        url = f"{fake.endpoint}item/"
        headers = {"X-Rollbar-Access-Token": "token"}
        accepted = httpx.post(url, json={"data": data}, headers=headers)
        assert accepted.json() == {"err": 0, "result": {"id": 1, "uuid": data["uuid"]}}
        assert httpx.post(url, json={"access_token": "token", "data": data}).status_code == 200
        assert httpx.post(url, json={"access_token": "wrong", "data": data}).status_code == 403
        for part in ("environment", "level", "timestamp", "uuid", "body"):
            lacking = {name: value for name, value in data.items() if name != part}
            refused = httpx.post(url, json={"data": lacking}, headers=headers)
            assert (refused.status_code, refused.json()["err"]) == (422, 1), part
        assert fake.items == [data, data]

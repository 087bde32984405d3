"""OTLP data as senders write it, and a client of the viewer."""

from dataclasses import dataclass
from typing import Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from traceview.app import create_app
from traceview.storage.file import TraceFile
from traceview.store import Bounds

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
START = 1_762_164_000_000_000_000
MS = 1_000_000
TRACE = "5b8efff798038103d269b633813fc60c"


@dataclass
class Viewer:
    """Sends data to the viewer and reads what it shows."""

    http: httpx.AsyncClient

    async def post(
        self, signal: str, body: bytes, form: str = PROTOBUF, **headers: str
    ) -> httpx.Response:
        return await self.http.post(
            f"/v1/{signal}", content=body, headers={"content-type": form, **headers}
        )

    async def send(self, *spans: Span, service: str = "cruddur", **resource: Any) -> None:
        response = await self.post("traces", pack(*spans, service=service, **resource))
        assert response.status_code == 200, response.content

    async def log(self, *records: LogRecord) -> None:
        response = await self.post("logs", pack_logs(*records))
        assert response.status_code == 200, response.content

    async def measure(self, *metrics: Metric) -> None:
        response = await self.post("metrics", pack_metrics(*metrics))
        assert response.status_code == 200, response.content

    async def search(self, **wanted: str) -> list[dict[str, Any]]:
        """Search in all traces, also in those of background work."""
        response = await self.http.get("/api/traces", params={"background": "1", **wanted})
        assert response.status_code == 200, response.text
        listed: list[dict[str, Any]] = response.json()
        return listed

    async def names(self, **wanted: str) -> list[str]:
        return [trace["name"] for trace in await self.search(**wanted)]

    async def trace(self, trace_id: str = TRACE) -> dict[str, Any]:
        response = await self.http.get(f"/api/traces/{trace_id}")
        assert response.status_code == 200, response.text
        shown: dict[str, Any] = response.json()
        return shown

    async def query(self, text: str, **arguments: str) -> dict[str, Any]:
        """Run a query, by default over the minutes around START."""
        wanted = {"q": text, "since": "2025-11-03T09:55:00Z", "until": "2025-11-03T10:05:00Z"}
        response = await self.http.get("/api/query", params={**wanted, **arguments})
        assert response.status_code == 200, response.text
        result: dict[str, Any] = response.json()
        return result

    async def rows(self, text: str, **arguments: str) -> list[list[Any]]:
        rows: list[list[Any]] = (await self.query(text, **arguments))["rows"]
        return rows


def client(bounds: Bounds | None = None, file: TraceFile | None = None) -> httpx.AsyncClient:
    """Return a client of a viewer in this process."""
    transport = httpx.ASGITransport(app=create_app(bounds=bounds, file=file))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4318")


def value(raw: Any) -> AnyValue:
    """Convert a Python value to the matching OTLP type."""
    if raw is None:
        return AnyValue()
    if isinstance(raw, bool):
        return AnyValue(bool_value=raw)
    if isinstance(raw, int):
        return AnyValue(int_value=raw)
    if isinstance(raw, float):
        return AnyValue(double_value=raw)
    if isinstance(raw, bytes):
        return AnyValue(bytes_value=raw)
    if isinstance(raw, list):
        return AnyValue(array_value=ArrayValue(values=[value(one) for one in raw]))
    if isinstance(raw, dict):
        return AnyValue(kvlist_value=KeyValueList(values=attributes(raw)))
    return AnyValue(string_value=raw)


def attributes(pairs: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(raw)) for key, raw in pairs.items()]


def span(
    number: int,
    name: str = "span",
    *,
    trace: str = TRACE,
    parent: int = 0,
    kind: int = 1,
    start: float = 0,
    ms: float = 1,
    error: bool = False,
    **more: Any,
) -> Span:
    """A span. Its number is its id; `start` and `ms` are milliseconds from START."""
    began = START + int(start * MS)
    made = Span(
        trace_id=bytes.fromhex(trace),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        kind=kind,
        start_time_unix_nano=began,
        end_time_unix_nano=began + int(ms * MS),
        attributes=attributes(more),
    )
    if error:
        made.status.code = 2
        made.status.message = "it went wrong"
    return made


def request(
    number: int, route: str, status: int = 200, *, method: str = "GET", **more: Any
) -> Span:
    """The server span of a request, in its own trace."""
    facts = {"http.request.method": method, "http.route": route}
    return span(
        number,
        f"{method} {route}",
        trace=f"{number:032x}",
        kind=2,
        **{"start": number, **facts, "http.response.status_code": status, **more},
    )


def line(body: Any, *, trace: str = TRACE, of: int = 1, at: float = 0, **more: Any) -> LogRecord:
    """A log line of a span, `at` milliseconds from START."""
    return LogRecord(
        trace_id=bytes.fromhex(trace),
        span_id=of.to_bytes(8, "big"),
        time_unix_nano=START + int(at * MS),
        severity_number=more.pop("severity", 9),
        body=value(body),
        attributes=attributes(more),
    )


def pack(*spans: Span, service: str = "cruddur", **resource: Any) -> bytes:
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    group.resource.attributes.extend(attributes({"service.name": service, **resource}))
    scoped = group.scope_spans.add()
    scoped.scope.name, scoped.scope.version = "cruddur.db", "1.2"
    scoped.spans.extend(spans)
    return made.SerializeToString()


def pack_logs(*records: LogRecord) -> bytes:
    made = ExportLogsServiceRequest()
    group = made.resource_logs.add()
    group.resource.attributes.extend(attributes({"service.name": "cruddur"}))
    group.scope_logs.add().log_records.extend(records)
    return made.SerializeToString()


def pack_metrics(*metrics: Metric, service: str = "cruddur") -> bytes:
    made = ExportMetricsServiceRequest()
    group = made.resource_metrics.add()
    group.resource.attributes.extend(attributes({"service.name": service}))
    group.scope_metrics.add().metrics.extend(metrics)
    return made.SerializeToString()


def field(tag: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length, size = b"", len(content)
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([tag]) + length + bytes([size]) + content

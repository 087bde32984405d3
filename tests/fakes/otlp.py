"""OTLP over HTTP as a backend sees it: parse protobuf into plain dataclasses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_service
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_service
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from fakes.sink import Received, Response, Sink

PROTOBUF = "application/x-protobuf"

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """An event of a span."""

    name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True)
class Link:
    """A link to a span of this trace or another one."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(frozen=True)
class Span:
    """A finished span; ids in lower-case hexadecimal, kind and status as in the API."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    events: list[Event]
    links: list[Link]
    status: str
    status_message: str
    scope: str
    resource: Attributes = field(repr=False)

    @property
    def service(self) -> str:
        return str(self.resource.get("service.name", ""))


@dataclass(frozen=True)
class LogLine:
    """A log record; the ids are None outside of a span."""

    time_ns: int
    severity: str
    body: Any
    attributes: Attributes
    trace_id: str | None
    span_id: str | None
    flags: int
    scope: str
    resource: Attributes = field(repr=False)


@dataclass(frozen=True)
class Point:
    """One series of a metric: `value` of a sum or gauge, `count` and `sum` of a histogram."""

    attributes: Attributes
    value: float | None = None
    count: int | None = None
    sum: float | None = None
    bounds: tuple[float, ...] = ()
    bucket_counts: tuple[int, ...] = ()
    exemplar_trace_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """One metric of one export; `kind` is sum, gauge, histogram or exponential_histogram.

    `temporality` is CUMULATIVE or DELTA, and empty for a gauge.
    """

    name: str
    unit: str
    kind: str
    temporality: str
    points: list[Point]
    scope: str
    headers: Mapping[str, str] = field(repr=False)
    resource: Attributes = field(repr=False)


class OtlpSink(Sink):
    """A backend that accepts every export; subclasses are stricter."""

    def __init__(
        self, certificate: Path | None = None, client_certificate: Path | None = None
    ) -> None:
        super().__init__(certificate, client_certificate)
        self._spans: list[Span] = []
        self._logs: list[LogLine] = []
        self._metrics: list[Metric] = []

    @property
    def spans(self) -> list[Span]:
        """The accepted spans, in the order of arrival."""
        with self._changed:
            return list(self._spans)

    @property
    def logs(self) -> list[LogLine]:
        with self._changed:
            return list(self._logs)

    @property
    def metrics(self) -> list[Metric]:
        with self._changed:
            return list(self._metrics)

    def forget(self) -> None:
        self._spans.clear()
        self._logs.clear()
        self._metrics.clear()

    def respond(self, request: Received) -> Response:
        if request.method != "POST" or request.path not in _SIGNALS:
            return self.refusal(404, f"there is no {request.method} {request.path}")
        if request.headers.get("Content-Type") != PROTOBUF:
            raise ValueError(f"the content type is {request.headers.get('Content-Type')}")
        message, response = _SIGNALS[request.path]
        try:
            decoded = message.FromString(request.body)
        except DecodeError as error:
            raise ValueError(f"the body is not {message.__name__}") from error
        if request.path == "/v1/traces":
            self._spans += decode_spans(decoded)
        elif request.path == "/v1/logs":
            self._logs += decode_logs(decoded)
        else:
            self._metrics += decode_metrics(decoded, dict(request.headers.items()))
        return Response(200, response().SerializeToString(), PROTOBUF)

    def refusal(self, status: int, message: str) -> Response:
        """Return an OTLP error: a google.rpc.Status."""
        return Response(status, Status(message=message).SerializeToString(), PROTOBUF)


def decode_spans(export: trace_service.ExportTraceServiceRequest) -> list[Span]:
    """Return the spans of one request."""
    return [
        Span(
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_span_id=span.parent_span_id.hex() or None,
            name=span.name,
            kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            start_ns=span.start_time_unix_nano,
            end_ns=span.end_time_unix_nano,
            attributes=_attributes(span.attributes),
            events=[
                Event(event.name, event.time_unix_nano, _attributes(event.attributes))
                for event in span.events
            ],
            links=[
                Link(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes))
                for link in span.links
            ],
            status=trace_pb2.Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
            status_message=span.status.message,
            scope=group.scope.name,
            resource=_attributes(whole.resource.attributes),
        )
        for whole in export.resource_spans
        for group in whole.scope_spans
        for span in group.spans
    ]


def decode_logs(export: logs_service.ExportLogsServiceRequest) -> list[LogLine]:
    """Return the log records of one request."""
    return [
        LogLine(
            time_ns=record.time_unix_nano or record.observed_time_unix_nano,
            severity=record.severity_text
            or SeverityNumber.Name(record.severity_number).removeprefix("SEVERITY_NUMBER_"),
            body=_value(record.body),
            attributes=_attributes(record.attributes),
            trace_id=record.trace_id.hex() or None,
            span_id=record.span_id.hex() or None,
            flags=record.flags,
            scope=group.scope.name,
            resource=_attributes(whole.resource.attributes),
        )
        for whole in export.resource_logs
        for group in whole.scope_logs
        for record in group.log_records
    ]


def decode_metrics(
    export: metrics_service.ExportMetricsServiceRequest, headers: Mapping[str, str]
) -> list[Metric]:
    """Return the metrics of one request, each with the headers that select its dataset."""
    return [
        Metric(
            name=metric.name,
            unit=metric.unit,
            kind=metric.WhichOneof("data") or "",
            temporality=_temporality(metric),
            points=_points(metric),
            scope=group.scope.name,
            headers=headers,
            resource=_attributes(whole.resource.attributes),
        )
        for whole in export.resource_metrics
        for group in whole.scope_metrics
        for metric in group.metrics
    ]


_SIGNALS: dict[str, tuple[Any, Any]] = {
    "/v1/traces": (
        trace_service.ExportTraceServiceRequest,
        trace_service.ExportTraceServiceResponse,
    ),
    "/v1/logs": (logs_service.ExportLogsServiceRequest, logs_service.ExportLogsServiceResponse),
    "/v1/metrics": (
        metrics_service.ExportMetricsServiceRequest,
        metrics_service.ExportMetricsServiceResponse,
    ),
}


def _temporality(metric: metrics_pb2.Metric) -> str:
    kind = metric.WhichOneof("data")
    if kind not in {"sum", "histogram", "exponential_histogram"}:
        return ""
    found = getattr(metric, kind).aggregation_temporality
    return metrics_pb2.AggregationTemporality.Name(found).removeprefix("AGGREGATION_TEMPORALITY_")


def _points(metric: metrics_pb2.Metric) -> list[Point]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return []
    data = getattr(metric, kind).data_points
    if kind in {"sum", "gauge"}:
        return [
            Point(
                _attributes(point.attributes),
                value=getattr(point, point.WhichOneof("value")),
                exemplar_trace_ids=_exemplars(point),
            )
            for point in data
        ]
    return [
        Point(
            _attributes(point.attributes),
            count=point.count,
            sum=point.sum,
            bounds=tuple(getattr(point, "explicit_bounds", ())),
            bucket_counts=tuple(getattr(point, "bucket_counts", ())),
            exemplar_trace_ids=_exemplars(point),
        )
        for point in data
    ]


def _exemplars(point: Any) -> tuple[str, ...]:
    return tuple(exemplar.trace_id.hex() for exemplar in point.exemplars if exemplar.trace_id)


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind)

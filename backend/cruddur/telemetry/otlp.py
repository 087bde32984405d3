"""OTLP over HTTP: traces, metrics and logs to Honeycomb or any other backend."""

import logging
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any

import requests
from opentelemetry import context, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from cruddur.settings import credential_provider
from cruddur.telemetry.export_queue import ExportError, ExportQueue
from cruddur.telemetry.logs import Line
from cruddur.telemetry.sink_clients import bound
from cruddur.telemetry.span_encoding import encode_spans

_SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class ExportProcessor(SpanProcessor):
    """Hands every kept span to an export queue when it ends."""

    def __init__(self, export_queue: ExportQueue[ReadableSpan]) -> None:
        """Take the export queue."""
        self._put = export_queue.put

    def on_end(self, span: ReadableSpan) -> None:
        """Queue it, if it is one to be exported."""
        if span.context.trace_flags.sampled:
            self._put(span)


class ExportMetrics(MetricExporter):
    """Hands each collection of metrics to an export queue."""

    def __init__(self, export_queue: ExportQueue[MetricsData]) -> None:
        """Take the export queue."""
        super().__init__()
        self._export_queue = export_queue

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 0, **_: Any
    ) -> MetricExportResult:
        """Queue it; the export queue knows whether it arrives."""
        self._export_queue.put(metrics_data)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 0) -> bool:
        """Nothing waits here."""
        return True

    def shutdown(self, timeout_millis: float = 0, **_: Any) -> None:
        """The export queue is closed by whoever made it."""


class EncodingExporter(OTLPSpanExporter):
    """The SDK's exporter with our encoder."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans, trying again for as long as the time-out allows."""
        with self._metrics.export_operation(len(spans)) as operation:
            result = self._client.export(encode_spans(spans))
            if not result.success:
                operation.error = result.error or ConnectionError(result.reason)
                return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def span_sender(exporter: SpanExporter) -> Callable[[Sequence[ReadableSpan]], None]:
    """What an export queue calls to send spans by an exporter."""

    def deliver(spans: Sequence[ReadableSpan]) -> None:
        _last_words.forget()
        if exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise ExportError(_last_words.text)

    return deliver


def metric_sender(exporter: OTLPMetricExporter) -> Callable[[Sequence[MetricsData]], None]:
    """What an export queue calls to send metrics."""

    def deliver(collections: Sequence[MetricsData]) -> None:
        for collection in collections:
            _last_words.forget()
            if exporter.export(collection) is not MetricExportResult.SUCCESS:
                raise ExportError(_last_words.text)

    return deliver


def log_sender(exporter: OTLPLogExporter, resource: Resource) -> Callable[[Sequence[Line]], None]:
    """What an export queue calls to send log lines."""

    def deliver(lines: Sequence[Line]) -> None:
        _last_words.forget()
        result = exporter.export([_record(line, resource) for line in lines])
        if result.name != "SUCCESS":
            raise ExportError(_last_words.text)

    return deliver


def span_exporter(
    endpoint: str,
    *,
    headers: dict[str, str] | None = None,
    session: requests.Session | None = None,
    meter_provider: MeterProvider | None = None,
) -> OTLPSpanExporter:
    """Sends to the full address `endpoint`, by a session that may sign.

    Certificates, time-out and further headers come from the standard
    OTEL_EXPORTER_OTLP_* variables. The time-out bounds the whole export.
    """
    return EncodingExporter(
        endpoint=endpoint,
        headers=headers,
        compression=Compression.Gzip,
        session=session or _session("traces"),
        meter_provider=meter_provider,
    )


def metric_exporter(endpoint: str, headers: dict[str, str]) -> OTLPMetricExporter:
    """As `span_exporter`."""
    return OTLPMetricExporter(
        endpoint=endpoint,
        headers=headers,
        compression=Compression.Gzip,
        session=_session("metrics"),
    )


def log_exporter(endpoint: str, headers: dict[str, str]) -> OTLPLogExporter:
    """As `span_exporter`."""
    return OTLPLogExporter(
        endpoint=endpoint,
        headers=headers,
        compression=Compression.Gzip,
        session=_session("logs"),
    )


def _session(signal: str) -> requests.Session:
    """Return a bounded session: a new one, or that of a plug-in, which the SDK would ask for only
    if it were given none."""
    name = credential_provider(signal)
    if not name:
        return bound(requests.Session())
    [provider] = entry_points(group="opentelemetry_otlp_credential_provider", name=name)
    return bound(provider.load()())


def _record(line: Line, resource: Resource) -> ReadableLogRecord:
    where = context.Context()
    if line.trace_id:
        flags = TraceFlags(line.trace_flags)
        ids = SpanContext(int(line.trace_id, 16), int(line.span_id, 16), False, flags)
        where = trace.set_span_in_context(NonRecordingSpan(ids), where)
    attributes = {"logger": line.logger, **line.fields}
    if line.stacktrace:
        attributes["exception.stacktrace"] = line.stacktrace
    nanoseconds = int(line.created * 1e9)
    record = LogRecord(
        timestamp=nanoseconds,
        observed_timestamp=nanoseconds,
        context=where,
        severity_text=line.level,
        severity_number=_SEVERITIES.get(line.severity, SeverityNumber.INFO),
        body=line.message,
        attributes=attributes,
    )
    return ReadableLogRecord(record, resource)


class _LastMessage(logging.Filter):
    """Keeps what an exporter logs of its failure. The export queue says it, once."""

    def __init__(self) -> None:
        super().__init__()
        self._said = threading.local()

    @property
    def text(self) -> str:
        """Why it failed: what it gave up with, and what it had met before."""
        said: list[str] = getattr(self._said, "texts", [])
        return "; ".join(dict.fromkeys(said)) or "it gave no reason"

    def forget(self) -> None:
        """Begin anew."""
        self._said.texts = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep it, and let nobody else have it."""
        text = record.getMessage()
        if text.startswith("Transient error") and isinstance(record.args, tuple):
            text = str(record.args[0])
        self._said.texts = [*getattr(self._said, "texts", []), text]
        return False


_last_words = _LastMessage()
for _kind in ("trace_exporter", "metric_exporter", "_log_exporter"):
    # First, because the SDK's own filter swallows what an exporter says a second time.
    logging.getLogger(f"opentelemetry.exporter.otlp.proto.http.{_kind}").filters.insert(
        0, _last_words
    )

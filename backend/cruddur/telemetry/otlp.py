"""OTLP over HTTP: traces, metrics and logs to Honeycomb or any other backend."""

import logging
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any, get_args

import requests
from opentelemetry import context, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._logs import LogRecordLimits, ReadableLogRecord
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from cruddur.settings import Settings
from cruddur.settings.library_variables import (
    Signal,
    credential_provider,
    signal_certificates,
    signal_variable,
)
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


_PLAUSIBLE_SECONDS = 60.0


class ExportProcessor(SpanProcessor):
    """Queues every sampled span when it ends."""

    def __init__(self, export_queue: ExportQueue[ReadableSpan]) -> None:
        """Set the export queue."""
        self._put = export_queue.put

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span, if it is sampled."""
        if span.context.trace_flags.sampled:
            self._put(span)


class QueuedMetricExporter(OTLPMetricExporter):
    """The SDK's exporter, which queues each collection and sends it from the queue's thread.

    It inherits the temporality and the aggregation that the environment selects.

    Attributes:
        queue: receives the collections; set it before the first export.
    """

    queue: ExportQueue[MetricsData]

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 0, **_: Any
    ) -> MetricExportResult:
        """Queue a collection. The queue counts successes and failures."""
        self.queue.put(metrics_data)
        return MetricExportResult.SUCCESS

    def send(self, metrics_data: MetricsData) -> MetricExportResult:
        """Send a collection, with retries within the time limit."""
        return super().export(metrics_data)

    def shutdown(self, timeout_millis: float = 0, **_: Any) -> None:
        """Do nothing: the reader shuts down before the queue is empty. Use `abort`."""

    def abort(self) -> None:
        """Stop retrying, and send nothing more."""
        super().shutdown()


class EncodingExporter(OTLPSpanExporter):
    """The SDK's exporter with our encoder (docs/decisions/0010)."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans, with retries within the time limit."""
        with self._metrics.export_operation(len(spans)) as operation:
            result = self._client.export(encode_spans(spans))
            if not result.success:
                operation.error = result.error or ConnectionError(result.reason)
                return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def span_sender(exporter: SpanExporter) -> Callable[[Sequence[ReadableSpan]], None]:
    """Return the function with which an export queue sends spans."""

    def deliver(spans: Sequence[ReadableSpan]) -> None:
        _exporter_log.clear()
        if exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise ExportError(_exporter_log.reason)

    return deliver


def metric_sender(exporter: QueuedMetricExporter) -> Callable[[Sequence[MetricsData]], None]:
    """Return the function with which an export queue sends metrics."""

    def deliver(collections: Sequence[MetricsData]) -> None:
        for collection in collections:
            _exporter_log.clear()
            if exporter.send(collection) is not MetricExportResult.SUCCESS:
                raise ExportError(_exporter_log.reason)

    return deliver


def log_sender(exporter: OTLPLogExporter, resource: Resource) -> Callable[[Sequence[Line]], None]:
    """Return the function with which an export queue sends log lines."""
    limits = LogRecordLimits()  # of the environment

    def deliver(lines: Sequence[Line]) -> None:
        _exporter_log.clear()
        result = exporter.export([_record(line, resource, limits) for line in lines])
        if result.name != "SUCCESS":
            raise ExportError(_exporter_log.reason)

    return deliver


def span_exporter(
    settings: Settings,
    endpoint: str,
    *,
    headers: dict[str, str] | None = None,
    meter_provider: MeterProvider | None = None,
) -> OTLPSpanExporter:
    """Return an exporter of spans to the full URL `endpoint`.

    The SDK reads the other standard variables itself: certificates and further headers.
    """
    return EncodingExporter(
        endpoint=endpoint,
        headers=headers,
        timeout=_timeout(settings, "traces", settings.span_timeout),
        compression=_compression(settings, "traces"),
        session=_session("traces"),
        meter_provider=meter_provider,
    )


def xray_exporter(
    settings: Settings, endpoint: str, session: requests.Session, meter_provider: MeterProvider
) -> OTLPSpanExporter:
    """Return an exporter of spans to X-Ray, with a session that signs its requests."""
    return EncodingExporter(
        endpoint=endpoint,
        timeout=min(settings.otlp_timeout, settings.span_timeout / 1000),
        compression=Compression.Gzip,
        session=session,
        meter_provider=meter_provider,
    )


def metric_exporter(
    settings: Settings, endpoint: str, headers: dict[str, str]
) -> QueuedMetricExporter:
    """Return an exporter of metrics, as `span_exporter` does."""
    return QueuedMetricExporter(
        endpoint=endpoint,
        headers=headers,
        timeout=_timeout(settings, "metrics", settings.metric_timeout),
        compression=_compression(settings, "metrics"),
        session=_session("metrics"),
    )


def log_exporter(settings: Settings, endpoint: str, headers: dict[str, str]) -> OTLPLogExporter:
    """Return an exporter of log records, as `span_exporter` does."""
    return OTLPLogExporter(
        endpoint=endpoint,
        headers=headers,
        timeout=_timeout(settings, "logs", settings.log_timeout),
        compression=_compression(settings, "logs"),
        session=_session("logs"),
    )


def long_timeouts(settings: Settings) -> dict[str, float]:
    """Return the time limits above a minute, in seconds, by variable.

    Such a value is probably meant in milliseconds, the unit of the specification, but the SDK for
    Python reads seconds.
    """
    timeouts = {"OTEL_EXPORTER_OTLP_TIMEOUT": settings.otlp_timeout}
    for signal in get_args(Signal):
        if text := signal_variable(signal, "TIMEOUT"):
            timeouts[f"OTEL_EXPORTER_OTLP_{signal.upper()}_TIMEOUT"] = float(text)
    return {name: seconds for name, seconds in timeouts.items() if seconds > _PLAUSIBLE_SECONDS}


def _timeout(settings: Settings, signal: Signal, milliseconds: float) -> float:
    """Return the time limit of an export with its retries, in seconds: the exporter's own, or that
    of the queue before it, whichever is shorter."""
    seconds = float(signal_variable(signal, "TIMEOUT") or settings.otlp_timeout)
    return min(seconds, milliseconds / 1000)


def _compression(settings: Settings, signal: Signal) -> Compression:
    return Compression(signal_variable(signal, "COMPRESSION").lower() or settings.otlp_compression)


def _session(signal: Signal) -> requests.Session:
    """Return a bounded session: a new one, or that of a credential provider, which the SDK would
    use only if it were given none."""
    certificates = signal_certificates(signal)
    name = credential_provider(signal)
    if not name:
        return bound(requests.Session(), certificates)
    [provider] = entry_points(group="opentelemetry_otlp_credential_provider", name=name)
    return bound(provider.load()(), certificates)


def _record(line: Line, resource: Resource, limits: LogRecordLimits) -> ReadableLogRecord:
    record_context = context.Context()
    if line.trace_id:
        flags = TraceFlags(line.trace_flags)
        ids = SpanContext(int(line.trace_id, 16), int(line.span_id, 16), False, flags)
        record_context = trace.set_span_in_context(NonRecordingSpan(ids), record_context)
    attributes = {"logger": line.logger, **line.fields}
    if line.stacktrace:
        attributes["exception.stacktrace"] = line.stacktrace
    nanoseconds = int(line.created * 1e9)
    record = LogRecord(
        timestamp=nanoseconds,
        observed_timestamp=nanoseconds,
        context=record_context,
        severity_text=line.level,
        severity_number=_SEVERITIES.get(line.severity, SeverityNumber.INFO),
        body=line.message,
        attributes=BoundedAttributes(
            limits.max_log_record_attributes,
            attributes,
            max_value_len=limits.max_log_record_attribute_length,
        ),
        event_name=line.event_name or None,
    )
    # As in the SDK's logging handler, the scope of a log record is its logger.
    scope = InstrumentationScope(line.logger)
    return ReadableLogRecord(record, line.resource or resource, scope)


class _ExporterLog(logging.Filter):
    """Captures the log messages of the SDK's exporters, for the queue's report of a failed export.

    The exporters return no reason.
    """

    def __init__(self) -> None:
        super().__init__()
        self._captured = threading.local()

    @property
    def reason(self) -> str:
        """Why the export failed: the first message has the cause, the last the outcome."""
        messages: list[str] = getattr(self._captured, "messages", [])
        return "; ".join(dict.fromkeys(messages[:1] + messages[-1:])) or "no reason given"

    def clear(self) -> None:
        """Discard the messages of this thread."""
        self._captured.messages = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Capture the message and drop the record."""
        messages: list[str] = getattr(self._captured, "messages", [])
        self._captured.messages = [*messages, record.getMessage()]
        return False


_exporter_log = _ExporterLog()
for _exporter in (OTLPSpanExporter, OTLPMetricExporter, OTLPLogExporter):
    # Before the SDK's own filter, which drops messages that repeat.
    logging.getLogger(_exporter.__module__).filters.insert(0, _exporter_log)

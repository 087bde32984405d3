"""Create the sinks that the settings name, and describe them for the log."""

import logging
from importlib.util import find_spec
from math import inf
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter

from cruddur.settings import Settings, SettingsError
from cruddur.settings.installation import install_hint
from cruddur.telemetry import otlp
from cruddur.telemetry.cloudwatch import CloudWatchLogs
from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.logs import ExportHandler
from cruddur.telemetry.operation import Reporter
from cruddur.telemetry.resource import log_constants, service_resource
from cruddur.telemetry.rollbar import RollbarReporter
from cruddur.telemetry.xray import sigv4
from cruddur.telemetry.xray.api import PutTraceSegmentsExporter
from cruddur.telemetry.xray.daemon import DaemonExporter


class Sinks:
    """Creates the receivers of spans, metrics, log lines and failures, with their export queues.

    Attributes:
        export_queues: the queues of all receivers created so far; none is started.
    """

    def __init__(self, settings: Settings) -> None:
        """Set the settings; nothing is created yet."""
        self._settings = settings
        self.export_queues: list[ExportQueue[Any]] = []

    def span_processors(self, meter_provider: MeterProvider) -> list[SpanProcessor]:
        """Return the span processors of OTLP and X-Ray.

        Args:
            meter_provider: receives the metrics of the exporters themselves.
        """
        settings = self._settings
        processors: list[SpanProcessor] = []
        if settings.is_sdk_disabled:
            return processors
        if settings.traces_url:
            exporter = otlp.span_exporter(
                settings,
                settings.traces_url,
                headers=_honeycomb_headers(settings),
                meter_provider=meter_provider,
            )
            processors.append(self._span_processor(_backend_name(settings), exporter))
        if settings.xray != "none":
            xray_exporter = _xray_exporter(settings, meter_provider)
            processors.append(self._span_processor("X-Ray", xray_exporter))
        return processors

    def metric_readers(self) -> list[MetricReader]:
        """Return the metric readers of OTLP. The caller calls `collect` at every interval."""
        settings = self._settings
        if not settings.metrics_url or settings.is_sdk_disabled:
            return []
        headers = _honeycomb_headers(settings)
        if headers:  # without it Honeycomb stores metrics in the dataset unknown_metrics
            service = str(service_resource(settings).attributes["service.name"])
            headers["x-honeycomb-dataset"] = f"{service}_metrics"
        exporter = otlp.metric_exporter(settings, settings.metrics_url, headers)
        export_queue = ExportQueue(
            f"{_backend_name(settings)} metrics",
            otlp.metric_sender(exporter),
            capacity=3,
            batch=1,
            abort=exporter.abort,
        )
        exporter.queue = export_queue
        self.export_queues.append(export_queue)
        # With a finite interval, the reader would start a thread here.
        return [PeriodicExportingMetricReader(exporter, export_interval_millis=inf)]

    def log_handlers(self, resource: Resource) -> list[logging.Handler]:
        """Return the log handlers of OTLP, with a resource, and of CloudWatch."""
        settings = self._settings
        export_queues: list[ExportQueue[Any]] = []
        if settings.logs_url and not settings.is_sdk_disabled:
            exporter = otlp.log_exporter(settings, settings.logs_url, _honeycomb_headers(settings))
            export_queues.append(
                ExportQueue(
                    f"{_backend_name(settings)} logs",
                    otlp.log_sender(exporter, resource),
                    capacity=settings.log_queue,
                    batch=settings.log_batch,
                    delay=settings.log_delay / 1000,
                    abort=exporter.shutdown,
                )
            )
        if settings.cloudwatch_log_group:
            cloudwatch = CloudWatchLogs(
                log_group=settings.cloudwatch_log_group,
                retention_days=settings.cloudwatch_retention,
                constants=log_constants(settings),
                with_xray_ids=settings.xray != "none",
                region=settings.aws_region,
            )
            export_queues.append(cloudwatch.export_queue)
        self.export_queues += export_queues
        return [ExportHandler(export_queue) for export_queue in export_queues]

    def reporters(self) -> list[Reporter]:
        """Return the reporter of Rollbar."""
        settings = self._settings
        if not settings.rollbar_access_token:
            return []
        resource = service_resource(settings).attributes
        reporter = RollbarReporter(
            access_token=settings.rollbar_access_token,
            endpoint=settings.rollbar_endpoint,
            environment=str(resource["deployment.environment.name"]),
            code_version=str(resource["service.version"]),
            service_name=str(resource["service.name"]),
            instance_id=str(resource["service.instance.id"]),
            trace_url=settings.trace_url,
        )
        self.export_queues.append(reporter.export_queue)
        return [reporter]

    def _span_processor(self, sink: str, exporter: SpanExporter) -> SpanProcessor:
        settings = self._settings
        export_queue = ExportQueue(
            sink,
            otlp.span_sender(exporter),
            capacity=settings.span_queue,
            batch=settings.span_batch,
            delay=settings.span_delay / 1000,
            abort=exporter.shutdown,
        )
        self.export_queues.append(export_queue)
        return otlp.ExportProcessor(export_queue)


def require_extras(settings: Settings) -> None:
    """Raise SettingsError if an enabled sink needs an extra that is not installed."""
    missing = {
        extra: package
        for is_on, package, extra in (
            (bool(settings.cloudwatch_log_group), "watchtower", "aws"),
            (settings.xray in {"api", "otlp"}, "boto3", "aws"),
            (settings.picture_bucket is not None, "botocore", "aws"),
            (bool(settings.bus), "redis", "redis"),
            (bool(settings.rollbar_access_token), "rollbar", "rollbar"),
        )
        if is_on and find_spec(package) is None
    }
    if missing:
        packages = " and ".join(missing.values()) + (" are" if len(missing) > 1 else " is")
        raise SettingsError(f"{packages} not installed: {install_hint(*missing)}")


def describe_sinks(settings: Settings) -> str:
    """Return a description of the enabled sinks for the log, without secrets."""
    sinks = [] if settings.is_sdk_disabled else _described_exporters(settings)
    if settings.rollbar_access_token:
        sinks.append("Rollbar")
    if settings.cloudwatch_log_group:
        sinks.append(f"CloudWatch logs in {settings.cloudwatch_log_group}")
    sinks.append("logs on standard output")
    if settings.is_sdk_disabled:
        sinks.append("tracing is switched off")
    return ", ".join(sinks)


def _described_exporters(settings: Settings) -> list[str]:
    signals: dict[str, list[str]] = {}
    for signal in ("traces", "metrics", "logs"):
        if url := getattr(settings, f"{signal}_url"):
            signals.setdefault(_origin(url), []).append(signal)
    name = _backend_name(settings)
    sinks = [f"{name} at {origin} ({', '.join(sent)})" for origin, sent in signals.items()]
    if settings.xray != "none":
        destination = (
            settings.xray_daemon_address if settings.xray == "daemon" else settings.aws_region
        )
        sinks.append(f"X-Ray ({settings.xray}, {destination})")
    if sinks and settings.sample_ratio < 1:
        sinks.append(f"{settings.sample_ratio:.4g} of the traces")
    return sinks


def _xray_exporter(settings: Settings, meter_provider: MeterProvider) -> SpanExporter:
    if settings.xray == "daemon":
        return DaemonExporter(settings.xray_daemon_address)
    if settings.xray == "api":
        return PutTraceSegmentsExporter(settings.aws_region)
    url = settings.xray_endpoint.rstrip("/")
    return otlp.xray_exporter(
        settings,
        f"{url}/v1/traces" if url else sigv4.endpoint(settings.aws_region),
        sigv4.signed_session(settings.aws_region),
        meter_provider,
    )


def _backend_name(settings: Settings) -> str:
    return "Honeycomb" if settings.honeycomb_api_key else "OTLP"


def _honeycomb_headers(settings: Settings) -> dict[str, str]:
    key = settings.honeycomb_api_key
    return {"x-honeycomb-team": key} if key else {}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"

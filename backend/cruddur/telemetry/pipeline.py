"""The whole of an application's telemetry: instruments, sinks, start, end and health."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from math import inf
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from opentelemetry import propagate
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import Span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from quart import Quart

from cruddur import __version__
from cruddur.settings import Settings, SettingsError
from cruddur.telemetry import metrics, otlp
from cruddur.telemetry.background import background
from cruddur.telemetry.cloudwatch import CloudWatchLogs
from cruddur.telemetry.courier import Courier, Delivery
from cruddur.telemetry.failures import report
from cruddur.telemetry.logs import CourierHandler, Line, write_lines
from cruddur.telemetry.rollbar import RollbarReporter
from cruddur.telemetry.sampling import EdgeSampler
from cruddur.telemetry.server import instrument
from cruddur.telemetry.work import Instruments, Reporter
from cruddur.telemetry.xray import sigv4
from cruddur.telemetry.xray.api import PutTraceSegmentsExporter
from cruddur.telemetry.xray.daemon import DaemonExporter

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 4.5
"""How long all sinks together may take for what is still queued when the service ends:
with three for the requests and the rest for the process itself, it is gone within eight."""

LONGEST_TIMEOUT = 60.0
"""Seconds; a longer time-out is more likely one in milliseconds, as the specification has
it and the SDK for Python has not."""

# The stable names. The instrumentations read this once, when the first of them is made.
os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"


class Telemetry:
    """One application's telemetry, by its settings alone.

    Nothing is opened, started or imported for a sink before `running`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        processors: Sequence[SpanProcessor] = (),
        readers: Sequence[MetricReader] = (),
        reporters: Sequence[Reporter] = (),
    ) -> None:
        """Put the pipeline together.

        Args:
            settings: which sinks there are.
            processors, readers, reporters: further receivers of spans, metrics and failures.

        Raises:
            SettingsError: a sink needs an extra that is not installed.
        """
        require_extras(settings)
        self._settings = settings
        self._resource = _resource(settings)
        self.couriers: list[Courier[Any]] = []
        self._handlers: list[logging.Handler] = []
        self._reporters = [*reporters]
        is_on = not settings.is_sdk_disabled
        self._readers = [*(self._metric_sinks() if is_on else ()), *readers]
        self._meter_provider: MeterProvider = (
            metrics.meter_provider(self._resource, self._readers)
            if self._readers
            else NoOpMeterProvider()
        )
        self._meter = self._meter_provider.get_meter("cruddur", __version__)
        # The SDK's own metrics cost each span something, and nobody would receive them.
        os.environ["OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"] = str(bool(self._readers)).lower()
        span_processors = [*(self._span_sinks() if is_on else ()), *processors]
        self._log_sinks()
        self._failure_sinks()
        # Without a receiver the ids are all that is wanted, and nothing else is paid for.
        self._tracer_provider = TracerProvider(
            sampler=EdgeSampler(
                settings.sample_ratio if span_processors else 0.0,
                settings.connection_url.encode(),  # a secret that all processes share
            ),
            resource=self._resource,
            shutdown_on_exit=False,
            meter_provider=self._meter_provider,
        )
        for processor in span_processors:
            self._tracer_provider.add_span_processor(processor)
        self.instruments = Instruments(
            tracer=self._tracer_provider.get_tracer("cruddur", __version__),
            database=_database(settings.connection_url),
            counters=metrics.counters(self._meter),
            gauges=metrics.gauges(self._meter),
            histograms=metrics.histograms(self._meter),
            reporters=tuple(self._reporters),
        )
        # Baggage is a stranger's at a public edge, and would go to every host that we call.
        propagate.set_global_textmap(TraceContextTextMapPropagator())

    def wrap(self, app: Quart) -> None:
        """Give the application its server spans, log lines and failure reports."""
        # How Quart says to wrap it; its scopes and messages are typed dictionaries.
        app.asgi_app = instrument(  # type: ignore[method-assign, assignment]  # as said
            app.asgi_app,  # type: ignore[arg-type]  # as said
            app.url_map,
            self.instruments,
            self._tracer_provider,
            self._meter_provider,
            self._settings.origins,
        )

    def trace_calls(self, client: httpx.AsyncClient) -> None:
        """Give each call of the client a span."""

        async def name(span: Span, call: Any) -> None:
            method, url = call.method.decode(), httpx.URL(str(call.url))
            span.update_name(f"{method} {url.host}")

        HTTPXClientInstrumentor.instrument_client(
            client,
            tracer_provider=self._tracer_provider,
            meter_provider=self._meter_provider,
            request_hook=name,
        )

    def watch_pool(self, pool: metrics.Pool) -> None:
        """Measure the pool of database connections from now on."""
        metrics.observe_pool(self._meter, pool)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver to the sinks inside, and what is left within CLOSE_SECONDS at the end.

        An exception that leaves it is a start or a stop that failed, and is reported.
        """
        if self._settings.otlp_timeout > LONGEST_TIMEOUT:
            logger.warning(
                "OTEL_EXPORTER_OTLP_TIMEOUT is in seconds: %g is %.1f hours",
                self._settings.otlp_timeout,
                self._settings.otlp_timeout / 3600,
            )
        for courier in self.couriers:
            courier.start()
        for handler in self._handlers:
            logging.getLogger().addHandler(handler)
        metrics.observe_process(self._meter)
        metrics.observe_couriers(self._meter, self.couriers)
        lag = self.instruments.histograms["app.event_loop.lag"]
        tasks = [
            asyncio.create_task(metrics.measure_lag(lag)),
            asyncio.create_task(self._collect_metrics()),
        ]
        try:
            yield
        except Exception as error:
            with background("lifespan", self.instruments):
                report(error, "the start or the stop")
            raise
        finally:
            for task in tasks:
                task.cancel()
            await self._close()

    def health(self) -> list[Delivery]:
        """How each sink is doing."""
        return [courier.delivery() for courier in self.couriers]

    async def _collect_metrics(self) -> None:
        """Until cancelled: hand the metrics to their couriers, every interval."""
        while True:
            await asyncio.sleep(self._settings.metric_interval / 1000)
            for reader in self._readers:
                try:
                    await asyncio.to_thread(reader.collect)
                except Exception:
                    logger.exception("the metrics could not be collected")

    async def _close(self) -> None:
        """End all sinks at once, each in a thread that nobody has to wait for."""
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
        loop = asyncio.get_running_loop()
        closed = asyncio.Event()
        threading.Thread(target=self._close_sinks, args=(loop, closed), daemon=True).start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), CLOSE_SECONDS)

    def _close_sinks(self, loop: asyncio.AbstractEventLoop, closed: asyncio.Event) -> None:
        deadline = time.monotonic() + CLOSE_SECONDS - 0.1
        for reader in self._readers:
            try:
                reader.collect()  # the last ones
                reader.shutdown()
            except Exception:
                logger.exception("the last metrics could not be collected")
        closers = [
            threading.Thread(target=courier.close, args=(deadline - time.monotonic(),), daemon=True)
            for courier in self.couriers
        ]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(RuntimeError):  # the loop did not wait
            loop.call_soon_threadsafe(closed.set)

    def _span_sinks(self) -> list[SpanProcessor]:
        settings = self._settings
        processors: list[SpanProcessor] = []
        if settings.traces_url:
            exporter = otlp.span_exporter(
                settings.traces_url,
                headers=_honeycomb_headers(settings),
                meter_provider=self._meter_provider,
            )
            processors.append(self._span_sink(_backend_name(settings), exporter))
        if settings.xray != "none":
            processors.append(self._span_sink("X-Ray", self._xray_exporter()))
        return processors

    def _span_sink(self, sink: str, exporter: SpanExporter) -> SpanProcessor:
        settings = self._settings
        courier = Courier(
            sink,
            otlp.span_delivery(exporter),
            capacity=settings.span_queue,
            batch=settings.span_batch,
            delay=settings.span_delay / 1000,
            abort=exporter.shutdown,
        )
        self.couriers.append(courier)
        return otlp.CourierProcessor(courier)

    def _xray_exporter(self) -> SpanExporter:
        settings = self._settings
        if settings.xray == "daemon":
            return DaemonExporter(settings.xray_daemon_address)
        if settings.xray == "api":
            return PutTraceSegmentsExporter(settings.aws_region)
        url = settings.xray_endpoint.rstrip("/")
        return otlp.span_exporter(
            f"{url}/v1/traces" if url else sigv4.endpoint(settings.aws_region),
            session=sigv4.signed_session(settings.aws_region),
            meter_provider=self._meter_provider,
        )

    def _metric_sinks(self) -> list[MetricReader]:
        settings = self._settings
        if not settings.metrics_url:
            return []
        headers = _honeycomb_headers(settings)
        if headers:  # without a dataset Honeycomb files them under unknown_metrics
            headers["x-honeycomb-dataset"] = f"{settings.service_name}_metrics"
        exporter = otlp.metric_exporter(settings.metrics_url, headers)
        courier = Courier(
            f"{_backend_name(settings)} metrics",
            otlp.metric_delivery(exporter),
            capacity=3,
            batch=1,
            abort=exporter.shutdown,
        )
        self.couriers.append(courier)
        # Collected by `running`: with an interval of its own it would start a thread here.
        return [
            PeriodicExportingMetricReader(otlp.CourierMetrics(courier), export_interval_millis=inf)
        ]

    def _log_sinks(self) -> None:
        settings = self._settings
        if settings.logs_url and not settings.is_sdk_disabled:
            exporter = otlp.log_exporter(settings.logs_url, _honeycomb_headers(settings))
            courier = Courier(
                f"{_backend_name(settings)} logs",
                otlp.log_delivery(exporter, self._resource),
                delay=settings.span_delay / 1000,
                abort=exporter.shutdown,
            )
            self._add_log_sink(courier)
        if settings.cloudwatch_log_group:
            sink = CloudWatchLogs(
                log_group=settings.cloudwatch_log_group,
                retention_days=settings.cloudwatch_retention,
                constants=log_constants(settings),
                with_xray_ids=settings.xray != "none",
                region=settings.aws_region,
            )
            self._add_log_sink(sink.courier)

    def _add_log_sink(self, courier: Courier[Line]) -> None:
        self.couriers.append(courier)
        self._handlers.append(CourierHandler(courier))

    def _failure_sinks(self) -> None:
        settings = self._settings
        if settings.rollbar_access_token:
            reporter = RollbarReporter(
                access_token=settings.rollbar_access_token,
                endpoint=settings.rollbar_endpoint,
                environment=settings.environment,
                code_version=__version__,
                service_name=settings.service_name,
                trace_url=settings.trace_url,
            )
            self.couriers.append(reporter.courier)
            self._reporters.append(reporter)


def require_extras(settings: Settings) -> None:
    """Raise SettingsError when a sink is on and what it needs is not installed."""
    for is_on, package, extra in (
        (bool(settings.rollbar_access_token), "rollbar", "rollbar"),
        (bool(settings.cloudwatch_log_group), "watchtower", "aws"),
        (settings.xray in {"api", "otlp"}, "boto3", "aws"),
    ):
        if is_on and find_spec(package) is None:
            raise SettingsError(f"{package} is not installed: pip install 'cruddur[{extra}]'")


def configure_logging(settings: Settings) -> None:
    """Send every logger's lines to standard output, as the settings say."""
    write_lines(
        settings.log_level,
        form=settings.log_format,
        constants=log_constants(settings),
        with_xray_ids=settings.xray != "none",
        trace_url=settings.trace_url,
    )


def log_constants(settings: Settings) -> dict[str, AttributeValue]:
    """What every exported or JSON log line ends with."""
    return {"service.name": settings.service_name, "service.version": __version__}


def describe_sinks(settings: Settings) -> str:
    """The sinks that are on, in words, for the start; never a secret."""
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
        way = settings.xray_daemon_address if settings.xray == "daemon" else settings.aws_region
        sinks.append(f"X-Ray ({settings.xray}, {way})")
    if sinks and settings.sample_ratio < 1:
        sinks.append(f"{settings.sample_ratio:.4g} of the traces")
    return sinks


async def report_failed_start(settings: Settings, error: Exception) -> None:
    """Tell the sinks of a start that failed before there was an application."""
    telemetry = Telemetry(settings)
    if telemetry.couriers:
        with contextlib.suppress(type(error)):
            async with telemetry.running():
                raise error


def _backend_name(settings: Settings) -> str:
    return "Honeycomb" if settings.honeycomb_api_key else "OTLP"


def _honeycomb_headers(settings: Settings) -> dict[str, str]:
    key = settings.honeycomb_api_key
    return {"x-honeycomb-team": key} if key else {}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"


def _resource(settings: Settings) -> Resource:
    """Who speaks; OTEL_RESOURCE_ATTRIBUTES may add to it and correct it."""
    own = Resource.create(
        {
            "service.name": settings.service_name,
            "service.version": __version__,
            "service.instance.id": str(uuid4()),
            "deployment.environment.name": settings.environment,
            "process.pid": os.getpid(),
        }
    )
    found = own.merge(OTELResourceDetector().detect())
    if settings.cloudwatch_log_group:
        found = found.merge(Resource({"aws.log.group.names": [settings.cloudwatch_log_group]}))
    return found


def _database(url: str) -> dict[str, AttributeValue]:
    """The attributes of every statement: which system, database and server."""
    parts = urlsplit(url)
    attributes: dict[str, AttributeValue] = {"db.system.name": "postgresql"}
    if name := parts.path.strip("/"):
        attributes["db.namespace"] = name
    if parts.hostname and "," not in parts.netloc:  # of several nobody knows beforehand
        attributes["server.address"] = parts.hostname
        attributes["server.port"] = parts.port or 5432
    return attributes

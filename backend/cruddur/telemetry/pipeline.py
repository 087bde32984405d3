"""The telemetry of one application: create it, start it, stop it, and report its health."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from opentelemetry import propagate
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Span, format_span_id, format_trace_id
from opentelemetry.util.types import AttributeValue

from cruddur.settings import Settings
from cruddur.settings.database_url import database_name, server_addresses
from cruddur.settings.library_variables import default_variable, prefer_stable_conventions
from cruddur.settings.proxies import exempt_loopback
from cruddur.telemetry import metrics, otlp
from cruddur.telemetry.background import background
from cruddur.telemetry.browser import BrowserReceiver
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.export_queue import ExportStatus
from cruddur.telemetry.logs import write_lines
from cruddur.telemetry.operation import Failure, Instruments, Reporter, current_operation
from cruddur.telemetry.propagation import make_propagator
from cruddur.telemetry.redaction import REDACTED
from cruddur.telemetry.resource import log_constants, service_resource
from cruddur.telemetry.sampling import EdgeSampler
from cruddur.telemetry.sinks import Sinks, require_extras
from cruddur.version import __version__

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 3.5
"""Time for all sinks together to send the queued items when the service stops."""

STOP_SECONDS = 6.0
"""Time from the instant at which the server begins to stop until all sinks are closed.

Requests may take 3 s of it, and closing the database connections takes some, too: the sinks get the
rest, but at most CLOSE_SECONDS. So the exit of the process has 2 s of the promised 8 s.
"""

MIN_CLOSE_SECONDS = 0.5
"""Time that the sinks get in any case."""

DELIVERY_TEST = "cruddur doctor checks that this arrives"
"""The message of what `deliver_test` sends."""


class DeliveryTestError(Exception):
    """Nothing has failed: `cruddur doctor` checks that reports arrive."""


@dataclass(frozen=True, slots=True)
class DeliveryTest:
    """What the sinks did with one item of each kind.

    Attributes:
        trace_id: the trace of the span, the log line and the failure.
        item_uuid: that of the item in Rollbar; empty if there is none.
        statuses: the state of each sink afterwards.
    """

    trace_id: str
    item_uuid: str
    statuses: list[ExportStatus]


# The instrumentations read this choice once, when the first one is constructed.
prefer_stable_conventions()


class Telemetry:
    """The telemetry that the settings of one application describe.

    Nothing is opened or started for a sink, and no optional library is imported, before `running`.

    Attributes:
        tracer_provider, meter_provider: used by the instrumentations.
        is_sampling: whether only a fraction of the traces is kept.
        instruments: used by units of work.
        export_queues: one per sink.
        browser: receives the telemetry of pages; None if that is off.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        processors: Sequence[SpanProcessor] = (),
        readers: Sequence[MetricReader] = (),
        reporters: Sequence[Reporter] = (),
    ) -> None:
        """Create the pipeline; `running` starts it.

        Args:
            settings: name the sinks.
            processors, readers, reporters: additional receivers of spans, metrics and failures.

        Raises:
            SettingsError: a sink needs an extra that is not installed.
        """
        require_extras(settings)
        self._settings = settings
        self._resource = service_resource(settings)
        self._close_by = float("inf")
        exempt_loopback()
        sinks = Sinks(settings)
        self.export_queues = sinks.export_queues
        self._readers = [*sinks.metric_readers(), *readers]
        self.meter_provider: MeterProvider = (
            metrics.meter_provider(self._resource, self._readers)
            if self._readers
            else NoOpMeterProvider()
        )
        self._meter = self.meter_provider.get_meter("cruddur", __version__)
        # Let the SDK measure itself only if there are readers, because that makes spans slower.
        has_readers = str(bool(self._readers)).lower()
        with default_variable("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", has_readers):
            span_processors = [*sinks.span_processors(self.meter_provider), *processors]
            self._handlers = sinks.log_handlers(self._resource)
            # Without a processor, only the ids are needed: record nothing.
            ratio = settings.sample_ratio if span_processors else 0.0
            self.is_sampling = 0 < ratio < 1
            # The key is a secret that all processes share.
            sampler = EdgeSampler(ratio, settings.connection_url.encode())
            self.tracer_provider = self._create_tracer_provider(sampler, span_processors)
            tracer = self.tracer_provider.get_tracer("cruddur", __version__)
        self.instruments = Instruments(
            tracer=tracer,
            database=_database(settings.connection_url),
            counters=metrics.counters(self._meter),
            gauges=metrics.gauges(self._meter),
            histograms=metrics.histograms(self._meter),
            reporters=(*sinks.reporters(), *reporters),
        )
        self.browser: BrowserReceiver | None = None
        if settings.is_browser_telemetry_on and ratio > 0:
            self.browser = BrowserReceiver(
                self._resource, sampler, span_processors, self.export_queues
            )
        propagate.set_global_textmap(make_propagator(settings.propagators))

    def _create_tracer_provider(
        self, sampler: EdgeSampler, processors: Sequence[SpanProcessor]
    ) -> TracerProvider:
        provider = TracerProvider(
            sampler=sampler,
            resource=self._resource,
            shutdown_on_exit=False,
            meter_provider=self.meter_provider,
        )
        for processor in processors:
            provider.add_span_processor(processor)
        return provider

    def trace_calls(self, client: httpx.AsyncClient, *, is_private: bool = False) -> None:
        """Record a span for each call of an HTTP client.

        Args:
            client: the client.
            is_private: users choose the URLs, so spans do not show them, and there are no metrics,
                because their number would grow with each host.
        """

        async def name(span: Span, call: Any) -> None:
            method, url = call.method.decode(), httpx.URL(str(call.url))
            span.update_name(f"{method} {url.host}")
            if is_private:
                span.set_attribute("url.full", f"{url.scheme}://{url.host}/{REDACTED}")

        HTTPXClientInstrumentor.instrument_client(
            client,
            tracer_provider=self.tracer_provider,
            meter_provider=NoOpMeterProvider() if is_private else self.meter_provider,
            request_hook=name,
        )

    def watch_pool(self, pool: metrics.Pool) -> None:
        """Observe the pool of database connections."""
        metrics.observe_pool(self._meter, pool)

    def watch_replicas(self, lags: Callable[[], Mapping[int, int]]) -> None:
        """Observe the lag of each replica in bytes, by its number."""
        metrics.observe_replicas(self._meter, lags)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver to the sinks inside the block; send queued items within CLOSE_SECONDS after it.

        An exception from the block means that the start or the stop failed. It is reported.
        """
        for variable, seconds in otlp.long_timeouts(self._settings).items():
            logger.warning("%s is in seconds: %g is %.1f hours", variable, seconds, seconds / 3600)
        for export_queue in self.export_queues:
            export_queue.start()
        for handler in self._handlers:
            logging.getLogger().addHandler(handler)
        metrics.observe_process(self._meter)
        metrics.observe_export_queues(self._meter, self.export_queues)
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

    async def deliver_test(self, seconds: float) -> DeliveryTest:
        """Send a span, a log line, the metrics and a failure to the sinks, and close them.

        For a process that only checks its sinks, instead of `running`.

        Args:
            seconds: time limit of all deliveries.
        """
        for export_queue in self.export_queues:
            export_queue.start()
        metrics.observe_process(self._meter)
        with background("doctor", self.instruments) as span:
            ids = span.get_span_context()
            trace_id, span_id = format_trace_id(ids.trace_id), format_span_id(ids.span_id)
            line = logger.makeRecord(
                "cruddur.doctor", logging.INFO, __file__, 0, DELIVERY_TEST, (), None
            )
            for handler in self._handlers:
                handler.handle(line)
            failure = Failure(
                error=DeliveryTestError(DELIVERY_TEST),
                message=DELIVERY_TEST,
                stacktrace="",
                what="cruddur doctor",
                operation=current_operation(),
                trace_id=trace_id,
                span_id=span_id,
            )
            items = [reporter.report(failure) for reporter in self.instruments.reporters]
        await self._close(seconds)
        return DeliveryTest(trace_id, next(filter(None, items), ""), self.health())

    def begin_stop(self) -> None:
        """Start the clock: the server has begun to stop, and `running` ends after its requests."""
        self._close_by = time.monotonic() + STOP_SECONDS

    def health(self) -> list[ExportStatus]:
        """Return the state of each sink."""
        return [export_queue.status() for export_queue in self.export_queues]

    async def _collect_metrics(self) -> None:
        """Queue the metrics at every interval, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.metric_interval / 1000)
            for reader in self._readers:
                try:
                    await asyncio.to_thread(reader.collect)
                except Exception:
                    logger.exception("the metrics could not be collected")

    async def _close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Close all sinks at the same time, each in a daemon thread that cannot delay the exit."""
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
        now = time.monotonic()
        deadline = max(now + MIN_CLOSE_SECONDS, min(now + seconds, self._close_by))
        loop = asyncio.get_running_loop()
        closed = asyncio.Event()
        threading.Thread(
            target=self._close_sinks, args=(deadline - 0.1, loop, closed), daemon=True
        ).start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), deadline - now)

    def _close_sinks(
        self, deadline: float, loop: asyncio.AbstractEventLoop, closed: asyncio.Event
    ) -> None:
        for reader in self._readers:
            try:
                reader.collect()  # the last values
                reader.shutdown()
            except Exception:
                logger.exception("the last metrics could not be collected")
        closers = [
            threading.Thread(
                target=export_queue.close, args=(deadline - time.monotonic(),), daemon=True
            )
            for export_queue in self.export_queues
        ]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(closed.set)


def configure_logging(settings: Settings) -> None:
    """Write the lines of all loggers to standard output, in the form of the settings."""
    write_lines(
        settings.log_level,
        form=settings.log_format,
        constants=log_constants(settings),
        with_xray_ids=settings.xray != "none",
        trace_url=settings.trace_url,
    )


async def report_failed_start(settings: Settings, error: Exception) -> None:
    """Report a start that failed before the application existed."""
    telemetry = Telemetry(settings)
    if telemetry.export_queues:
        with contextlib.suppress(type(error)):
            async with telemetry.running():
                raise error


def _database(url: str) -> dict[str, AttributeValue]:
    """Return the attributes of every statement: database system, name and server."""
    attributes: dict[str, AttributeValue] = {"db.system.name": "postgresql"}
    if name := database_name(url):
        attributes["db.namespace"] = name
    servers = server_addresses(url)
    if len(servers) == 1 and not servers[0][0].startswith("/"):  # a socket has no port
        attributes["server.address"], attributes["server.port"] = servers[0]
    return attributes

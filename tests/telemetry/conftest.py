"""An application that keeps its spans and metrics in memory, with failing routes."""

from collections.abc import AsyncIterator

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from support import Api, serving_on_a_socket, visiting
from telemetry.recorded import Recorded, Reports, until
from telemetry.trial import misbehave


@pytest.fixture(scope="session")
def spans() -> InMemorySpanExporter:
    """Every span that ended."""
    return InMemorySpanExporter()


@pytest.fixture(scope="session")
def reader() -> InMemoryMetricReader:
    """Every metric, collected on request."""
    return InMemoryMetricReader()


@pytest.fixture(scope="session")
def reports() -> Reports:
    """Every failure that was reported."""
    return Reports()


@pytest.fixture(scope="session")
async def traced_app(
    worker_settings: Settings,
    spans: InMemorySpanExporter,
    reader: InMemoryMetricReader,
    reports: Reports,
) -> AsyncIterator[Quart]:
    """The application with its telemetry in memory, started, after its only sweep."""
    telemetry = Telemetry(
        worker_settings,
        processors=[SimpleSpanProcessor(spans)],
        readers=[reader],
        reporters=[reports],
    )
    app = create_app(worker_settings, telemetry)
    misbehave(app)
    async with app.test_app():
        await until(lambda: any(span.name == "sweep" for span in spans.get_finished_spans()))
        yield app


@pytest.fixture
async def traced(
    traced_app: Quart, spans: InMemorySpanExporter, reports: Reports, settings: Settings
) -> AsyncIterator[Api]:
    """The in-process API of the application, with nothing recorded yet."""
    spans.clear()
    reports.failures.clear()
    async with visiting(traced_app) as api:
        yield api


@pytest.fixture
def recorded(traced: Api, spans: InMemorySpanExporter) -> Recorded:
    """The telemetry that was recorded since the test began."""
    return Recorded(spans)


@pytest.fixture
async def served(traced: Api, traced_app: Quart) -> AsyncIterator[str]:
    """The URL of the same application behind a real Hypercorn."""
    async with serving_on_a_socket(traced_app) as url:
        yield url

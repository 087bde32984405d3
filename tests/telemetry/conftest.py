"""An application whose spans and metrics stay in memory, with routes that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from support import Api, visiting
from telemetry.recorded import Recorded, Reports
from telemetry.trial import misbehave


@pytest.fixture(scope="session")
def spans() -> InMemorySpanExporter:
    """Every span that ended."""
    return InMemorySpanExporter()


@pytest.fixture(scope="session")
def reader() -> InMemoryMetricReader:
    """Every metric, when asked."""
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
    """The application with its telemetry in memory, started."""
    telemetry = Telemetry(
        worker_settings,
        processors=[SimpleSpanProcessor(spans)],
        readers=[reader],
        reporters=[reports],
    )
    app = create_app(worker_settings, telemetry)
    app.config["RELEASE"] = asyncio.Event()
    misbehave(app)
    async with app.test_app():
        yield app


@pytest.fixture
async def traced(
    traced_app: Quart, spans: InMemorySpanExporter, reports: Reports, settings: Settings
) -> AsyncIterator[Api]:
    """Its API, in-process, with nothing recorded yet."""
    spans.clear()
    reports.failures.clear()
    async with visiting(traced_app) as api:
        yield api


@pytest.fixture
def recorded(traced: Api, spans: InMemorySpanExporter) -> Recorded:
    """What was recorded since the test began."""
    return Recorded(spans)


@pytest.fixture
async def served(traced: Api, traced_app: Quart) -> AsyncIterator[str]:
    """The same application behind a real Hypercorn; its URL."""
    async with serving_on_a_socket(traced_app) as url:
        yield url


@asynccontextmanager
async def serving_on_a_socket(app: Quart) -> AsyncIterator[str]:
    """Serve an application that is started already; yields its URL."""
    stop = asyncio.Event()
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.graceful_timeout = 1
    sockets = config.create_sockets()
    port = sockets.insecure_sockets[0].getsockname()[1]
    config.create_sockets = lambda: sockets  # type: ignore[method-assign]  # bound already

    async def without_lifespan(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": f"{message['type']}.complete"})
        else:
            await app(scope, receive, send)

    server = asyncio.create_task(serve(without_lifespan, config, shutdown_trigger=stop.wait))
    try:
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/api/health-check")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await server

"""Fixtures: the trace viewer in-process, and a small one that evicts early."""

from collections.abc import AsyncIterator

import httpx
import pytest
from samples import Viewer

from traceview.app import create_app
from traceview.store import Bounds


@pytest.fixture
async def viewer() -> AsyncIterator[Viewer]:
    """An empty viewer."""
    async with _client() as client:
        yield Viewer(client)


@pytest.fixture
async def small_viewer() -> AsyncIterator[Viewer]:
    """A viewer limited to 5 traces and 400 kB, with 10 spans and 5 log lines per trace."""
    bounds = Bounds(traces=5, total_bytes=400_000, spans_per_trace=10, lines_per_trace=5)
    async with _client(bounds) as client:
        yield Viewer(client)


def _client(bounds: Bounds | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_app(bounds=bounds))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4318")

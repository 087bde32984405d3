"""Fixtures: the trace viewer in-process, a small one, one with a file, and both in a browser."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, expect
from samples import Viewer, client
from screens import Screen, Server, open_page

from patience import PATIENCE
from support import serving_on_a_socket
from traceview.app import create_app
from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds
from traceview.store import Bounds


@pytest.fixture(scope="session", autouse=True)
def _explorer_patience() -> Iterator[None]:
    """Let queries, senders and forwarded requests take as long as a busy machine needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("traceview.storage.database.QUERY_SECONDS", PATIENCE)
        patch.setattr("traceview.receiver.WAIT_SECONDS", PATIENCE)
        patch.setattr("traceview.forwarding.TIMEOUT_SECONDS", PATIENCE)
        yield


@pytest.fixture
async def viewer() -> AsyncIterator[Viewer]:
    """An empty viewer."""
    async with client() as http:
        yield Viewer(http)


@pytest.fixture
async def small_viewer() -> AsyncIterator[Viewer]:
    """A viewer limited to 5 traces and 400 kB, with 10 spans and 5 log lines per trace."""
    bounds = Bounds(traces=5, total_bytes=400_000, spans_per_trace=10, lines_per_trace=5)
    async with client(bounds) as http:
        yield Viewer(http)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[TraceFile]:
    """A new file."""
    opened = TraceFile(tmp_path / "traces.duckdb", FileBounds())
    yield opened
    opened.close(PATIENCE)


@pytest.fixture
async def explorer(file: TraceFile) -> AsyncIterator[Viewer]:
    """A viewer that stores everything in a new file."""
    async with client(file=file) as http:
        yield Viewer(http)


@pytest.fixture(scope="module")
async def shared_explorer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Viewer]:
    """A viewer with a file for all tests of a module that only read."""
    file = TraceFile(tmp_path_factory.mktemp("shared") / "traces.duckdb", FileBounds())
    async with client(file=file) as http:
        yield Viewer(http)
    file.close(PATIENCE)


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[Server]:
    """The server of all explorers in a browser."""
    made = Server()
    async with serving_on_a_socket(made) as made.url:
        yield made


@pytest.fixture(scope="session")
async def context(browser: Browser, server: Server) -> AsyncIterator[BrowserContext]:
    """The browser of all explorers, because a page in a used browser needs half of the CPU time.

    Its first page stays open, so that its process does.
    """
    opened = await browser.new_context(
        base_url=server.url,
        viewport={"width": 1280, "height": 800},
        reduced_motion="reduce",  # an animation is drawn 60 times a second
    )
    opened.set_default_timeout(PATIENCE * 1000)
    page = await opened.new_page()
    await page.goto("/healthz")
    yield opened
    await opened.close()


@pytest.fixture
async def screen(server: Server, context: BrowserContext) -> AsyncIterator[Screen]:
    """An explorer without traces, in a browser. An unannounced error fails the test."""
    expect.set_options(timeout=PATIENCE * 1000)
    server.explorer = create_app()
    async with open_page(context, server.url) as opened:
        yield opened
    assert opened.troubles == []


@pytest.fixture
async def stored(file: TraceFile, screen: Screen, server: Server) -> Screen:
    """An explorer with a new file, in a browser."""
    server.explorer = create_app(file=file)
    return screen

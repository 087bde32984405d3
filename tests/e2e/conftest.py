"""Fixtures: a real service and browser for each worker, and an empty database for each test.

The service is a separate `python -m cruddur serve` process that also serves the built front
end. Without the build or a browser, these tests are skipped; with CI=true, they fail.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from browsing import do_without
from e2e.gallery import Gallery
from e2e.screen import DESKTOP, DIST, Browsers, Visit, Watch, hand_over, join
from e2e.world import HANDLE, NAME
from patience import PATIENCE
from support import Api, Member, empty
from telemetry.serving import Served, served

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
async def screen_dsn(make_database: Callable[..., Any]) -> str:
    """Return the DSN of the service's own database."""
    dsn: str = await make_database()
    return dsn


@pytest.fixture(scope="session")
def service(screen_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run the service with its front end."""
    if not (DIST / "index.html").is_file():
        do_without("the front end is not built: make test builds it if Node.js is installed")
    directory = tmp_path_factory.mktemp("service")
    variables = {"CRUDDUR_FRONTEND_DIRECTORY": str(DIST), "CRUDDUR_RANKING_INTERVAL": "0"}
    with served(screen_dsn, directory, **variables) as running:
        yield running


@pytest.fixture(scope="session")
async def _screen_inspector(screen_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    # Detect a deadlock after 20 ms instead of 1 s: this connection then gives way to the service,
    # and an autovacuum gives way to it.
    conn = await asyncpg.connect(screen_dsn, server_settings={"deadlock_timeout": "20ms"})
    yield conn
    await conn.close()


@pytest.fixture
async def database(_screen_inspector: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the service's database, which is emptied after the test."""
    yield _screen_inspector
    await empty(_screen_inspector)


@pytest.fixture(scope="session")
async def client(service: Served) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the service with keep-alive connections."""
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, verify=False) as http:
        yield http


@pytest.fixture
def api(client: httpx.AsyncClient, database: asyncpg.Connection) -> Api:
    """The API as an anonymous visitor uses it."""
    return Api(client)


@pytest.fixture
def member(api: Api, database: asyncpg.Connection) -> Callable[..., Any]:
    """Create members: `await member("worf")` has a password and can call the API."""

    async def make(handle: str, display_name: str | None = None) -> Member:
        return await join(api, database, handle, display_name or handle.title())

    return make


@pytest.fixture
async def worf(member: Callable[..., Any]) -> Member:
    """Worf, the main actor of most tests."""
    return await member("worf")


@pytest.fixture
async def odo(member: Callable[..., Any]) -> Member:
    """Odo, the second member."""
    return await member("odo")


@pytest.fixture
def watch(service: Served) -> Watch:
    """The watch over all pages of the test."""
    return Watch(service.url)


@pytest.fixture(scope="session")
async def browsers(browser: Browser, service: Served) -> AsyncIterator[Browsers]:
    """The browsers of all visits."""
    made = Browsers(browser, service)
    yield made
    await made.close()


@pytest.fixture
async def visit(
    browsers: Browsers, service: Served, watch: Watch, database: asyncpg.Connection
) -> AsyncIterator[Visit]:
    """Open browsers. Any unexpected error in them fails the test."""
    opened = []

    async def open_page(
        member: Member | None = None,
        path: str | None = "/",
        *,
        size: ViewportSize = DESKTOP,
    ) -> Page:
        context = await browsers.take()
        opened.append(context)
        watch.follow(context)
        context.set_default_timeout(PATIENCE * 1000)
        if member is not None:
            await hand_over(context, service, member)
        page = await context.new_page()
        if size != DESKTOP:
            await page.set_viewport_size(size)
        if path is not None:
            await page.goto(path)
        return page

    yield open_page
    for context in opened:
        await browsers.give_back(context)
        watch.unfollow(context)
    watch.check()


@pytest.fixture(scope="module")
async def gallery(
    browser: Browser,
    service: Served,
    client: httpx.AsyncClient,
    _screen_inspector: asyncpg.Connection,
) -> AsyncIterator[Gallery]:
    """The browsers of a member and a visitor, for tests that look at every page."""
    andrew = await join(Api(client), _screen_inspector, HANDLE, NAME)
    made = Gallery(browser, service, _screen_inspector, andrew, Watch(service.url))
    yield made
    await made.close()
    await empty(_screen_inspector)

"""A real service and a real browser for each worker, and an empty database for each test.

The service is `python -m cruddur serve`, a process of its own; it serves the built front
end. Without that, or without a browser, these tests are skipped, except where CI=true is
in the environment: there it is a failure.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from browsing import do_without
from e2e.gallery import Gallery
from e2e.screen import DESKTOP, DIST, Scheme, Visit, Watch, join, open_browser
from e2e.world import HANDLE, NAME
from support import Api, Member, empty
from telemetry.serving import Served, served

SECONDS = 15
"""How long anything on screen may take; a busy machine needs a part of it."""

expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="session")
async def screen_dsn(make_database: Callable[..., Any]) -> str:
    """The DSN of the service's own database."""
    dsn: str = await make_database()
    return dsn


@pytest.fixture(scope="session")
def service(screen_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service with its front end, running."""
    if not (DIST / "index.html").is_file():
        do_without("the front end is not built: make test does it where Node.js is")
    directory = tmp_path_factory.mktemp("service")
    variables = {"CRUDDUR_FRONTEND_DIRECTORY": str(DIST), "CRUDDUR_RANKING_INTERVAL": "0"}
    with served(screen_dsn, directory, **variables) as running:
        yield running


@pytest.fixture(scope="session")
async def _screen_inspector(screen_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    # Who waits for whom is looked at after 20 ms instead of a second: then of two that wait for
    # each other this one gives up, and an autovacuum makes way.
    conn = await asyncpg.connect(screen_dsn, server_settings={"deadlock_timeout": "20ms"})
    yield conn
    await conn.close()


@pytest.fixture
async def database(_screen_inspector: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the service's database, which is left empty to the next test."""
    yield _screen_inspector
    await empty(_screen_inspector)


@pytest.fixture(scope="session")
async def client(service: Served) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the service, with connections that stay open."""
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, verify=False) as http:
        yield http


@pytest.fixture
def api(client: httpx.AsyncClient, database: asyncpg.Connection) -> Api:
    """The API as an anonymous visitor calls it."""
    return Api(client)


@pytest.fixture
def member(api: Api, service: Served) -> Callable[..., Any]:
    """Make a member: `await member("worf")` has signed up, and can call the API."""

    async def make(handle: str, display_name: str | None = None) -> Member:
        return await join(api, service, handle, display_name or handle.title())

    return make


@pytest.fixture
async def worf(member: Callable[..., Any]) -> Member:
    """Worf, who acts in most tests."""
    return await member("worf")


@pytest.fixture
async def odo(member: Callable[..., Any]) -> Member:
    """Odo, who looks on."""
    return await member("odo")


@pytest.fixture
def watch(service: Served) -> Watch:
    """What happens behind the pages of the test."""
    return Watch(service.url)


@pytest.fixture
async def visit(
    browser: Browser, service: Served, watch: Watch, database: asyncpg.Connection
) -> AsyncIterator[Visit]:
    """Open browsers, and fail the test for whatever goes wrong in them unannounced."""
    opened = []

    async def open_page(
        member: Member | None = None,
        path: str | None = "/",
        *,
        size: ViewportSize = DESKTOP,
        scheme: Scheme = "dark",
    ) -> Page:
        context = await open_browser(
            browser, service, watch, member, viewport=size, color_scheme=scheme
        )
        context.set_default_timeout(SECONDS * 1000)
        opened.append(context)
        page = await context.new_page()
        if path is not None:
            await page.goto(path)
        return page

    yield open_page
    for context in opened:
        await context.close()
    watch.check()


@pytest.fixture(scope="module")
async def gallery(
    browser: Browser,
    service: Served,
    client: httpx.AsyncClient,
    _screen_inspector: asyncpg.Connection,
) -> AsyncIterator[Gallery]:
    """Andrew's browser and a visitor's, for the tests of a module that look at every page."""
    andrew = await join(Api(client), service, HANDLE, NAME)
    made = Gallery(browser, service, _screen_inspector, andrew, Watch(service.url))
    yield made
    await made.close()
    await empty(_screen_inspector)

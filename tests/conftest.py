"""One real PostgreSQL for the whole run, one database per worker, one application per test run.

The controller starts the embedded server and migrates a template database. Each worker clones it
once, and every test ends by emptying the tables. Tests use the public interface: ASGI with the
application's own lifespan.
"""

import asyncio
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser
from quart import Quart

from browsing import chromium
from cruddur.app import create_app
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate
from cruddur.settings import Settings
from processes import Running, Serve, environment_of
from support import BUILD, Api, Member, empty, free_port

TEMPLATE = "cruddur_template"


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Requirement H3: tests connect only to this machine."""
    if event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if not (host.startswith("127.") or host in {"::1", "localhost", ""}):
            raise OSError(f"tests may only use loopback; this one connects to {host}")


sys.addaudithook(_stay_here)

_server: EmbeddedPostgres | None = None
_directory: str | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start the server and create the template, in the controller."""
    global _server, _directory
    if hasattr(config, "workerinput"):
        return
    _directory = tempfile.mkdtemp(prefix="cruddur-tests-")
    _server = EmbeddedPostgres(Path(_directory), durable=False)
    _server.start()
    _server.create_database(TEMPLATE)
    asyncio.run(migrate(_server.dsn(TEMPLATE)))
    config.stash[_dsn_key] = _server.dsn("postgres")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server in any case."""
    if _server is not None:
        _server.stop()
    if _directory is not None:
        shutil.rmtree(_directory, ignore_errors=True)


_dsn_key = pytest.StashKey[str]()


class _HandOver:
    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass the DSN of the server to each worker."""
        node.workerinput["dsn"] = node.config.stash[_dsn_key]


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    if not manager.has_plugin("hand-over"):
        manager.register(_HandOver(), "hand-over")


@pytest.fixture(scope="session")
def server_dsn(request: pytest.FixtureRequest) -> str:
    """The DSN of the server's maintenance database."""
    workerinput = getattr(request.config, "workerinput", None)
    return workerinput["dsn"] if workerinput else request.config.stash[_dsn_key]


@pytest.fixture(scope="session")
def make_database(server_dsn: str, worker_id: str) -> Callable[..., Any]:
    """Create a database, `of` a template or empty, and return its DSN."""
    count = iter(range(1000))

    async def create(of: str | None = TEMPLATE) -> str:
        name = f"test_{worker_id}_{next(count)}"
        conn = await asyncpg.connect(server_dsn)
        try:
            # PostgreSQL rejects two concurrent clones of one template.
            await conn.execute("SELECT pg_advisory_lock(1)")
            template = f' TEMPLATE "{of}"' if of else ""
            await conn.execute(f'CREATE DATABASE "{name}"{template}')
        finally:
            await conn.close()
        return server_dsn.replace("/postgres?", f"/{name}?")

    return create


@pytest.fixture(scope="session")
async def worker_dsn(make_database: Callable[..., Any]) -> str:
    """The DSN of this worker's database."""
    return await make_database()


@pytest.fixture(scope="session")
def worker_settings(worker_dsn: str) -> Settings:
    """The settings of the application under test.

    Sweeps are rare, one address may send many requests at once, and rankings are not cached.
    """
    return Settings.from_env(
        {
            "CONNECTION_URL": worker_dsn,
            "CRUDDUR_SWEEP_INTERVAL": "30",
            "CRUDDUR_ADDRESS_ATTEMPTS": "1000",
            "CRUDDUR_RATE_EXEMPT": "127.0.0.1",
            "CRUDDUR_OVERLOAD_DELAY": "0",
            "CRUDDUR_RANKING_INTERVAL": "0",
        }
    )


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small front end with the layout of a real build."""
    directory = tmp_path_factory.mktemp("build")
    for name, text in BUILD.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    return directory


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Yield a headless Chromium."""
    async with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
async def app(worker_settings: Settings) -> AsyncIterator[Quart]:
    """The application, started."""
    application = create_app(worker_settings)
    async with application.test_app():
        yield application


@pytest.fixture(scope="session")
async def _inspector(worker_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    # It checks for deadlocks after 20 ms instead of a second, so in a deadlock with the application
    # this connection is the one that fails.
    conn = await asyncpg.connect(worker_dsn, server_settings={"deadlock_timeout": "20ms"})
    yield conn
    await conn.close()


@pytest.fixture
async def database(_inspector: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A direct connection to inspect the data, and to move time by writing `expires_at`.

    Every test that uses the worker's database leaves it empty for the next one.
    """
    yield _inspector
    await empty(_inspector)


@pytest.fixture
def dsn(worker_dsn: str, database: asyncpg.Connection) -> str:
    """The DSN of the database under test."""
    return worker_dsn


@pytest.fixture
def settings(worker_settings: Settings, database: asyncpg.Connection) -> Settings:
    """The application's settings, as a base for other applications."""
    return worker_settings


@pytest.fixture
async def http(app: Quart, database: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    """An in-process HTTP client of the application, without a token."""
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4567") as client:
        yield client


@pytest.fixture
def api(http: httpx.AsyncClient) -> Api:
    """The API, called by an anonymous visitor."""
    return Api(http)


@pytest.fixture
def codes(caplog: pytest.LogCaptureFixture) -> Callable[[str], str]:
    """Return the latest code that was sent to an address, read from its log line."""
    caplog.set_level(logging.INFO, logger="cruddur.identity.mail")

    def latest(email: str) -> str:
        pattern = re.compile(rf"code for {re.escape(email)}: (\d{{6}})$")
        found = [match[1] for line in caplog.messages if (match := pattern.search(line))]
        assert found, f"no code was sent to {email}"
        return found[-1]

    return latest


@pytest.fixture
def member(api: Api, database: asyncpg.Connection, app: Quart) -> Callable[..., Any]:
    """Create a signed-in user who can call the API: `await member("worf")`."""

    async def make(handle: str, display_name: str | None = None) -> Member:
        return await Member.enter(api, database, app, handle, display_name or handle.title())

    return make


@pytest.fixture
async def andrew(member: Callable[..., Any]) -> Member:
    """Andrew Brown, signed in."""
    return await member("andrewbrown", "Andrew Brown")


@pytest.fixture
async def bayko(member: Callable[..., Any]) -> Member:
    """Andrew Bayko, signed in."""
    return await member("bayko", "Andrew Bayko")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory below a private directory, such as a home directory."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home / "local"


@pytest.fixture
def serve(tmp_path: Path, data: Path) -> Iterator[Serve]:
    """Start `cruddur serve` with options and environment; stop all that still run at the end."""
    started: list[Running] = []

    def start(*options: str, **environment: str) -> Running:
        port = free_port()
        log = tmp_path / f"log-{len(started)}"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "cruddur", "serve", *options],
                env=environment_of(data, PORT=str(port), **environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        started.append(Running(process, port, log))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.stop()

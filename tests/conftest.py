"""One real PostgreSQL for the whole run, one database per worker, one application per test run.

The controller starts the embedded server and migrates a template database. Each worker clones it
once, and every test ends by emptying the tables. Tests use the public interface: ASGI with the
application's own lifespan.
"""

import asyncio
import gc
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from playwright.async_api import Browser
from quart import Quart

import browsing
from certificates import self_signed
from cruddur.app import create_app
from cruddur.cli.database import DATABASE, seed_if_empty
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate
from cruddur.identity import passwords, tokens
from cruddur.settings import Settings
from decoders import first_stops
from event_loop import accept_unless_closed
from outage import FOREVER
from patience import PATIENCE
from processes import Serve, kill_session, services
from support import BUILD, QUICK_HASHER, Api, Member, acquaint, empty

TEMPLATE = "cruddur_template"


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Requirement H3: tests connect only to this machine."""
    if event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if not (host.startswith("127.") or host in {"::1", "localhost", ""}):
            raise OSError(f"tests may only use loopback; this one connects to {host}")


sys.addaudithook(_stay_here)

asyncio.SelectorEventLoop._accept_connection2 = accept_unless_closed  # type: ignore[attr-defined]

# httpx imports it for each request, if possible. To find out that it is not installed takes long.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # as the import system documents

_server: EmbeddedPostgres | None = None
_directory: str | None = None


# The modules and the collected tests stay until the end, so the garbage collector can ignore them.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from now on."""
    gc.freeze()
    gc.enable()


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


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Save the data of `make coverage`: xdist kills a worker that needs long to exit."""
    if (coverage := sys.modules.get("coverage")) and (measured := coverage.Coverage.current()):
        measured.save()


_dsn_key = pytest.StashKey[str]()


class _HandOver:
    """Hooks for the controller of the workers."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass the DSN of the server to each worker, and make the worker a session of its own."""
        node.workerinput["dsn"] = node.config.stash[_dsn_key]
        begin = node.gateway.remote_exec("import os; os.setsid(); channel.send(os.getpid())")
        node.workerinput["session"] = begin.receive()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Distribute the tests by directory, unless the command line has another `--dist`."""
        if config.getvalue("dist") != "loadfile":
            return None
        from scheduling import FilesByDirectory

        return FilesByDirectory(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Kill the processes that a worker which crashed or was ended by a timeout has started."""
        if error:
            kill_session(node.workerinput["session"])


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    if not manager.has_plugin("hand-over"):
        manager.register(_HandOver(), "hand-over")


@pytest.fixture(scope="session", autouse=True)
def _few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let each HTTP client load one certificate instead of all public ones, which takes 20 ms."""
    certificate = self_signed(tmp_path_factory.mktemp("certificates"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        patch.setattr("certifi.where", lambda: str(certificate))
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Let the service wait for others, and tests for the service, as long as a busy machine needs.

    The tests of these time limits set their own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cruddur.db.pool.ACQUIRE_TIMEOUT", PATIENCE)
        patch.setattr("cruddur.http_client.CALL_SECONDS", PATIENCE)
        patch.setattr("cruddur.identity.cognito.CALL_SECONDS", PATIENCE)
        for name in ("connect", "read", "write", "pool"):  # of each client without its own
            patch.setattr(DEFAULT_TIMEOUT_CONFIG, name, PATIENCE)
        yield


@pytest.fixture(scope="session")
def server_dsn(request: pytest.FixtureRequest) -> str:
    """The DSN of the server's maintenance database."""
    workerinput = getattr(request.config, "workerinput", None)
    return workerinput["dsn"] if workerinput else request.config.stash[_dsn_key]


@pytest.fixture(scope="session")
def make_database(server_dsn: str, worker_id: str) -> Callable[..., Any]:
    """Create a database, `of` a template or empty, and return its DSN.

    `locale` is a locale of the operating system for a database that is not a copy of TEMPLATE.
    """
    count = iter(range(1000))

    async def create(of: str | None = TEMPLATE, locale: str | None = None) -> str:
        name = f"test_{worker_id}_{next(count)}"
        conn = await asyncpg.connect(server_dsn)
        try:
            # PostgreSQL rejects two concurrent clones of one template.
            await conn.execute("SELECT pg_advisory_lock(1)")
            template = f' TEMPLATE "{of}"' if of else ""
            if locale:
                template += f" LOCALE_PROVIDER libc LOCALE '{locale}'"
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

    Statements may take as long as a busy machine needs. There is one sweep, at the start. One
    address may send many requests at once, and rankings are not cached.
    """
    settings = Settings.from_env(
        {
            "CONNECTION_URL": worker_dsn,
            "CRUDDUR_STATEMENT_TIMEOUT": "60",
            "CRUDDUR_ADDRESS_ATTEMPTS": "1000",
            "CRUDDUR_RATE_EXEMPT": "127.0.0.1",
            "CRUDDUR_OVERLOAD_DELAY": "0",
            "CRUDDUR_RANKING_INTERVAL": "0",
            "CRUDDUR_PREVIEWS": "off",
        }
    )
    return replace(settings, sweep_interval=FOREVER)


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
    async with browsing.chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
async def firefox() -> AsyncIterator[Browser]:
    """Yield a headless Firefox."""
    async with browsing.firefox() as launched:
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
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash passwords at the lowest cost, for tests that need many hashes.

    tests/identity/test_passwords.py checks the cost that users get.
    """
    monkeypatch.setattr(passwords, "_hasher", QUICK_HASHER)
    passwords._dummy_hash.cache_clear()
    yield
    passwords._dummy_hash.cache_clear()


@pytest.fixture
def member(api: Api, database: asyncpg.Connection, app: Quart) -> Callable[..., Any]:
    """Create a signed-in user who can call the API: `await member("worf")`."""

    async def make(handle: str, display_name: str | None = None) -> Member:
        return await Member.enter(api, database, app, handle, display_name or handle.title())

    return make


@pytest.fixture
def long_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue access tokens that last a day, for tests that can take longer than the usual ones."""
    monkeypatch.setattr(tokens, "ACCESS_TOKEN_SECONDS", 86_400)


@pytest.fixture
async def andrew(member: Callable[..., Any]) -> Member:
    """Andrew Brown, signed in."""
    return await member("andrewbrown", "Andrew Brown")


@pytest.fixture
async def bayko(member: Callable[..., Any]) -> Member:
    """Andrew Bayko, signed in."""
    return await member("bayko", "Andrew Bayko")


@pytest.fixture
async def acquainted(andrew: Member, bayko: Member, database: asyncpg.Connection) -> None:
    """Andrew and Bayko follow each other, so their messages are no requests."""
    await acquaint(database, andrew, bayko)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory below a private directory, such as a home directory."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home / "local"


@pytest.fixture
def first_decoder_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first decoder of this process stop after its setup."""
    for name, value in first_stops(tmp_path).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
async def prepare(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Create a data directory with a migrated and seeded database, as after a first start."""
    prepared = tmp_path_factory.mktemp("prepared") / "data"
    server = EmbeddedPostgres(prepared / "postgres", durable=False)
    server.start()
    try:
        server.create_database(DATABASE)
        await migrate(server.dsn(DATABASE))
        await seed_if_empty(server.dsn(DATABASE))
    finally:
        server.stop()

    def copy(data: Path) -> None:
        subprocess.run(["cp", "-a", prepared, data], check=True)

    return copy


@pytest.fixture
def prepared_data(data: Path, prepare: Callable[[Path], None]) -> Path:
    """The data directory of `serve`, with a migrated and seeded database."""
    prepare(data)
    return data


@pytest.fixture
def serve(tmp_path: Path, data: Path) -> Iterator[Serve]:
    """Start `cruddur serve` with options and environment; stop all that still run at the end."""
    with services(tmp_path, data) as start:
        yield start

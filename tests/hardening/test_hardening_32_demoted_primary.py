"""A demoted primary is a lost connection: the service reconnects to a writable host."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db.migrate import migrate, migrations
from cruddur.identity.keys import new_signing_key
from cruddur.settings import Settings
from cruddur.settings.database_url import server_addresses, session_attributes
from live.listening import listening
from outage import (
    FOREVER,
    Limits,
    black_hole,
    caught_up,
    demote,
    own_server,
    own_standby,
    promote,
    ready,
    set_read_only,
)
from patience import PATIENCE
from pooler import pooling
from processes import cruddur
from relay import relaying
from support import Api, Member, free_port, refused, serving, serving_on_a_socket, visiting

DRAFT = {"message": "Today is a good day to crud", "ttl": "7-days"}
NAME = "database.localhost"

MakeDatabase = Callable[..., Awaitable[str]]


@dataclass(frozen=True)
class Pair:
    """A primary `a`, its standby `b`, and the URL of both.

    Attributes:
        demote: makes `a` read-only.
        promote: makes `b` writable.
    """

    a: str
    b: str
    url: str
    demote: Callable[[], Awaitable[None]]
    promote: Callable[[], Awaitable[None]]


@asynccontextmanager
async def _pair(directory: Path, *, restarts: bool) -> AsyncIterator[Pair]:
    with (
        own_server(directory / "a") as (primary, data),
        own_standby(primary, directory / "b") as (standby, _),
    ):
        a, b = primary.dsn("postgres"), standby.dsn("postgres")
        await migrate(a)
        await caught_up(a, b)

        async def demoting() -> None:
            await caught_up(a, b)
            if restarts:
                await asyncio.to_thread(demote, primary, data)
            else:
                await set_read_only(a, "on")

        async with relaying(a) as first, relaying(b) as second:
            yield Pair(a, b, _url(first.port, second.port), demoting, lambda: promote(b))


def _url(*ports: int) -> str:
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://postgres@{hosts}/postgres?sslmode=disable"


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """No time limit applies, unless a test sets it."""
    return Limits(monkeypatch)


async def becomes_ready(api: Api) -> None:
    """Wait until the service reports that it is ready."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await ready(api) == 200:
                return
            await asyncio.sleep(0.05)


async def write(member: Member) -> int:
    """Post a crud; an error must have the error format and Retry-After."""
    response = await member.http.post("/api/activities", json=DRAFT, headers=member.headers)
    if response.status_code != 200:
        assert response.status_code == 503
        assert refused(response) == ["unavailable"]
    return response.status_code


@pytest.mark.parametrize("restarts", [True, False], ids=["restarted", "in place"])
async def test_hardening_32_service_follows_the_writable_server(
    settings: Settings, tmp_path: Path, restarts: bool
) -> None:
    async with _pair(tmp_path, restarts=restarts) as pair, AsyncExitStack() as stack:
        app = create_app(replace(settings, connection_url=pair.url, sweep_interval=0.2))
        await stack.enter_async_context(app.test_app())
        url = await stack.enter_async_context(serving_on_a_socket(app))
        api = await stack.enter_async_context(visiting(app))
        conn = await asyncpg.connect(pair.a)
        worf = await Member.enter(api, conn, app, "worf", "Worf")
        await conn.close()
        stream = await stack.enter_async_context(listening(url))
        # Several connections in the pool, all to the server that is demoted.
        await asyncio.gather(*(write(worf) for _ in range(5)))
        seen = [crud["uuid"] for crud in await stream.receive(*["crud"] * 5)]
        assert await ready(api) == 200

        await pair.demote()
        assert await ready(api) == 503
        assert await write(worf) == 503
        assert await ready(api) == 503
        assert await write(worf) == 503

        await pair.promote()
        await becomes_ready(api)
        # No restart, and no request fails because an old connection was still in the pool.
        assert await asyncio.gather(*(write(worf) for _ in range(5))) == [200] * 5
        seen += [crud["uuid"] for crud in await stream.receive(*["crud"] * 5)]
        assert len(set(seen)) == 10, "no event is lost or sent twice"

        b = await asyncpg.connect(pair.b)
        assert await b.fetchval("SELECT count(*) FROM activities") == 10
        await b.execute("UPDATE activities SET expires_at = now() - interval '1 second'")
        async with asyncio.timeout(PATIENCE):
            while True:
                if await b.fetchval("SELECT count(*) FROM activities") == 0:
                    break
                await asyncio.sleep(0.05)
        await b.close()


async def test_hardening_32_commands_use_the_writable_host(tmp_path: Path) -> None:
    with (
        own_server(tmp_path / "a") as (primary, _),
        own_standby(primary, tmp_path / "b") as (standby, _),
    ):
        a, b = primary.dsn("postgres"), standby.dsn("postgres")
        async with relaying(a) as first, relaying(b) as second:
            done = await asyncio.to_thread(
                cruddur, tmp_path, "migrate", CONNECTION_URL=_url(second.port, first.port)
            )
            assert done.returncode == 0, done.stderr
            conn = await asyncpg.connect(a)
            assert await conn.fetchval("SELECT count(*) FROM migrations") == len(migrations())
            await conn.close()
            for url, reason in (
                (_url(second.port), "the server is read-only"),
                (
                    _url(second.port, free_port()),
                    f"127.0.0.1:{second.port}: the server is read-only; ",
                ),
            ):
                failed = await asyncio.to_thread(cruddur, tmp_path, "migrate", CONNECTION_URL=url)
                assert failed.returncode != 0
                assert reason in failed.stderr
                assert failed.stderr.count("\n") == 1, failed.stderr


async def test_hardening_32_a_dead_first_host_delays_nothing(
    settings: Settings, make_database: MakeDatabase
) -> None:
    dsn = await make_database()
    async with relaying(dsn) as relay:
        with black_hole() as port:
            url = _url(port, relay.port).replace("/postgres?", f"{urlsplit(dsn).path}?")
            app = create_app(replace(settings, connection_url=url))
            async with serving(app) as api:
                for _ in range(3):  # no limit ends a wait for the first host
                    assert await ready(api) == 200
                    async with asyncio.timeout(PATIENCE):
                        await api.get("/api/activities/home")
                    relay.cut()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_hardening_32_a_silent_host_is_abandoned(
    settings: Settings,
    make_database: MakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
    limits: Limits,
    method: str,
) -> None:
    monkeypatch.setattr("cruddur.db.connector.NEXT_HOST_SECONDS", FOREVER)
    dsn = await make_database()
    async with relaying(dsn) as first, relaying(dsn) as second:
        url = _url(first.port, second.port).replace("/postgres?", f"{urlsplit(dsn).path}?")
        app = create_app(replace(settings, connection_url=url))
        conn = await asyncpg.connect(dsn)
        async with serving(app) as api:
            worf = await Member.enter(api, conn, app, "worf", "Worf")

            async def request() -> int:
                if method == "POST":
                    return await write(worf)
                home = await api.http.get("/api/activities/home", headers=worf.headers)
                return home.status_code

            # Only the connections to the host that becomes silent have a limit.
            await limits.statements(app, 4.0)
            assert await asyncio.gather(*(request() for _ in range(3))) == [200] * 3
            limits.new_statements(app, FOREVER)
            assert await ready(api) == 200
            assert second.accepted == 0
            monkeypatch.setattr("cruddur.db.connector.NEXT_HOST_SECONDS", 0.25)
            first.open.clear()
            limits.probe(0.5)
            assert await ready(api) == 503, "its own connection was to the silent host"
            limits.probe(FOREVER)
            assert await ready(api) == 200
            limits.reads(app, 1.0)
            assert await request() == 503
            limits.reads(app, FOREVER)
            # After this time-out no connection to the silent host is used.
            assert await asyncio.gather(*(request() for _ in range(3))) == [200] * 3
        await conn.close()


async def test_hardening_32_a_name_is_resolved_for_each_connection(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A managed service fails over by changing the address of its one name."""
    addresses = ["127.0.0.1"]
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve(addresses[0] if host == NAME else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with _pair(tmp_path, restarts=False) as pair, AsyncExitStack() as stack:
        first = await stack.enter_async_context(relaying(pair.a))
        await stack.enter_async_context(relaying(pair.b, "127.0.0.2", first.port))
        url = f"postgresql://postgres@{NAME}:{first.port}/postgres?sslmode=disable"
        app = create_app(replace(settings, connection_url=url))
        api = await stack.enter_async_context(serving(app))
        conn = await asyncpg.connect(pair.a)
        worf = await Member.enter(api, conn, app, "worf", "Worf")
        await conn.close()
        assert await write(worf) == 200
        assert await ready(api) == 200
        await pair.demote()
        assert [await write(worf), await ready(api)] == [503, 503]
        await pair.promote()
        assert [await write(worf), await ready(api)] == [503, 503]
        addresses[0] = "127.0.0.2"
        assert [await ready(api), await write(worf)] == [200, 200]


async def test_hardening_32_a_url_may_accept_a_read_only_server(
    settings: Settings, tmp_path: Path
) -> None:
    with own_server(tmp_path / "server") as (server, _):
        dsn = server.dsn("postgres")
        await migrate(dsn)
        await set_read_only(dsn, "on")
        any_server = replace(settings, connection_url=f"{dsn}&target_session_attrs=any")
        # With a signing key, the service starts without writing.
        app = create_app(replace(any_server, signing_key=new_signing_key()))
        async with serving(app) as api:
            writable = {"default_transaction_read_only": "off"}
            conn = await asyncpg.connect(dsn, server_settings=writable)
            worf = await Member.enter(api, conn, app, "worf", "Worf")
            await conn.close()
            assert [await ready(api), await write(worf)] == [200, 503]
            await worf.get("/api/activities/home")


async def test_hardening_32_through_a_pooler(settings: Settings, tmp_path: Path) -> None:
    with own_server(tmp_path / "server") as (server, _):
        dsn = server.dsn("postgres")
        await migrate(dsn)
        await set_read_only(dsn, "on")
        with pooling(dsn, tmp_path) as pooled:
            # PgBouncer repeats from now on what this first server connection reported.
            early = await asyncpg.connect(pooled)
            assert early.get_settings().default_transaction_read_only == "on"
            await early.close()
            await set_read_only(dsn, "off")
            app = create_app(replace(settings, connection_url=pooled))
            async with serving(app) as api:
                conn = await asyncpg.connect(dsn)
                worf = await Member.enter(api, conn, app, "worf", "Worf")
                await conn.close()
                assert [await ready(api), await write(worf)] == [200, 200]
                await set_read_only(dsn, "on")
                assert [await write(worf), await ready(api)] == [503, 503]
                await set_read_only(dsn, "off")
                await becomes_ready(api)
                assert await write(worf) == 200


@pytest.mark.parametrize(
    ("url", "variable", "expected"),
    [
        ("postgresql://a,b/cruddur", "", "read-write"),
        ("postgresql://a,b/cruddur", "any", "any"),
        ("postgresql:///cruddur?host=/tmp", "primary", "primary"),
        ("postgresql://a/cruddur?target_session_attrs=primary", "any", "primary"),
    ],
)
def test_hardening_32_a_variable_applies_to_a_url_without_the_parameter(
    url: str, variable: str, expected: str
) -> None:
    environ = {"CONNECTION_URL": url, "PGTARGETSESSIONATTRS": variable}
    settings = Settings.from_env({name: value for name, value in environ.items() if value})
    assert session_attributes(settings.connection_url) == expected


def test_hardening_32_a_variable_names_the_port_of_hosts_without_one() -> None:
    url = "postgresql://u:p@a,b:6000/cruddur"
    settings = Settings.from_env({"CONNECTION_URL": url, "PGPORT": "6432"})
    assert server_addresses(settings.connection_url) == [("a", 6432), ("b", 6000)]

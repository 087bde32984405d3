"""/api/ready answers within 2 s whatever the database does, and home in bounded time."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db.migrate import migrate
from cruddur.db.probe import PROBE_SECONDS
from cruddur.settings import Settings
from outage import FOREVER, Limits, own_server, ready, stopped
from patience import PATIENCE
from relay import relaying
from support import Api, serving

READY_SECONDS = 2.0


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    return Limits(monkeypatch)


def test_hardening_20_the_limit_is_below_the_promise() -> None:
    """The other tests show that nothing but this limit ends a wait."""
    assert PROBE_SECONDS < READY_SECONDS


async def readies(api: Api, times: int = 5) -> set[int]:
    """Send several probes at once and one more: load balancers do not wait for each other."""
    responses = await asyncio.gather(*(ready(api) for _ in range(times)))
    return {*responses, await ready(api)}


@pytest.fixture
async def own_dsn(make_database: Callable[..., Any]) -> str:
    dsn: str = await make_database()
    return dsn


@pytest.fixture
async def owner(own_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(own_dsn)
    yield conn
    await conn.close()


@pytest.mark.rule("C66")
async def test_hardening_20_while_the_database_is_silent(
    settings: Settings, own_dsn: str, limits: Limits
) -> None:
    async with relaying(own_dsn) as relay:
        app = create_app(replace(settings, connection_url=relay.dsn(own_dsn)))
        async with serving(app) as api:
            assert await readies(api) == {200}
            limits.probe(0.3)
            relay.open.clear()
            assert await readies(api) == {503}
            relay.cut()  # from now on new connections are accepted, and nothing follows
            assert await readies(api) == {503}
            accepted = relay.accepted
            assert await readies(api, times=20) == {503}
            assert relay.accepted <= accepted + 10, "callers share a probe"
            relay.open.set()
            limits.probe(FOREVER)
            assert await ready(api) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
async def test_hardening_20_while_the_database_is_paused(
    settings: Settings, tmp_path: Path, limits: Limits
) -> None:
    with own_server(tmp_path / "server") as (server, data):
        dsn = server.dsn("postgres")
        await migrate(dsn)
        app = create_app(replace(settings, connection_url=dsn, statement_timeout=FOREVER))
        async with serving(app) as api:
            for _ in range(3):  # the later requests would get a cached response
                await api.get("/api/activities/home")
            assert await ready(api) == 200
            with stopped(data):
                limits.probe(0.3)
                limits.reads(app, 1.0)
                homes = [asyncio.create_task(api.http.get("/api/activities/home")) for _ in "123"]
                assert await readies(api) == {503}
                async with asyncio.timeout(PATIENCE):
                    for home in homes:
                        assert (await home).status_code == 503
                    later = await api.http.get("/api/activities/home?limit=3")
                    assert later.status_code == 503
            limits.probe(FOREVER)
            limits.reads(app, FOREVER)
            assert await ready(api) == 200
            await api.get("/api/activities/home")


async def test_hardening_20_while_tables_are_locked_and_the_pool_is_used_up(
    settings: Settings, own_dsn: str, owner: asyncpg.Connection, limits: Limits
) -> None:
    own = replace(settings, connection_url=own_dsn, pool_size=2, statement_timeout=FOREVER)
    app = create_app(own)
    async with serving(app) as api, owner.transaction():
        await owner.execute("LOCK TABLE activities, users IN ACCESS EXCLUSIVE MODE")
        limits.reads(app, 1.0)
        # More requests than connections in the pool: the last ones wait for one, then for the lock.
        homes = [asyncio.create_task(api.http.get("/api/activities/home")) for _ in range(8)]
        assert await readies(api) == {200}
        async with asyncio.timeout(PATIENCE):
            for home in homes:
                assert (await home).status_code == 503


async def test_hardening_20_while_all_connections_are_slow(
    settings: Settings, own_dsn: str, owner: asyncpg.Connection, limits: Limits
) -> None:
    own = replace(settings, connection_url=own_dsn, pool_size=3, statement_timeout=FOREVER)
    app = create_app(own)
    async with serving(app) as api, AsyncExitStack() as stack:
        database = app.extensions["cruddur"].database
        slow = []
        for _ in range(3):
            conn = await stack.enter_async_context(database.connection())
            slow.append(asyncio.create_task(conn.execute("SELECT pg_sleep(3600)")))
        assert await readies(api) == {200}
        # By the server, so that no connection is released before its statement has ended.
        async with asyncio.timeout(PATIENCE):
            while not all(one.done() for one in slow):
                await owner.execute(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'"
                )
                await asyncio.wait(slow, timeout=0.05)
        assert {type(one.exception()) for one in slow} == {asyncpg.QueryCanceledError}


async def test_hardening_20_while_no_connection_can_be_opened(
    settings: Settings, own_dsn: str, owner: asyncpg.Connection, limits: Limits
) -> None:
    """The system tables that a new connection reads are locked."""
    async with serving(create_app(replace(settings, connection_url=own_dsn))) as api:
        async with owner.transaction():
            await owner.execute("LOCK TABLE pg_class IN ACCESS EXCLUSIVE MODE")
            limits.probe(0.3)
            assert await readies(api) == {503}
        limits.probe(FOREVER)
        assert await ready(api) == 200


async def test_hardening_20_a_connection_that_was_cut_is_replaced(
    settings: Settings, own_dsn: str, owner: asyncpg.Connection, limits: Limits
) -> None:
    async with serving(create_app(replace(settings, connection_url=own_dsn))) as api:
        assert await ready(api) == 200
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert await ready(api) == 200

"""A planned switch-over fails no request: new ones wait, and interrupted ones are repeated."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from cruddur.app import create_app
from cruddur.db.connector import Connector
from cruddur.db.migrate import migrate
from cruddur.db.statements import Connection
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from outage import (
    FOREVER,
    Limits,
    caught_up,
    demote,
    own_server,
    own_standby,
    promote,
    set_read_only,
)
from patience import PATIENCE
from relay import Relay, relaying
from support import Member, refused, serving
from telemetry.recorded import Recorded, attributes

DRAFT = {"message": "Today is a good day to crud", "ttl": "7-days"}
HOME = "/api/activities/home"


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """No time limit applies, unless a test sets it."""
    return Limits(monkeypatch)


@pytest.fixture
async def dsn(tmp_path: Path) -> AsyncIterator[str]:
    """A database on a server of its own."""
    with own_server(tmp_path / "server") as (server, _):
        await migrate(server.dsn("postgres"))
        yield server.dsn("postgres")


def url_of(*relays: Relay) -> str:
    """Return a URL of several hosts."""
    hosts = ",".join(f"127.0.0.1:{relay.port}" for relay in relays)
    return f"postgresql://postgres@{hosts}/postgres?sslmode=disable"


async def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition, possibly a coroutine function, is true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            result = condition()
            if await result if asyncio.iscoroutine(result) else result:
                return
            await asyncio.sleep(0.01)


def post(member: Member, *, key: str | None = None) -> "asyncio.Task[httpx.Response]":
    """Start to post a crud."""
    headers = member.headers | ({"Idempotency-Key": key} if key else {})
    return asyncio.create_task(member.http.post("/api/activities", json=DRAFT, headers=headers))


def read(member: Member) -> "asyncio.Task[httpx.Response]":
    """Start to read home."""
    return asyncio.create_task(member.http.get(HOME, headers=member.headers))


@pytest.mark.parametrize("restarts", [True, False], ids=["restarted", "in place"])
async def test_hardening_39_requests_wait_for_the_new_primary(
    settings: Settings, tmp_path: Path, limits: Limits, restarts: bool
) -> None:
    with (
        own_server(tmp_path / "a") as (primary, data),
        own_standby(primary, tmp_path / "b") as (standby, _),
    ):
        a, b = primary.dsn("postgres"), standby.dsn("postgres")
        await migrate(a)
        async with relaying(a) as first, relaying(b) as second:
            app = create_app(replace(settings, connection_url=url_of(first, second)))
            async with serving(app) as api:
                conn = await asyncpg.connect(a)
                worf = await Member.enter(api, conn, app, "worf", "Worf")
                await conn.close()
                assert (await post(worf)).status_code == 200
                await caught_up(a, b)
                if restarts:
                    await asyncio.to_thread(demote, primary, data)
                else:
                    await set_read_only(a, "on")
                limits.switch(FOREVER)
                waiting = [post(worf, key=str(uuid4()))]
                if restarts:  # otherwise the read-only server may still serve them
                    waiting += [post(worf), read(worf)]
                attempts = second.accepted
                await until(lambda: second.accepted > attempts + 3)
                assert not any(task.done() for task in waiting)
                await promote(b)
                async with asyncio.timeout(PATIENCE):
                    responses = await asyncio.gather(*waiting)
                assert {response.status_code for response in responses} == {200}
                conn = await asyncpg.connect(b)
                assert (
                    await conn.fetchval("SELECT count(*) FROM activities") == len(waiting[:2]) + 1
                )
                await conn.close()


async def test_hardening_39_requests_fail_at_once_in_a_longer_outage(
    settings: Settings, dsn: str, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relaying(dsn) as first, relaying(dsn) as second:
        app = create_app(replace(settings, connection_url=url_of(first, second), pool_size=8))
        async with serving(app) as api:
            conn = await asyncpg.connect(dsn)
            worf = await Member.enter(api, conn, app, "worf", "Worf")
            await conn.close()
            await set_read_only(dsn, "on")
            for _ in range(2):  # the first one finds out that its server is read-only
                assert (await post(worf)).status_code == 503
            # Requests that wait share an attempt to connect.
            monkeypatch.setattr("cruddur.db.pool._RECONNECT_SECONDS", 1.0)
            attempts = []
            connect = Connector._open

            async def counted(connector: Connector, **options: Any) -> Connection:
                if connector is app.extensions["cruddur"].database._connector:
                    attempts.append(options["port"])
                return await connect(connector, **options)

            monkeypatch.setattr(Connector, "_open", counted)
            responses = await asyncio.gather(*(post(worf) for _ in range(8)))
            assert [refused(response) for response in responses] == [["unavailable"]] * 8
            assert attempts.count(second.port) < len(responses)
            await set_read_only(dsn, "off")
            assert (await post(worf)).status_code == 200


async def test_hardening_39_what_was_in_progress_is_repeated(settings: Settings, dsn: str) -> None:
    """Reads, and writes with an Idempotency-Key. Whether another write was committed is unknown."""
    app = create_app(replace(settings, connection_url=dsn))
    async with serving(app) as api, AsyncExitStack() as stack:
        conn = await asyncpg.connect(dsn)
        stack.push_async_callback(conn.close)
        worf = await Member.enter(api, conn, app, "worf", "Worf")
        other = await asyncpg.connect(dsn)
        stack.push_async_callback(other.close)
        blocked = "FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

        async with conn.transaction():
            await conn.execute("LOCK TABLE activities IN ACCESS EXCLUSIVE MODE")
            requests = [read(worf), post(worf, key=str(uuid4())), post(worf)]

            async def wait_for(count: int) -> bool:
                return bool(await other.fetchval(f"SELECT count(*) = $1 {blocked}", count))

            await until(lambda: wait_for(3))
            await other.execute(f"SELECT pg_terminate_backend(pid) {blocked}")
            unkeyed = await requests[2]
            await until(lambda: wait_for(2))
        async with asyncio.timeout(PATIENCE):
            page, keyed = await asyncio.gather(*requests[:2])
        assert [page.status_code, keyed.status_code, unkeyed.status_code] == [200, 200, 503]
        assert await conn.fetchval("SELECT count(*) FROM activities") == 1


async def test_hardening_39_a_commit_whose_response_was_lost_is_not_repeated(
    settings: Settings, dsn: str
) -> None:
    async with relaying(dsn) as relay, AsyncExitStack() as stack:
        app = create_app(replace(settings, connection_url=relay.dsn(dsn)))
        api = await stack.enter_async_context(serving(app))
        conn = await asyncpg.connect(dsn)
        stack.push_async_callback(conn.close)
        worf = await Member.enter(api, conn, app, "worf", "Worf")

        async def wait_for_standby(name: str) -> None:
            await conn.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
            await conn.execute("SELECT pg_reload_conf()")

        async def commits() -> bool:
            query = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            return bool(await conn.fetchval(query))

        # The server of a test does not wait for its disk, nor for a standby, unless a role asks.
        await conn.execute("ALTER ROLE postgres SET synchronous_commit = on")
        await wait_for_standby("absent")
        await app.extensions["cruddur"].database._pool.expire_connections()
        request = post(worf, key=str(uuid4()))
        await until(commits)
        relay.cut()
        await wait_for_standby("")
        async with asyncio.timeout(PATIENCE):
            response = await request
        assert response.status_code == 200
        rows = await conn.fetch("SELECT uuid::text FROM activities")
        assert [row["uuid"] for row in rows] == [response.json()["uuid"]]


async def test_hardening_39_the_trace_of_a_failed_write_says_why(
    settings: Settings, dsn: str, limits: Limits
) -> None:
    exporter = InMemorySpanExporter()
    recorded = Recorded(exporter)
    async with relaying(dsn) as first, relaying(dsn) as second:
        settings = replace(settings, connection_url=url_of(first, second))
        telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
        app = create_app(settings, telemetry)
        async with serving(app) as api:
            conn = await asyncpg.connect(dsn)
            worf = await Member.enter(api, conn, app, "worf", "Worf")
            recorded.clear()
            assert (await post(worf)).status_code == 200
            statement = recorded.named("INSERT activities.create")
            assert attributes(statement)["server.address"] == "127.0.0.1"
            assert attributes(statement)["server.port"] == first.port
            await conn.close()
            await set_read_only(dsn, "on")
            recorded.clear()
            assert (await post(worf)).status_code == 503
            recorded.clear()  # the first one may find out that its server is read-only
            assert (await post(worf)).status_code == 503
            waited = recorded.named("wait for connection")
            assert waited.status.status_code is StatusCode.ERROR
            assert attributes(waited)["error.type"] == "NoServerError"
            for relay in (first, second):
                reason = f"127.0.0.1:{relay.port}: the server is read-only"
                assert reason in str(waited.status.description)
            assert attributes(recorded.server)["error.type"] == "DatabaseUnavailableError"
            limits.host(0.5)
            first.open.clear()
            recorded.clear()
            assert (await post(worf)).status_code == 503
            reasons = str(recorded.named("wait for connection").status.description)
            assert f"127.0.0.1:{first.port}: no response" in reasons
            await set_read_only(dsn, "off")


async def test_hardening_39_the_trace_of_a_repeated_read_says_so(
    settings: Settings, dsn: str
) -> None:
    exporter = InMemorySpanExporter()
    recorded = Recorded(exporter)
    settings = replace(settings, connection_url=dsn)
    app = create_app(settings, Telemetry(settings, processors=[SimpleSpanProcessor(exporter)]))
    async with serving(app) as api:
        conn = await asyncpg.connect(dsn)
        worf = await Member.enter(api, conn, app, "worf", "Worf")
        recorded.clear()
        other = await asyncpg.connect(dsn)

        async def terminate() -> bool:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            return bool(await other.fetch(f"{query} WHERE wait_event_type = 'Lock'"))

        async with conn.transaction():
            await conn.execute("LOCK TABLE activities IN ACCESS EXCLUSIVE MODE")
            request = read(worf)
            await until(terminate)
        assert (await request).status_code == 200
        assert attributes(recorded.server)["app.db.repetitions"] == 1
        assert recorded.server.status.status_code is StatusCode.UNSET
        [failed] = [s for s in recorded.spans if "db.response.status_code" in attributes(s)]
        assert "due to administrator command" in str(failed.status.description)
        assert failed.status.status_code is StatusCode.ERROR
        await other.close()
        await conn.close()

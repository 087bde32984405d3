"""Overload: a worker refuses early what it cannot answer in time, and still serves the rest."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import asyncpg
import httpx
import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quart import Quart

from cruddur.app import create_app
from cruddur.edge import overload
from cruddur.edge.overload import (
    INITIAL_LIMIT,
    LANE_LIMIT,
    MIN_LIMIT,
    WINDOW_SECONDS,
    AdaptiveLimit,
)
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from outage import FOREVER
from patience import PATIENCE
from processes import Serve
from support import (
    Api,
    Member,
    refused,
    serving,
    serving_on_a_socket,
    until_blocking,
    untraced,
    visiting,
)
from telemetry.recorded import Recorded, until

HOME = "/api/activities/home"
OPERATOR = {"Authorization": "Bearer operators-only"}
PAGE = {"Origin": "http://localhost:3000"}


@asynccontextmanager
async def locked(dsn: str, tables: str) -> AsyncIterator[asyncpg.Connection]:
    """Let requests that need these tables wait, and yield the connection that has the lock."""
    conn = await asyncpg.connect(dsn)
    lock = conn.transaction()
    await lock.start()
    try:
        await conn.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        yield conn
    finally:
        await lock.rollback()
        await conn.close()


@asynccontextmanager
async def overloaded(api: Api, dsn: str) -> AsyncIterator[None]:
    """As many requests as may be in flight wait for a table."""
    async with asyncio.TaskGroup() as group, locked(dsn, "activities"):
        pending = {group.create_task(api.http.get(HOME)) for _ in range(2 * INITIAL_LIMIT)}
        while len(pending) > INITIAL_LIMIT:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            assert {task.result().status_code for task in done} == {503}
        yield


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The application's settings with load shedding, which other tests switch off."""
    return replace(settings, overload_delay=Settings.from_env({}).overload_delay)


@pytest.fixture
async def app_of_operators(settings: Settings) -> AsyncIterator[tuple[Quart, Api]]:
    app = create_app(replace(settings, operator_token="operators-only"))
    async with app.test_app(), visiting(app) as api:
        yield app, api


async def test_hardening_05_a_refusal_is_immediate_and_readable_by_a_page(
    settings: Settings, dsn: str
) -> None:
    async with serving(create_app(settings)) as api, overloaded(api, dsn):
        for method, path in (("GET", HOME), ("POST", "/api/activities"), ("GET", "/nothing")):
            async with asyncio.timeout(PATIENCE):
                response = await api.http.request(method, path, headers=PAGE)
            assert response.status_code == 503
            assert refused(response) == ["unavailable"]
            assert response.headers["access-control-allow-origin"] == PAGE["Origin"]
            assert response.headers["access-control-allow-credentials"] == "true"
            assert "retry-after" in response.headers["access-control-expose-headers"]
            assert response.headers["cache-control"] == "no-store"


async def test_hardening_05_probes_sign_outs_preflights_and_operators_have_their_own_lane(
    app_of_operators: tuple[Quart, Api], dsn: str
) -> None:
    _, api = app_of_operators
    async with overloaded(api, dsn), asyncio.timeout(PATIENCE):
        await api.get("/api/health-check")
        await api.get("/api/health/telemetry", headers=OPERATOR)
        await api.get("/.well-known/jwks.json", headers=OPERATOR)
        await api.get("/.well-known/jwks.json", headers={"Authorization": "Bearer x"}, expect=503)
        await api.post("/api/auth/signout")
        preflight = await api.http.options(
            "/api/activities", headers={**PAGE, "Access-Control-Request-Method": "POST"}
        )
        assert preflight.status_code == 200


async def test_hardening_05_a_lane_does_not_bypass_the_limit(
    settings: Settings, database: asyncpg.Connection, dsn: str
) -> None:
    """More sign-outs than a lane holds count as other requests do."""
    headers = {"Cookie": f"cruddur_refresh={'a' * 43}"}
    async with (
        serving(create_app(settings)) as api,
        overloaded(api, dsn),
        asyncio.TaskGroup() as group,
        locked(dsn, "sessions, refresh_tokens"),
    ):
        waiting = [
            group.create_task(api.http.post("/api/auth/signout", headers=headers))
            for _ in range(LANE_LIMIT + 1)
        ]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result().status_code for task in done] == [503]
        await api.get("/api/health-check")


async def test_hardening_05_many_probes_at_once_are_answered(settings: Settings, dsn: str) -> None:
    async with serving(create_app(settings)) as api:
        probes = (api.http.get("/api/health-check") for _ in range(LANE_LIMIT + MIN_LIMIT))
        responses = await asyncio.gather(*probes)
    assert {response.status_code for response in responses} == {200}


async def test_hardening_05_open_streams_do_not_count_as_in_flight(
    settings: Settings, database: asyncpg.Connection
) -> None:
    app = create_app(settings)
    async with app.test_app(), serving_on_a_socket(app) as url, AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(limits=httpx.Limits(max_connections=None))
        )
        for _ in range(INITIAL_LIMIT + MIN_LIMIT):
            stream = await stack.enter_async_context(http.stream("GET", f"{url}/api/stream"))
            assert stream.status_code == 200
        assert (await http.get(f"{url}{HOME}")).status_code == 200


async def test_hardening_05_slow_clients_do_not_count_as_in_flight(
    settings: Settings, database: asyncpg.Connection
) -> None:
    """Bodies that never arrive; the service waits 20 s for them."""
    app = create_app(settings)
    async with app.test_app(), serving_on_a_socket(app) as url:
        host, port = url.removeprefix("http://").split(":")
        head = b"POST /api/auth/signin HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
        writers = []
        for _ in range(2 * INITIAL_LIMIT):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(head)
            writers.append(writer)
        async with httpx.AsyncClient() as http:
            for _ in range(3):
                assert (await http.get(f"{url}{HOME}")).status_code == 200
        for writer in writers:
            writer.close()


async def test_hardening_05_the_service_recovers_by_itself(settings: Settings, dsn: str) -> None:
    async with serving(create_app(settings)) as api:
        async with overloaded(api, dsn):
            await api.get(HOME, expect=503)
        async with asyncio.timeout(PATIENCE):
            while (await api.http.get(HOME)).status_code != 200:
                pass
        statuses = await asyncio.gather(*(api.http.get(HOME) for _ in range(MIN_LIMIT)))
        assert {response.status_code for response in statuses} == {200}


async def test_hardening_05_likes_that_wait_for_one_row_leave_room_for_other_requests(
    settings: Settings, database: asyncpg.Connection
) -> None:
    """The wait for the row counts as latency: without a limit it would use up the pool."""
    app = create_app(settings)
    async with serving(app) as api:
        fans = [await Member.enter(api, database, app, f"fan_{n}", "Fan") for n in range(72)]
        crud = await fans[0].crud()
        path = f"/api/activities/{crud['uuid']}/like"

        is_refused = asyncio.Event()

        async def like(fan: Member) -> list[int]:
            statuses: list[int] = []
            while 200 not in statuses:
                response = await fan.http.put(path, headers=fan.headers)
                statuses.append(response.status_code)
                if response.status_code != 200:
                    is_refused.set()
                    assert refused(response) == ["unavailable"]
                    await asyncio.sleep(WINDOW_SECONDS)
            return statuses

        async with (
            asyncio.timeout(PATIENCE),
            asyncio.TaskGroup() as group,
            database.transaction(),  # no like ends before one was refused
        ):
            await database.execute("SELECT FROM activities FOR UPDATE")
            tasks = [group.create_task(like(fan)) for fan in fans]
            await is_refused.wait()
        likes = [task.result() for task in tasks]
        first = [statuses[0] for statuses in likes]
        assert first.count(200) >= MIN_LIMIT
        assert first.count(503) > 0
        homes = await asyncio.gather(*(api.http.get(HOME) for _ in range(MIN_LIMIT)))
        assert {home.status_code for home in homes} == {200}
    assert await database.fetchval("SELECT likes_count FROM activities") == len(fans)


async def test_hardening_05_refusals_are_counted_and_logged_together_and_have_no_span(
    settings: Settings,
    dsn: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overload, "LOG_SECONDS", FOREVER)
    caplog.set_level(logging.INFO)
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(spans)], readers=[reader])
    async with serving(create_app(settings, telemetry)) as api, overloaded(api, dsn):
        for _ in range(7):
            await api.get(HOME, expect=503)
        assert Recorded(spans).servers == []
        assert "cruddur.request" not in {record.name for record in caplog.records}
        monkeypatch.setattr(overload, "LOG_SECONDS", 0.0)
        await until(lambda: counted(reader) >= INITIAL_LIMIT + 7)
        lines = [line for line in caplog.messages if line.startswith("overloaded: refused")]
        assert len(lines) == 1


def counted(reader: InMemoryMetricReader) -> float:
    """The refused requests so far."""
    data = reader.get_metrics_data()
    return sum(
        getattr(point, "value", 0)
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "app.requests.refused"
        for point in metric.data.data_points
    )


async def test_hardening_05_it_can_be_switched_off(settings: Settings, dsn: str) -> None:
    async with (
        serving(create_app(replace(settings, overload_delay=0.0))) as api,
        asyncio.TaskGroup() as group,
        locked(dsn, "activities") as conn,
    ):
        waiting = [group.create_task(api.http.get(HOME)) for _ in range(2 * INITIAL_LIMIT)]
        await until_blocking(conn)
    assert {task.result().status_code for task in waiting} == {200}


@pytest.mark.parametrize("per_second", [50, 500, 5000])
def test_hardening_05_the_limit_follows_the_capacity(per_second: int) -> None:
    """A worker that answers one request at a time gets three times the load it can handle."""
    target, service = 0.05, 1 / per_second
    limit, chance = AdaptiveLimit(target), random.Random(5)
    now = free = 0.0
    adjusted, answered = WINDOW_SECONDS, 0
    leaving: list[tuple[float, float, int]] = []
    late: list[float] = []
    calm, loaded = 10 * service, service / 3
    for mean in (*(calm for _ in range(50)), *(loaded for _ in range(30 * per_second))):
        now += chance.expovariate(1 / mean)
        while leaving and leaving[0][0] <= now:
            end, begin, beside = leaving.pop(0)
            limit.leave("/", end - begin, beside)
            answered += 1
            late.append(end - begin)
        while adjusted <= now:
            limit.adjust()
            adjusted += WINDOW_SECONDS
        if limit.is_full():
            limit.record_refusal()
        else:
            free = max(free, now) + service
            leaving.append((free, now, limit.enter()))
    settled = sorted(late[len(late) // 2 :])
    assert answered >= 0.9 * 10 * per_second
    assert settled[int(len(settled) * 0.99)] <= max(4 * target, 2 * MIN_LIMIT * service)


async def test_hardening_05_a_refusal_does_not_check_the_token(
    settings: Settings, dsn: str, database: asyncpg.Connection
) -> None:
    """A refusal comes before any work: neither the token nor the database is used."""
    app = create_app(settings)
    async with app.test_app(), visiting(app) as api:
        member = await Member.enter(api, database, app, "worf", "Worf")
        async with overloaded(api, dsn), asyncio.timeout(PATIENCE):
            await member.get("/api/messages/counter", expect=503)
            await api.get("/api/messages/counter", expect=503)


async def test_hardening_05_the_server_refuses_as_the_application_does(
    serve: Serve, dsn: str
) -> None:
    """A request that the server refuses unparsed gets the same response, on a usable connection."""
    running = serve(CONNECTION_URL=dsn, CRUDDUR_OPERATOR_TOKEN="operators-only")
    await asyncio.to_thread(running.wait)
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=running.url, limits=limits) as http,
        httpx.AsyncClient(base_url=running.url, limits=httpx.Limits(max_connections=1)) as one,
        overloaded(Api(http), dsn),
    ):
        unparsed = await one.get(HOME, headers=PAGE)
        parsed = await one.get(HOME, headers={**PAGE, "Connection": "Keep-Alive, x"})
        assert [response.status_code for response in (unparsed, parsed)] == [503, 503]
        assert refused(unparsed) == refused(parsed) == ["unavailable"]
        # The server adds the time to those that it parses.
        assert untraced(unparsed).items() <= untraced(parsed).items()
        stranger = await one.get(HOME, headers={"Origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in stranger.headers
        assert (await one.get("/api/health-check")).status_code == 200
        assert (await one.get("/.well-known/jwks.json", headers=OPERATOR)).status_code == 200
        assert (await one.post("/api/auth/signout")).status_code == 200
        assert (await one.post("/api/activities", json={})).status_code == 503
        last = await one.get(HOME, headers={"Connection": "close"})
        assert (last.status_code, last.headers["connection"]) == (503, "close")
    assert running.stop() == 0


def test_hardening_05_a_slow_moment_without_load_does_not_lower_the_limit() -> None:
    limit = AdaptiveLimit(0.05)
    for _ in range(20):
        limit.leave("/", 3.0, limit.enter())
        limit.record_lag(1.0)
        limit.adjust()
    assert limit.limit == INITIAL_LIMIT

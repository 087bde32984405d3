"""Requirements D1 to D4: one span per statement, without values, and the cost of the pool."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from quart import Quart

from cruddur.app import create_app
from cruddur.db import activities as activities_db
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from support import Api, Member, acquaint, visiting
from telemetry.recorded import WAIT, Recorded, attributes, until

SLOW_SECONDS = 0.1
"""From here on, a statement of periodic work has a span even if it changes nothing."""


def ended(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    return list(exporter.get_finished_spans())


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def statements(recorded: Recorded) -> list[ReadableSpan]:
    return [span for span in recorded.spans if "db.system.name" in attributes(span)]


async def test_D1_one_span_per_named_statement_and_no_other(
    traced: Api, recorded: Recorded
) -> None:
    # The token is invalid, but it prevents caching.
    await traced.get("/api/activities/home", headers={"Authorization": "none"})
    (span,) = statements(recorded)
    assert span.name == "SELECT activities.home"
    assert span.kind is SpanKind.CLIENT
    assert span.parent is not None
    assert span.parent.span_id == recorded.named("home-activities").context.span_id


async def test_D1_a_write_of_one_statement_commits_by_itself(
    traced: Api, recorded: Recorded, database: asyncpg.Connection, traced_app: Quart
) -> None:
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    recorded.clear()
    uuid = (await worf.crud())["uuid"]
    await worf.reply(uuid)
    assert [span.name for span in statements(recorded)] == [
        "INSERT activities.create",
        "INSERT activities.reply",
    ], "each statement checks the session itself"


async def test_D1_a_write_of_several_has_its_transaction_around_it(
    traced: Api, recorded: Recorded, database: asyncpg.Connection, traced_app: Quart
) -> None:
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    recorded.clear()
    draft = {"message": "Qapla'", "ttl": "1-day"}
    await worf.post("/api/activities", draft, headers={"Idempotency-Key": "once"})
    assert [span.name for span in statements(recorded)] == [
        "BEGIN",
        "SELECT sessions.is_open",
        "INSERT idempotency.claim",
        "INSERT activities.create",
        "INSERT idempotency.keep",
        "COMMIT",
    ]


async def test_what_a_write_causes_is_in_its_trace(
    traced: Api, database: asyncpg.Connection, traced_app: Quart
) -> None:
    """For a statement that commits by itself, and for several in a transaction."""
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    troi = await Member.enter(traced, database, traced_app, "troi", "Deanna Troi")
    await acquaint(database, worf, troi)
    draft = {"message": "Qapla' @troi", "ttl": "1-day"}
    crud = f"/api/activities/{(await worf.crud())['uuid']}"
    sent = await troi.post("/api/messages", {"message": "Worf!", "handle": "worf"})
    note = (await worf.get("/api/activities/notifications"))[0]["uuid"]
    answer = {"message": "Well said", "message_group_uuid": sent["message_group_uuid"]}
    for who, method, path, body, headers, kinds in (
        (worf, "POST", "/api/activities", draft, {}, {"crud", "notification"}),
        (
            worf,
            "POST",
            "/api/activities",
            draft,
            {"Idempotency-Key": "1"},
            {"crud", "notification"},
        ),
        (troi, "POST", f"{crud}/reply", answer, {}, {"crud", "counts", "notification"}),
        (troi, "PUT", f"{crud}/like", None, {}, {"counts", "notification"}),
        (troi, "PUT", f"{crud}/repost", None, {}, {"counts", "notification"}),
        (troi, "DELETE", f"{crud}/like", None, {}, {"counts"}),
        (troi, "DELETE", f"{crud}/repost", None, {}, {"counts"}),
        (worf, "DELETE", crud, None, {}, {"gone"}),
        (troi, "POST", "/api/messages", answer, {}, {"message", "notification"}),
        (worf, "POST", f"/api/activities/{note}/reply", answer, {}, {"message", "notification"}),
    ):
        before = await database.fetchval("SELECT max(id) FROM events")
        sending = {**who.headers, **headers}
        response = await who.http.request(method, path, json=body, headers=sending)
        assert response.status_code == 200, (method, path)
        found = await database.fetch("SELECT kind, traceparent FROM events WHERE id > $1", before)
        assert {row["kind"] for row in found} >= kinds, (method, path)
        traceparents = {row["traceparent"] for row in found}
        assert traceparents == {response.headers["traceresponse"]}, (method, path)


async def test_the_trace_of_a_write_is_not_that_of_the_next(
    traced_app: Quart, database: asyncpg.Connection, traced: Api
) -> None:
    await (await Member.enter(traced, database, traced_app, "worf", "Worf")).crud()
    pool = traced_app.extensions["cruddur"].database
    async with AsyncExitStack() as stack:
        for _ in range(sum(pool.usage()[:2])):
            conn = await stack.enter_async_context(pool.connection())
            assert not await conn.fetchval("SELECT current_setting('cruddur.traceparent', true)")


def test_D1_every_statement_has_a_verb_for_its_name() -> None:
    names = {
        name: statement.attributes["db.query.summary"]
        for module in (activities_db,)
        for name, statement in vars(module).items()
        if hasattr(statement, "attributes")
    }
    assert names
    for summary in names.values():
        assert str(summary).split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"}


async def test_D2_placeholders_rows_and_where(
    traced: Api, recorded: Recorded, database: asyncpg.Connection, traced_app: Quart
) -> None:
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    await worf.crud("a canary in a coal mine")
    await worf.get("/api/activities/search?term=canary")
    read = attributes(recorded.named("SELECT activities.search"))
    assert read["db.response.returned_rows"] == 1
    assert read["db.operation.name"] == "SELECT"
    assert read["db.system.name"] == "postgresql"
    assert str(read["db.namespace"]).startswith("test_")
    assert "$1" in str(read["db.query.text"])
    assert "--" not in str(read["db.query.text"])
    assert all("canary" not in span.to_json() for span in statements(recorded))


async def test_D2_the_rows_that_a_write_touched(
    traced: Api, recorded: Recorded, database: asyncpg.Connection, traced_app: Quart
) -> None:
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    crud = await worf.crud()
    await worf.delete(f"/api/activities/{crud['uuid']}")
    deleted = attributes(recorded.named("DELETE activities.delete"))
    assert deleted.get("app.db.affected_rows", deleted.get("db.response.returned_rows")) == 1


async def test_D2_the_sqlstate_of_an_error_and_nothing_of_its_values(
    traced: Api, recorded: Recorded, database: asyncpg.Connection
) -> None:
    await database.execute("ALTER TABLE activities RENAME TO activities_away")
    await database.execute("ALTER VIEW live_activities RENAME TO live_activities_away")
    try:
        await traced.request("GET", "/api/activities/home", expect=500)
    finally:
        await database.execute("ALTER VIEW live_activities_away RENAME TO live_activities")
        await database.execute("ALTER TABLE activities_away RENAME TO activities")
    span = recorded.named("SELECT activities.home")
    assert attributes(span)["db.response.status_code"] == "42P01"
    assert attributes(span)["error.type"] == "UndefinedTableError"
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(recorded.server)["error.type"] == "UndefinedTableError"


async def test_D3_the_wait_for_a_connection_is_seen(
    settings: Settings, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    settings = replace(settings, pool_size=2)
    app = create_app(settings, Telemetry(settings, processors=[SimpleSpanProcessor(exporter)]))
    async with app.test_app(), visiting(app) as api:
        pool = app.extensions["cruddur"].database
        take_turn, waits = pool._turns.acquire, asyncio.Event()

        async def acquire() -> bool:
            waits.set()
            return bool(await take_turn())

        async with pool.connection(), pool.connection():
            assert pool.usage() == (2, 0, 2)
            monkeypatch.setattr(pool._turns, "acquire", acquire)
            waiting = asyncio.create_task(api.get("/api/activities/home"))
            await waits.wait()
            await asyncio.sleep(0.05)
        await waiting
    recorded = Recorded(exporter)
    waited = recorded.named("wait for connection")
    assert waited.parent is not None
    assert waited.parent.span_id == recorded.server.context.span_id
    assert waited.start_time is not None
    assert waited.end_time is not None
    assert waited.end_time - waited.start_time > 10_000_000
    assert float(str(attributes(recorded.server)["app.db.pool_wait_ms"])) > 10


async def test_D4_the_request_reports_the_cost_of_its_statements(
    traced: Api, recorded: Recorded, database: asyncpg.Connection, traced_app: Quart
) -> None:
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    crud = await worf.crud()
    recorded.clear()
    await worf.put(f"/api/activities/{crud['uuid']}/like")
    facts = attributes(recorded.server)
    assert facts["app.db.statements"] == len(statements(recorded)) == 2
    assert 0 < float(str(facts["app.db.duration_ms"])) < 5000


async def test_a_sweep_that_is_postponed_has_failed(
    settings: Settings, database: asyncpg.Connection
) -> None:
    exporter = InMemorySpanExporter()
    settings = replace(settings, sweep_interval=0.1, direct_url="postgresql://127.0.0.1:1/none")
    app = create_app(settings, Telemetry(settings, processors=[SimpleSpanProcessor(exporter)]))

    def sweeps() -> list[ReadableSpan]:
        return [s for s in ended(exporter) if s.name == "sweep"]

    async with app.test_app():
        await until(sweeps)
    for span in sweeps():
        assert span.status.status_code is StatusCode.ERROR
        assert "cannot connect" in str(span.status.description)
        assert attributes(span)["error.type"] == "DatabaseUnavailableError"
        assert span.events == (), "an outage is no exception of the sweep"


async def test_an_idle_service_has_one_span_for_each_sweep(
    worker_settings: Settings, make_database: Callable[..., Any]
) -> None:
    """On a database of its own, which no other application sweeps."""
    exporter = InMemorySpanExporter()
    dsn = await make_database()
    settings = replace(worker_settings, connection_url=dsn, sweep_interval=0.1)
    app = create_app(settings, Telemetry(settings, processors=[SimpleSpanProcessor(exporter)]))

    def sweeps() -> list[ReadableSpan]:
        return [s for s in ended(exporter) if s.name == "sweep"]

    async with app.test_app():
        await until(sweeps)  # the first one writes a mark
        exporter.clear()
        await until(lambda: len(sweeps()) >= 3)
        idle = ended(exporter)
        exporter.clear()
        conn = await asyncpg.connect(dsn)
        await conn.execute(
            "INSERT INTO signups (email, handle, expires_at)"
            " VALUES ('worf@example.com', 'worf', now() - interval '1 day')"
        )
        await conn.close()
        await until(lambda: "DELETE sweeper.signups" in [s.name for s in ended(exporter)])
    roots = [span for span in idle if span.parent is None]
    assert {span.name for span in roots} == {"sweep"}
    assert [attributes(span)["app.swept"] for span in roots] == [0] * len(roots)
    # On a busy machine a statement may be slow enough to have a span.
    assert [s.name for s in idle if s not in roots and seconds(s) < SLOW_SECONDS] == []


async def test_a_sweep_that_deletes_pictures_has_a_span(
    worker_settings: Settings, make_database: Callable[..., Any]
) -> None:
    exporter = InMemorySpanExporter()
    dsn = await make_database()
    conn = await asyncpg.connect(dsn)
    await conn.execute("INSERT INTO removed_pictures (uuid) VALUES (gen_random_uuid())")
    await conn.close()
    settings = replace(worker_settings, connection_url=dsn, sweep_interval=0.1)
    app = create_app(settings, Telemetry(settings, processors=[SimpleSpanProcessor(exporter)]))

    def sweeps() -> list[ReadableSpan]:
        return [s for s in ended(exporter) if s.name == "sweep pictures"]

    async with app.test_app():
        await until(sweeps)
    assert [attributes(span)["app.swept"] for span in sweeps()] == [1]


@pytest.mark.parametrize("headers", [{}, {"Prefer": "event-position"}], ids=["", "position"])
async def test_a_cached_response_has_one_statement_in_its_trace(
    traced: Api, recorded: Recorded, headers: dict[str, str]
) -> None:
    for _ in range(3):  # the second response is cached
        recorded.clear()
        await traced.request("GET", "/api/activities/home?limit=7", headers=headers)
    names = [span.name for span in recorded.spans if span.name != WAIT]
    assert names == ["SELECT page_changes.read", "GET /api/activities/home"]
    assert attributes(recorded.server)["app.db.statements"] == 1
    assert attributes(recorded.server)["http.response.body.size"] == 2

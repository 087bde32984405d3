"""Each endpoint costs a fixed number of statements, whatever the length of its list."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest
from quart import Quart

from cruddur.app import create_app
from cruddur.db.statements import load
from cruddur.settings import Settings
from cruddur.telemetry.operation import current_operation
from patience import PATIENCE
from support import Api, Member

Statements = list[str]
MANY = 100


@pytest.fixture
def statements() -> Statements:
    """The texts of all statements that the application sends for a request."""
    return []


@pytest.fixture
async def recorded_app(
    settings: Settings, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Quart]:
    create_pool = asyncpg.create_pool

    def record(logged: asyncpg.connection.LoggedQuery) -> None:
        if current_operation().route is not None:  # the sweep would also read the keys
            statements.append(logged.query)

    async def listen(conn: asyncpg.Connection) -> None:
        conn.add_query_logger(record)

    def recording(*args: Any, **options: Any) -> Any:
        return create_pool(*args, **options, init=listen)

    monkeypatch.setattr(asyncpg, "create_pool", recording)
    app = create_app(replace(settings, pool_size=2))
    async with app.test_app():
        yield app


@pytest.fixture
async def andrew(recorded_app: Quart, database: asyncpg.Connection) -> AsyncIterator[Member]:
    transport = httpx.ASGITransport(app=recorded_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield await Member.enter(Api(http), database, recorded_app, "andrewbrown", "Andrew")


async def _cruds(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    await conn.execute(
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " SELECT $1, 'crud about tea ' || n, now() + interval '1 day'"
        " FROM generate_series(1, $2::integer) AS n",
        andrew.uuid, count,
    )  # fmt: skip


async def _notifications(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    await _cruds(conn, andrew, count)
    await conn.execute(
        "WITH fan AS (INSERT INTO users (issuer, subject, handle, display_name)"
        " SELECT 'test', n::text, 'fan_' || n, 'Fan' FROM generate_series(1, $2::integer) AS n"
        " RETURNING uuid)"
        " INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)"
        " SELECT $1, fan.uuid, 'like', (SELECT uuid FROM activities LIMIT 1) FROM fan",
        andrew.uuid, count,
    )  # fmt: skip


async def _message_groups(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    await conn.execute(
        "WITH friend AS (INSERT INTO users (issuer, subject, handle, display_name)"
        " SELECT 'test', n::text, 'friend_' || n, 'Friend' FROM generate_series(1, $2::integer) n"
        " RETURNING uuid),"
        " pair AS (INSERT INTO message_groups (low_user_uuid, high_user_uuid)"
        " SELECT LEAST($1::uuid, uuid), GREATEST($1::uuid, uuid) FROM friend RETURNING uuid)"
        " INSERT INTO messages (message_group_uuid, user_uuid, message)"
        " SELECT uuid, $1, 'hello' FROM pair",
        andrew.uuid, count,
    )  # fmt: skip


async def _messages(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    await _message_groups(conn, andrew, min(count, 1))
    await conn.execute(
        "INSERT INTO messages (message_group_uuid, user_uuid, message)"
        " SELECT message_groups.uuid, $1, 'line ' || n"
        " FROM message_groups, generate_series(2, $2::integer) AS n",
        andrew.uuid, count,
    )  # fmt: skip


LISTS = [
    ("/api/activities/home", _cruds),
    ("/api/activities/@andrewbrown?shape=list", _cruds),
    ("/api/activities/search?term=tea", _cruds),
    ("/api/activities/notifications", _notifications),
    ("/api/message_groups", _message_groups),
    ("/api/messages/@friend_1", _messages),
]


@pytest.mark.parametrize(("path", "fill"), LISTS)
async def test_a_signed_in_list_of_any_length_costs_one_statement(
    path: str,
    fill: Callable[[asyncpg.Connection, Member, int], Awaitable[None]],
    andrew: Member,
    database: asyncpg.Connection,
    statements: Statements,
) -> None:
    for rows in (0, 1, MANY):
        await database.execute("TRUNCATE activities, message_groups CASCADE")
        await database.execute("DELETE FROM users WHERE uuid <> $1", andrew.uuid)
        await fill(database, andrew, rows)
        statements.clear()
        # Each has an address of its own, so that none is answered from the response cache.
        parameters = {**httpx.URL(path).params, "limit": str(MANY), "rows": str(rows)}
        found = await andrew.get(path, params=parameters)
        assert len(found) == rows
        assert len(statements) == 1, statements


async def test_a_members_cached_page_costs_one_statement_and_an_outdated_one_two(
    andrew: Member, database: asyncpg.Connection, statements: Statements
) -> None:
    """Transactions in other databases of the server make a cached page look outdated, too."""
    home, marks = load("activities.home").sql, load("reactions.marks").sql

    async def read() -> Statements:
        statements.clear()
        await andrew.get("/api/activities/home")
        return [text for text in statements if text in {home, marks}]

    crud = await andrew.crud()
    for method in ("PUT", "DELETE"):
        await andrew.request(method, f"/api/activities/{crud['uuid']}/like")
        assert await read() in ([home], [marks, home])
        async with asyncio.timeout(PATIENCE):
            while (sent := await read()) != [marks]:
                assert sent in ([home], [marks, home])


@pytest.mark.parametrize(
    ("method", "path", "body", "count"),
    [
        ("GET", "/api/activities/@andrewbrown?shape=profile", None, 1),
        ("GET", "/api/activities/@andrewbrown/status/{crud}", None, 1),
        ("GET", "/api/activities/{crud}", None, 1),
        ("GET", "/api/activities/notifications/counter", None, 1),
        ("GET", "/api/messages/{group}", None, 1),
        ("GET", "/api/messages/counter", None, 1),
        ("GET", "/api/auth/me", None, 1),
        ("GET", "/api/auth/sessions", None, 1),
        ("POST", "/api/activities", {"message": "hello", "ttl": "1-day"}, 1),
        ("POST", "/api/activities/{crud}/reply", {"message": "hello"}, 1),
        ("DELETE", "/api/activities/{crud}", None, 1),
        ("PUT", "/api/profile/update", {"display_name": "Andrew", "bio": ""}, 1),
        ("POST", "/api/stream/ticket", None, 1),
        ("POST", "/api/avatars/key_upload", {"extension": "png"}, 1),
        # The change, and the counts that its triggers have updated.
        ("PUT", "/api/activities/{crud}/like", None, 2),
        ("DELETE", "/api/activities/{crud}/like", None, 2),
        ("PUT", "/api/activities/{crud}/repost", None, 2),
        ("DELETE", "/api/activities/{crud}/repost", None, 2),
    ],
)
async def test_a_signed_in_request_costs_a_fixed_number_of_statements(
    method: str,
    path: str,
    body: Any,
    count: int,
    andrew: Member,
    database: asyncpg.Connection,
    statements: Statements,
) -> None:
    crud = await andrew.crud()
    await andrew.reply(crud["uuid"])
    await _message_groups(database, andrew, 1)
    group = await database.fetchval("SELECT uuid FROM message_groups")
    for _ in range(2):  # the first request with a token costs no more than the next
        statements.clear()
        response = await andrew.http.request(
            method,
            path.format(crud=crud["uuid"], group=group),
            json=body,
            headers=andrew.headers,
        )
        assert response.status_code == 200, response.text
        assert len(statements) == count, statements
        if method == "DELETE" and path == "/api/activities/{crud}":
            break

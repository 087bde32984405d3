"""Each endpoint costs a fixed number of statements, whatever the length of its list."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest
from PIL import Image
from quart import Quart

from cruddur.app import create_app
from cruddur.db.statements import load
from cruddur.settings import Settings
from cruddur.telemetry.operation import current_operation
from pictures import file
from support import Api, Member, insert_user

Statements = list[str]
MANY = 100


@pytest.fixture
def statements() -> Statements:
    """The texts of all statements that the application sends for a request."""
    return []


@asynccontextmanager
async def recorded(settings: Settings, build: Path, statements: Statements) -> AsyncIterator[Quart]:
    """Start an application that records the statements of its requests."""
    create_pool = asyncpg.create_pool

    def record(logged: asyncpg.connection.LoggedQuery) -> None:
        if current_operation().route is not None:  # the sweep would also read the keys
            statements.append(logged.query)

    async def listen(conn: asyncpg.Connection) -> None:
        # asyncpg reads what it must know of these types when a connection first uses them.
        await conn.execute("SELECT $1::uuid[], $2::text[]", [], [])
        conn.add_query_logger(record)

    def recording(*args: Any, **options: Any) -> Any:
        return create_pool(*args, **options, init=listen)

    app = create_app(replace(settings, pool_size=2, frontend_directory=str(build)))
    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncpg, "create_pool", recording)
            await stack.enter_async_context(app.test_app())
        yield app


@asynccontextmanager
async def entered(app: Quart, database: asyncpg.Connection) -> AsyncIterator[Member]:
    """Sign a member in."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield await Member.enter(Api(http), database, app, "andrewbrown", "Andrew")


@pytest.fixture
async def andrew(
    settings: Settings, build: Path, statements: Statements, database: asyncpg.Connection
) -> AsyncIterator[Member]:
    async with recorded(settings, build, statements) as app, entered(app, database) as member:
        yield member


@pytest.fixture(scope="module")
async def cached_app(
    worker_settings: Settings, build: Path
) -> AsyncIterator[tuple[Quart, Statements]]:
    """An application for all tests of cached pages, and what it records.

    Pages that an earlier test has cached are not valid any more.
    """
    statements: Statements = []
    async with recorded(worker_settings, build, statements) as app:
        yield app, statements


async def _cruds(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    """Insert cruds, each with a picture and a preview."""
    await conn.execute(
        "WITH created AS (INSERT INTO activities (user_uuid, message, expires_at, pictures)"
        " SELECT $1, 'crud about tea ' || n, now() + interval '1 day',"
        " jsonb_build_array(jsonb_build_object("
        "'uuid', gen_random_uuid(), 'alt', '', 'width', 1, 'height', 1))"
        " FROM generate_series(1, $2::integer) AS n RETURNING uuid),"
        " preview AS (INSERT INTO previews (url, title) VALUES ('http://news.example/', 'News')"
        " ON CONFLICT (url) DO UPDATE SET title = 'News' RETURNING uuid)"
        " INSERT INTO activity_links (activity_uuid, url, preview_uuid)"
        " SELECT created.uuid, 'http://news.example/', preview.uuid FROM created, preview",
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


async def _notification_groups(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    await _cruds(conn, andrew, count)
    await conn.execute(
        "WITH fan AS (INSERT INTO users (issuer, subject, handle, display_name)"
        " VALUES ('test', 'fan', 'fan', 'Fan') RETURNING uuid)"
        " INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)"
        " SELECT $1, fan.uuid, 'like', activities.uuid FROM activities CROSS JOIN fan",
        andrew.uuid,
    )


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


async def _followers(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    await _message_groups(conn, andrew, count)
    await conn.execute(
        "INSERT INTO follows (follower_uuid, followee_uuid)"
        " SELECT uuid, $1 FROM users WHERE uuid <> $1",
        andrew.uuid,
    )


async def _followed(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    await _message_groups(conn, andrew, count)
    await conn.execute(
        "INSERT INTO follows (follower_uuid, followee_uuid)"
        " SELECT $1, uuid FROM users WHERE uuid <> $1",
        andrew.uuid,
    )


async def _followed_cruds(conn: asyncpg.Connection, andrew: Member, count: int) -> None:
    """Let a followed user post most cruds, and repost the others."""
    await _cruds(conn, andrew, count)
    await conn.execute(
        "WITH friend AS (INSERT INTO users (issuer, subject, handle, display_name)"
        " VALUES ('test', 'friend', 'friend', 'Friend') RETURNING uuid),"
        " followed AS (INSERT INTO follows (follower_uuid, followee_uuid)"
        " SELECT $1, uuid FROM friend)"
        " INSERT INTO reposts (activity_uuid, user_uuid)"
        " SELECT activities.uuid, friend.uuid FROM activities CROSS JOIN friend"
        " WHERE message LIKE '%0'",
        andrew.uuid,
    )
    await conn.execute(
        "UPDATE activities SET user_uuid = (SELECT uuid FROM users WHERE handle = 'friend')"
        " WHERE message NOT LIKE '%0'"
    )


async def _picture(andrew: Member) -> str:
    """Post a crud with a picture, and return the address of the picture."""
    content = file(Image.new("RGB", (9, 9)))
    uploaded = await andrew.request("POST", "/api/pictures", content=content)
    body = {"message": "look", "ttl": "1-day", "pictures": [{"uuid": uploaded.json()["uuid"]}]}
    url: str = (await andrew.post("/api/activities", body))["pictures"][0]["url"]
    return url


LISTS = [
    ("/api/activities/home", _cruds),
    ("/api/activities/@andrewbrown?shape=list", _cruds),
    ("/api/activities/search?term=tea", _cruds),
    ("/api/activities/notifications", _notifications),
    ("/api/notifications", _notification_groups),
    ("/api/message_groups", _message_groups),
    ("/api/messages/@friend_1", _messages),
    ("/api/activities/following", _followed_cruds),
    ("/api/users/@andrewbrown/followers", _followers),
    ("/api/users/@andrewbrown/following", _followed),
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


@pytest.mark.rule("C110")
async def test_a_request_with_an_api_token_costs_no_further_statement(
    andrew: Member, statements: Statements
) -> None:
    bot = await andrew.api_token("read", "write")
    lookup = load("api_tokens.use").sql
    crud = (await bot.crud())["uuid"]
    assert statements.count(lookup) == 1
    for method, path in (
        ("GET", "/api/notifications"),
        ("GET", f"/api/activities/{crud}"),
        ("PUT", f"/api/activities/{crud}/like"),
    ):
        statements.clear()
        await andrew.request(method, path)
        own = list(statements)
        statements.clear()
        await bot.request(method, path)
        assert statements == own


HOME = "/api/activities/home"
ONE = f"{HOME}?limit=1"
PROFILE = "/api/activities/@andrewbrown"
FULL_PROFILE = f"{PROFILE}?shape=profile"
THREAD = "/api/activities/{newer}"
UPWARD_THREAD = "/api/activities/{nested}"
SEARCH = "/api/activities/search?term=so"


@dataclass(frozen=True)
class Scene:
    """Two cruds and their reader.

    Attributes:
        database: a connection of another program.
        reader: the member who reads the page, and wrote `newer`.
        older: a crud of Bayko.
        newer: a later crud.
        reply: a reply to `newer`.
        nested: a reply to that reply.
    """

    database: asyncpg.Connection
    reader: Member
    older: str
    newer: str
    reply: str
    nested: str

    async def sql(self, text: str) -> None:
        """Change something by another program."""
        await self.database.execute(text.format(older=self.older, newer=self.newer))


class Change(NamedTuple):
    """A change, and whether it changes the page at `path`."""

    run: Callable[[Scene], Awaitable[Any]]
    is_visible: bool
    path: str = ONE


FOLLOW = """
INSERT INTO follows (follower_uuid, followee_uuid)
SELECT follower.uuid, followee.uuid
FROM users AS follower, users AS followee
WHERE follower.handle = '{follower}' AND followee.handle = '{followee}'
"""

PREVIEW = """
INSERT INTO previews (url) VALUES ('http://news.example/');
INSERT INTO activity_links (activity_uuid, url) VALUES ('{crud}', 'http://news.example/');
UPDATE activity_links SET preview_uuid = (SELECT uuid FROM previews);
UPDATE previews SET title = 'A title';
"""

STATEMENTS = {
    PROFILE: "profile",
    FULL_PROFILE: "profile",
    THREAD: "page",
    UPWARD_THREAD: "page",
    SEARCH: "search",
}

CHANGES = {
    "nothing": Change(lambda scene: scene.sql("SELECT"), False),
    "a transaction without a change": Change(
        lambda scene: scene.sql("SELECT pg_current_xact_id()"), False
    ),
    "a message": Change(lambda scene: scene.reader.message("bayko"), False),
    "notifications that are read": Change(
        lambda scene: scene.reader.get("/api/activities/notifications"), False
    ),
    "the end of a session": Change(
        lambda scene: scene.sql("DELETE FROM sessions WHERE device = 'other'"), False
    ),
    "a like elsewhere": Change(
        lambda scene: scene.reader.put(f"/api/activities/{scene.older}/like"), False
    ),
    "a like on the page": Change(
        lambda scene: scene.reader.put(f"/api/activities/{scene.newer}/like"), True
    ),
    "a reply": Change(lambda scene: scene.reader.reply(scene.newer), True),
    "a reply elsewhere": Change(lambda scene: scene.reader.reply(scene.older), False),
    "a reply on a thread": Change(lambda scene: scene.reader.reply(scene.newer), True, THREAD),
    "a reply on another thread": Change(
        lambda scene: scene.reader.reply(scene.older), False, THREAD
    ),
    "a reply that is found": Change(lambda scene: scene.reader.reply(scene.older), True, SEARCH),
    "a crud": Change(lambda scene: scene.reader.crud(), True),
    "a crud beside a thread": Change(lambda scene: scene.reader.crud(), False, THREAD),
    "a crud that is found": Change(lambda scene: scene.reader.crud("so"), True, SEARCH),
    "a reply to a reply on a thread": Change(
        lambda scene: scene.reader.reply(scene.reply), True, THREAD
    ),
    "a reply below the thread": Change(
        lambda scene: scene.reader.reply(scene.nested), True, THREAD
    ),
    "a like on a reply to a reply on a thread": Change(
        lambda scene: scene.reader.put(f"/api/activities/{scene.nested}/like"), True, THREAD
    ),
    "a reply to the crud above a thread": Change(
        lambda scene: scene.reader.reply(scene.newer), True, UPWARD_THREAD
    ),
    "a like on a thread": Change(
        lambda scene: scene.reader.put(f"/api/activities/{scene.newer}/like"), True, THREAD
    ),
    "a deleted crud": Change(
        lambda scene: scene.reader.delete(f"/api/activities/{scene.newer}"), True
    ),
    "a repost of a crud that is not on the profile": Change(
        lambda scene: scene.sql(
            "INSERT INTO reposts (user_uuid, activity_uuid)"
            " SELECT users.uuid, '{older}' FROM users WHERE users.handle = 'andrewbrown'"
        ),
        True,
        PROFILE,
    ),
    "a new follower": Change(
        lambda scene: scene.sql(FOLLOW.format(follower="bayko", followee="andrewbrown")),
        True,
        FULL_PROFILE,
    ),
    "a followed user": Change(
        lambda scene: scene.sql(FOLLOW.format(follower="andrewbrown", followee="bayko")),
        True,
        FULL_PROFILE,
    ),
    "a follow of another user": Change(
        lambda scene: scene.sql(FOLLOW.format(follower="worf", followee="bayko")),
        False,
        FULL_PROFILE,
    ),
    "a follow beside a list": Change(
        lambda scene: scene.sql(FOLLOW.format(follower="bayko", followee="andrewbrown")), False
    ),
    "another text": Change(
        lambda scene: scene.sql("UPDATE activities SET message = 'new' WHERE uuid = '{newer}'"),
        True,
    ),
    "another name": Change(lambda scene: scene.sql("UPDATE users SET display_name = 'New'"), True),
    "an earlier end": Change(
        lambda scene: scene.sql(
            "UPDATE activities SET expires_at = now() + interval '1 hour' WHERE uuid = '{newer}'"
        ),
        True,
    ),
    "a preview": Change(lambda scene: scene.sql(PREVIEW.format(crud=scene.newer)), True),
    "a preview elsewhere": Change(lambda scene: scene.sql(PREVIEW.format(crud=scene.older)), False),
    "a preview on a thread": Change(
        lambda scene: scene.sql(PREVIEW.format(crud=scene.nested)), True, THREAD
    ),
    "a preview beside a thread": Change(
        lambda scene: scene.sql(PREVIEW.format(crud=scene.older)), False, THREAD
    ),
    "an emptied table": Change(lambda scene: scene.sql("TRUNCATE activities CASCADE"), True),
    "an emptied log": Change(lambda scene: scene.sql("TRUNCATE events"), True),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("caller", ["visitor", "member"])
async def test_a_cached_page_costs_one_statement_until_something_on_it_changes(
    cached_app: tuple[Quart, Statements], database: asyncpg.Connection, caller: str, name: str
) -> None:
    app, statements = cached_app
    async with entered(app, database) as andrew:
        await check_cached_page(andrew, database, statements, caller, CHANGES[name])


async def check_cached_page(
    andrew: Member,
    database: asyncpg.Connection,
    statements: Statements,
    caller: str,
    change: Change,
) -> None:
    reader = Api(andrew.http) if caller == "visitor" else andrew
    check = load("page_changes.read" if caller == "visitor" else "reactions.marks").sql
    page = load(f"activities.{STATEMENTS.get(change.path, 'home')}").sql

    async def read() -> Statements:
        statements.clear()
        await reader.request("GET", path)
        return [text for text in statements if text in {check, page}]

    bayko = await insert_user(database, "bayko", "Bayko")
    await insert_user(database, "worf", "Worf")
    await database.execute(
        "INSERT INTO sessions (user_uuid, device, address, expires_at)"
        " VALUES ($1, 'other', '', now() + interval '1 day')",
        bayko,
    )
    [older] = await database.fetchrow(
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " VALUES ($1, 'older', now() + interval '1 day') RETURNING uuid",
        bayko,
    )
    newer = (await andrew.crud())["uuid"]
    reply = (await andrew.reply(newer))["uuid"]
    nested = (await andrew.reply(reply))["uuid"]
    scene = Scene(database, andrew, str(older), newer, reply, nested)
    path = change.path.format(newer=newer, nested=nested)
    for _ in range(4):
        await read()
    assert await read() == [check]
    await change.run(scene)
    fresh = await reader.request("GET", f"{path}{'&' if '?' in path else '?'}fresh=1")
    assert await read() == ([check, page] if change.is_visible else [check])
    assert (await reader.request("GET", path)).content == fresh.content


async def test_a_page_is_compared_with_the_commits_of_long_transactions(
    andrew: Member, database: asyncpg.Connection
) -> None:
    """A transaction that began before others, and commits after them, is noticed."""
    crud = await andrew.crud()
    visitor = Api(andrew.http)
    async with database.transaction():
        await database.execute("SELECT pg_current_xact_id()")
        for _ in range(3):
            await andrew.crud()
            await visitor.get(HOME)
        await database.execute("UPDATE activities SET message = 'late'")
        assert "late" not in str(await visitor.get(HOME))
    for reader in (visitor, andrew):
        assert {shown["message"] for shown in await reader.get(HOME)} == {"late"}
    assert crud["message"] != "late"


@pytest.mark.parametrize(
    ("method", "path", "body", "count"),
    [
        ("GET", "/api/activities/@andrewbrown?shape=profile", None, 1),
        ("GET", "/api/activities/@andrewbrown/status/{crud}", None, 1),
        ("GET", "/api/activities/{crud}", None, 1),
        ("GET", "/@andrewbrown", None, 1),
        ("GET", "/@andrewbrown/feed.atom", None, 1),
        ("GET", "/@andrewbrown/status/{crud}", None, 1),
        ("GET", "/api/activities/notifications/counter", None, 1),
        ("GET", "/api/messages/{group}", None, 1),
        ("GET", "/api/messages/counter", None, 1),
        ("GET", "/api/auth/me", None, 1),
        ("GET", "/api/auth/sessions", None, 1),
        ("POST", "/api/activities", {"message": "hello", "ttl": "1-day"}, 1),
        ("POST", "/api/activities/{crud}/reply", {"message": "hello"}, 1),
        # A copy of it and its replies is kept, because they are recent.
        ("DELETE", "/api/activities/{crud}", None, 3),
        # Whether a live crud shows the picture, and its file.
        ("GET", "{picture}", None, 2),
        ("PUT", "/api/profile/update", {"display_name": "Andrew", "bio": ""}, 1),
        ("POST", "/api/stream/ticket", None, 1),
        ("POST", "/api/avatars/key_upload", {"extension": "png"}, 1),
        # A transaction: the address, which also locks the user, and the picture.
        ("DELETE", "/api/avatars/me", None, 4),
        # The change, and the counts that its triggers have updated.
        ("PUT", "/api/activities/{crud}/like", None, 2),
        ("DELETE", "/api/activities/{crud}/like", None, 2),
        ("PUT", "/api/activities/{crud}/repost", None, 2),
        ("DELETE", "/api/activities/{crud}/repost", None, 2),
        ("PUT", "/api/tags/tea/follow", None, 1),
        ("DELETE", "/api/tags/tea/follow", None, 1),
        ("GET", "/api/tags/followed", None, 1),
        # The change, and the counts that its triggers have updated.
        ("PUT", "/api/users/@friend_1/follow", None, 2),
        ("DELETE", "/api/users/@friend_1/follow", None, 2),
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
    picture = await _picture(andrew) if "{picture}" in path else None
    await _message_groups(database, andrew, 1)
    group = await database.fetchval("SELECT uuid FROM message_groups")
    for _ in range(2):  # the first request with a token costs no more than the next
        statements.clear()
        response = await andrew.http.request(
            method,
            path.format(crud=crud["uuid"], group=group, picture=picture),
            json=body,
            headers=andrew.headers,
        )
        assert response.status_code == 200, response.text
        assert len(statements) == count, statements
        if method == "DELETE" and path == "/api/activities/{crud}":
            break

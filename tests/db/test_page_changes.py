"""Cached pages are never older than their request, in any order of transactions.

Several transactions are open at the same time. They change, commit and roll back in random order.
After each step, cached pages are compared with pages that are computed now.
"""

import itertools
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from cruddur.db import page_changes
from cruddur.db.page_changes import PageChanges
from cruddur.db.pool import Database
from cruddur.db.statements import load
from support import Api, Member

READ = load("page_changes.read")

STEPS = 60
WRITERS = 3

PATHS = (
    "/api/activities/home?limit=3",
    "/api/activities/@andrewbrown?shape=profile",
    "/api/activities/search?term=tea",
    "/api/activities/{uuid}",
    "/api/activities/{reply}",
)

CHANGES = (
    (
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " SELECT uuid, 'more tea', now() + interval '1 hour' FROM users ORDER BY random() LIMIT 1"
    ),
    (
        "INSERT INTO activities (user_uuid, message, expires_at, reply_to_activity_uuid)"
        " SELECT user_uuid, 'tea, too', now() + interval '1 hour', uuid"
        " FROM activities ORDER BY random() LIMIT 1"
    ),
    (
        "INSERT INTO likes (user_uuid, activity_uuid)"
        " SELECT users.uuid, activities.uuid FROM users, activities ORDER BY random() LIMIT 1"
        " ON CONFLICT DO NOTHING"
    ),
    "DELETE FROM likes WHERE ctid IN (SELECT ctid FROM likes ORDER BY random() LIMIT 1)",
    (
        "INSERT INTO reposts (user_uuid, activity_uuid)"
        " SELECT users.uuid, activities.uuid FROM users, activities ORDER BY random() LIMIT 1"
        " ON CONFLICT DO NOTHING"
    ),
    "DELETE FROM reposts WHERE ctid IN (SELECT ctid FROM reposts ORDER BY random() LIMIT 1)",
    "UPDATE users SET display_name = 'Name ' || random() WHERE handle = 'bayko'",
    (
        "UPDATE activities SET message = 'tea at ' || random()"
        " WHERE uuid IN (SELECT uuid FROM activities ORDER BY random() LIMIT 1)"
    ),
    "DELETE FROM activities WHERE uuid IN (SELECT uuid FROM activities ORDER BY random() LIMIT 1)",
    (
        "UPDATE activities SET expires_at = now() - interval '1 second'"
        " WHERE uuid IN (SELECT uuid FROM activities ORDER BY random() LIMIT 1)"
    ),
    "UPDATE users SET limited_until = now() + interval '1 day' WHERE handle = 'bayko'",
    "UPDATE users SET limited_until = NULL",
    (
        "INSERT INTO follows (follower_uuid, followee_uuid)"
        " SELECT one.uuid, other.uuid FROM users AS one, users AS other"
        " WHERE (one.handle, other.handle) = ('andrewbrown', 'bayko') ON CONFLICT DO NOTHING"
    ),
    "DELETE FROM follows",
    "UPDATE users SET notifications_read_at = now()",
    "SELECT pg_current_xact_id()",
)


class Writer:
    """A connection with at most one open transaction."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn
        self._transaction: Any = None

    async def step(self, chance: random.Random) -> None:
        """Change something, or end the transaction."""
        if self._transaction is None:
            self._transaction = self._conn.transaction()
            await self._transaction.start()
        elif chance.random() < 0.4:
            end = chance.choice((self._transaction.commit, self._transaction.rollback))
            self._transaction = None
            await end()
            return
        try:
            async with self._conn.transaction():  # a savepoint, as its change may be refused
                await self._conn.execute(chance.choice(CHANGES))
        except (asyncpg.LockNotAvailableError, asyncpg.IntegrityConstraintViolationError):
            pass  # another transaction has changed the row


@pytest.fixture
async def writers(dsn: str, database: asyncpg.Connection) -> AsyncIterator[list[Writer]]:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(WRITERS):
            conn = await asyncpg.connect(dsn, server_settings={"lock_timeout": "5ms"})
            stack.push_async_callback(conn.close)
            await conn.execute("SELECT setseed(0.5)")
            made.append(Writer(conn))
        yield made


@pytest.mark.parametrize("seed", range(3))
async def test_cached_pages_equal_computed_ones_whatever_is_committed(
    api: Api, andrew: Member, bayko: Member, writers: list[Writer], seed: int
) -> None:
    chance = random.Random(seed)
    uuid = (await andrew.crud("tea"))["uuid"]
    reply = (await bayko.reply(uuid, "no tea"))["uuid"]
    await andrew.reply(reply, "why?")
    number = itertools.count()
    for _ in range(STEPS):
        await chance.choice(writers).step(chance)
        for path in (path.format(uuid=uuid, reply=reply) for path in PATHS):
            for reader in (api, andrew):
                cached = await reader.http.get(path, headers=reader.headers)
                sign = "&" if "?" in path else "?"
                computed = await reader.http.get(
                    f"{path}{sign}number={next(number)}", headers=reader.headers
                )
                assert cached.content == computed.content


async def test_a_reading_that_was_sent_before_an_expiry_was_known_and_is_read_after_it(
    pool: Database, andrew: Member, dsn: str, database: asyncpg.Connection
) -> None:
    uuid = (await andrew.crud())["uuid"]
    changes = PageChanges(pool)
    await changes.read(since=time.monotonic())
    sent = changes.parameters()
    early = await asyncpg.connect(dsn)
    try:
        async with early.transaction():
            await early.execute("SELECT now()")  # the time of its transaction, before the expiry
            await database.execute(
                "UPDATE activities SET expires_at = clock_timestamp() WHERE uuid = $1", UUID(uuid)
            )
            [before] = await READ.rows(early, **sent)
        [after] = await READ.rows(database, **sent)
    finally:
        await early.close()
    changes.apply(before, time.monotonic())
    version = changes.version
    assert changes.is_current(version)  # of a page that is computed before the expiry
    changes.apply(after, time.monotonic())
    assert not changes.is_current(version)


async def test_more_changes_than_are_remembered(
    api: Api, andrew: Member, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_changes, "_MAX_CHANGES", 5)
    home = "/api/activities/home?limit=2"
    for _ in range(12):
        await andrew.crud()
    for count, likes in enumerate((1, 5, 6, 12), 1):
        for _ in range(3):
            await api.get(home)
        await database.execute(
            "UPDATE activities SET likes_count = $1 WHERE uuid IN"
            " (SELECT uuid FROM activities ORDER BY created_at DESC LIMIT $2)",
            count, likes,
        )  # fmt: skip
        shown = [crud["likes_count"] for crud in await api.get(home)]
        assert shown == [count] * min(likes, 2) + [0] * (2 - min(likes, 2))
